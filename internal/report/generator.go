package report

import (
	"os"
	"runtime"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Generator describes how the load generator and its machine did during the run. A nil
// field means that its sensor was off; SensorsOff tells why. Shares are in [0, 1].
type Generator struct {
	Engine     string `json:"engine"`     // how requests were sent: "epoll", by event loops, or "goroutines"
	Processors int    `json:"processors"` // that it could use at once, one per event loop
	GOMAXPROCS int    `json:"gomaxprocs"`
	GOOS       string `json:"goos"`
	GOARCH     string `json:"goarch"`
	CPU        string `json:"cpu"` // its name; empty if not known

	CPUUse        *float64       `json:"cpu_use"`            // own process, as a share of Processors
	CPUUser       *time.Duration `json:"cpu_user_ns"`        // own process
	CPUSystem     *time.Duration `json:"cpu_system_ns"`      // own process
	CPUPerRequest *time.Duration `json:"cpu_per_request_ns"` // own process, per request sent

	GCPauseTotal    *time.Duration `json:"gc_pause_total_ns"`
	GCPauseMax      *time.Duration `json:"gc_pause_max_ns"`
	SchedLatencyP99 *time.Duration `json:"sched_latency_p99_ns"` // goroutines, from runnable to running

	host.Readings // shares, by sensor

	HiccupP99  *time.Duration `json:"hiccup_p99_ns"`  // overshoot of a short sleep on a thread of its own
	HiccupMax  *time.Duration `json:"hiccup_max_ns"`  // the longest overshoot
	ClockDrift *time.Duration `json:"clock_drift_ns"` // how far the wall clock moved ahead of the monotonic one
	MaxRSS     *int64         `json:"max_rss_bytes"`  // own process, since its start

	// Response times of a handler in this process that does nothing, under the same
	// load in between: the least that this machine can do. Empty if there was none.
	Control Distribution `json:"control_ns"`

	PeakInFlight      int64         `json:"peak_in_flight"`
	ConnectionsOpened int64         `json:"connections_opened"`
	PermitsExhausted  time.Duration `json:"permits_exhausted_ns"` // how long arrivals waited because no permit was free
	PermitsRested     time.Duration `json:"permits_rested_ns"`    // the part of it in which permits rested because connecting had failed

	// What standard error took of progress and log lines. Nothing waited for it.
	LogLinesDropped int64         `json:"log_lines_dropped"` // lines of failed requests that were not written
	Writing         time.Duration `json:"writing_ns"`        // how long writing took

	SensorsOff []string          `json:"sensors_off"` // "name: why"
	Warnings   []verdict.Warning `json:"warnings"`
}

// newGenerator describes how the generator itself did.
func newGenerator(f Facts, r *record.Record) Generator {
	u := &r.Machine
	g := Generator{
		Engine:            "goroutines",
		Processors:        r.Processors,
		GOMAXPROCS:        runtime.GOMAXPROCS(0),
		GOOS:              runtime.GOOS,
		GOARCH:            runtime.GOARCH,
		CPUUse:            u.CPUShare(r.Processors),
		GCPauseTotal:      &u.GCPauseTotal,
		GCPauseMax:        &u.GCPauseMax,
		SchedLatencyP99:   &u.SchedLatencyP99,
		Readings:          u.Readings,
		HiccupP99:         &u.Hiccup99,
		HiccupMax:         &u.HiccupMax,
		ClockDrift:        &u.ClockDrift,
		PeakInFlight:      int64(r.PeakInFlight),
		ConnectionsOpened: r.Connections,
		PermitsExhausted:  r.Exhausted,
		PermitsRested:     r.Rested,
		SensorsOff:        u.Off,
		Warnings:          verdict.Warnings(r, f.Limits, f.Words),
	}
	if r.Loops > 0 {
		g.Engine = "epoll"
	}
	g.CPU, _ = host.CPU(os.DirFS("/"))
	if u.HaveCPU {
		g.CPUUser, g.CPUSystem, g.MaxRSS = &u.CPUUser, &u.CPUSystem, &u.MaxRSS
		if n := r.Sent + r.Warmup.Sent; n > 0 {
			g.CPUPerRequest = new(u.CPU() / time.Duration(n))
		}
	}
	if r.Control != nil {
		g.Control = Summarize(r.Control.Response)
	}
	return g
}
