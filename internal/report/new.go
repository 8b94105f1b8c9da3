package report

import (
	"cmp"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Facts are what a document holds besides the measurements.
type Facts struct {
	Kind   Kind
	Tool   Tool
	RunID  string
	Config Config
	Target string               // of the arm
	Warmup time.Duration        // 0: none
	ID     func(n int64) string // of request n
	Limits []verdict.Limit      // that warnings depend on
}

// New returns the document of a record. The caller adds verdicts, and changes Took if
// it is not that of a single run.
func New(f Facts, r *record.Record) *Document {
	return &Document{
		Schema: SchemaVersion, Kind: f.Kind, Tool: f.Tool, RunID: f.RunID, StartedAt: r.From,
		Interrupted: r.Interrupted, Config: f.Config, Took: f.Warmup + r.Elapsed,
		Arm:       NewArm(f, r),
		Generator: newGenerator(f, r),
	}
}

// NewArm returns the results for one target from its record.
func NewArm(f Facts, r *record.Record) Arm {
	a := Arm{
		Target:  f.Target,
		Elapsed: r.Elapsed,
		Requests: Requests{
			Due: r.Due, Sent: r.Sent, Succeeded: r.Succeeded, Failed: r.Failed,
			Unsent: r.Unsent, Unfinished: r.Unfinished, Completed: r.Completed(),
		},
		Rate:         newRate(r),
		Bytes:        r.Octets,
		StatusCodes:  map[string]int64{},
		Errors:       errorCounts(f, r),
		ResponseTime: Summarize(r.Response),
		ServiceTime:  Summarize(r.Service),
		FailedTime:   Summarize(r.Failures),
		Lateness:     Summarize(r.Lateness),
		PermitWait:   Summarize(r.Waited),
		Intervals:    intervals(r.Series.Intervals()),
		Record:       r,
	}
	for status, n := range r.Statuses {
		a.StatusCodes[strconv.Itoa(status)] = n
	}
	for i := range r.Slowest {
		s := &r.Slowest[i]
		a.Slowest = append(a.Slowest, Slow{
			ID: f.ID(s.N), Due: s.Due, ResponseTime: s.ResponseTime(), ServiceTime: s.ServiceTime(), Status: s.Status,
		})
	}
	if f.Warmup > 0 {
		w := &r.Warmup
		a.Warmup = &Warmup{Due: w.Due, Sent: w.Sent, Succeeded: w.Succeeded, Failed: w.Failed, Duration: f.Warmup}
	}
	return a
}

// newRate returns rates over the elapsed time, except that in an open workload the
// offered and achieved rates are over the time in which arrivals were due or sent.
func newRate(r *record.Record) Rate {
	rate := Rate{
		Throughput: perSecond(r.Completed(), r.Elapsed),
		Goodput:    perSecond(r.Succeeded, r.Elapsed),
		Achieved:   perSecond(r.Sent, r.Elapsed),
	}
	if r.Open {
		rate.Offered = new(perSecond(r.Due, r.Offering))
		rate.Achieved = perSecond(r.Sent, max(r.Offering, r.LastSent))
	}
	return rate
}

// errorCounts lists the error kinds that occurred, most frequent first.
func errorCounts(f Facts, r *record.Record) (counts []ErrorCount) {
	for kind := record.NoError + 1; kind < record.Kinds; kind++ {
		if r.Kinds[kind] == 0 {
			continue
		}
		c := ErrorCount{Kind: kind.String(), Count: r.Kinds[kind]}
		for i, s := range r.Samples[kind] {
			if i == 0 {
				c.First = s.Text
			}
			c.Samples = append(c.Samples, Sample{ID: f.ID(s.N), Message: s.Text})
		}
		counts = append(counts, c)
	}
	slices.SortStableFunc(counts, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return counts
}

// intervals returns the intervals of a run.
func intervals(series []hist.Interval) []Interval {
	all := make([]Interval, len(series))
	for i, s := range series {
		d := Summarize(s.Response)
		all[i] = Interval{
			Start: s.Start, Width: s.Width,
			Due: s.Due, Sent: s.Sent, Succeeded: s.Succeeded, Failed: s.Failed,
			Throughput: perSecond(s.Completed, s.Width),
			P50:        d.P50, P99: d.P99, Max: d.Max,
		}
	}
	return all
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
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
		SensorsOff:        u.Off,
		Warnings:          verdict.Warnings(r, f.Limits),
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
