package engine

import (
	"cmp"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// report makes the report of a run from what was seen of it and how its limits
// were judged.
func (p *Plan) report(o *record.Record, w *wire.Pool, limits []verdict.Result) *report.Report {
	r := &report.Report{
		Schema:      report.SchemaVersion,
		Tool:        report.Tool{Name: "load-tester", Version: Version()},
		RunID:       p.run,
		StartedAt:   o.From,
		Interrupted: o.Interrupted,
		Config:      p.reportConfig(w),
		Elapsed:     o.Elapsed,
		Requests: report.Requests{
			Due: o.Due, Sent: o.Sent, Succeeded: o.Succeeded, Failed: o.Failed,
			Unsent: o.Unsent, Unfinished: o.Unfinished, Completed: o.Kinds[record.NoError],
		},
		Bytes: report.Bytes{
			Sent: o.Octets.Sent, Received: o.Octets.Received, Body: o.Octets.Body, Surplus: o.Octets.Surplus,
		},
		StatusCodes:  map[string]int64{},
		Errors:       p.errorCounts(o),
		ResponseTime: report.Summarize(o.Response),
		ServiceTime:  report.Summarize(o.Service),
		FailedTime:   report.Summarize(o.Failures),
		Lateness:     report.Summarize(o.Lateness),
		PermitWait:   report.Summarize(o.Waited),

		ResponseHist:   o.Response,
		ServiceHist:    o.Service,
		FailedHist:     o.Failures,
		LatenessHist:   o.Lateness,
		PermitWaitHist: o.Waited,
		Series:         o.Series.Intervals(),
	}
	r.Intervals = report.Intervals(r.Series)
	if w != nil {
		r.Bytes.Surplus += w.Stray()
	}
	for status, n := range o.Statuses {
		r.StatusCodes[strconv.Itoa(status)] = n
	}
	for i := range o.Slowest {
		s := &o.Slowest[i]
		r.Slowest = append(r.Slowest, report.Slow{
			ID: p.id(s.N), Due: s.Due,
			ResponseTime: s.ResponseTime(), ServiceTime: s.ServiceTime(), Status: s.Status,
		})
	}
	if p.opts.Warmup > 0 {
		r.Warmup = &report.Warmup{
			Due: o.Warmup.Due, Sent: o.Warmup.Sent,
			Succeeded: o.Warmup.Succeeded, Failed: o.Warmup.Failed, Duration: p.opts.Warmup,
		}
	}
	p.rates(r, o)
	p.generator(r, o, w)
	for _, l := range limits {
		r.Limits = append(r.Limits, report.NewLimitResult(l))
	}
	r.Verdict = verdict.Overall(limits)
	return r
}

// id is the id of request n.
func (p *Plan) id(n int64) string { return http1.RequestID(p.run, n) }

func (p *Plan) reportConfig(w *wire.Pool) report.Config {
	o := &p.opts
	c := report.Config{
		Target:      "Go function",
		Workload:    "closed",
		Requests:    o.Requests,
		Duration:    o.Duration,
		Concurrency: o.Concurrency,
		Timeout:     o.Timeout,
		Grace:       o.Grace,
		Warmup:      o.Warmup,
		BodyBytes:   int64(len(o.Body)),
		NoKeepAlive: o.NoKeepAlive,
		Insecure:    o.TLSConfig != nil && o.TLSConfig.InsecureSkipVerify,
	}
	if w != nil {
		c.Target, c.Method = w.Request.URL(), w.Request.Method()
	}
	if p.schedule == nil {
		return c
	}
	c.Workload, c.Arrivals = "open", "constant"
	c.RatePerSecond = o.Rate
	c.ConnectionsAhead = p.ahead
	if o.Poisson {
		c.Arrivals, c.Seed = "poisson", o.Seed
	}
	for _, s := range o.Stages {
		c.Stages = append(c.Stages, report.Stage{Duration: s.For, From: s.From, To: s.To})
	}
	return c
}

// errorCounts lists the error kinds that occurred, most frequent first.
func (p *Plan) errorCounts(o *record.Record) (counts []report.ErrorCount) {
	for kind := record.NoError + 1; kind < record.Kinds; kind++ {
		if o.Kinds[kind] == 0 {
			continue
		}
		c := report.ErrorCount{Kind: kind.String(), Count: o.Kinds[kind]}
		for _, f := range o.Samples[kind] {
			c.Samples = append(c.Samples, report.Sample{ID: p.id(f.N), Message: f.Text})
		}
		c.First = c.Samples[0].Message
		counts = append(counts, c)
	}
	slices.SortStableFunc(counts, func(a, b report.ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return counts
}

// rates are over the elapsed time, but for what was offered and achieved: that
// is over the time in which arrivals were due or sent.
func (p *Plan) rates(r *report.Report, o *record.Record) {
	per := func(n int64, d time.Duration) float64 {
		if d <= 0 {
			return 0
		}
		return float64(n) / d.Seconds()
	}
	r.Rate.Throughput = per(r.Requests.Completed, o.Elapsed)
	r.Rate.Goodput = per(o.Succeeded, o.Elapsed)
	r.Rate.Achieved = per(o.Sent, o.Elapsed)
	if p.schedule != nil {
		offered := per(o.Due, o.Offering)
		r.Rate.Offered = &offered
		r.Rate.Achieved = per(o.Sent, max(o.Offering, o.LastSent))
	}
}

// generator is how the generator itself did.
func (p *Plan) generator(r *report.Report, o *record.Record, w *wire.Pool) {
	engine := "goroutines"
	if o.Loops > 0 {
		engine = "epoll"
	}
	g, u := &r.Generator, o.Machine
	*g = report.Generator{
		Engine:           engine,
		Processors:       o.Processors,
		GOMAXPROCS:       runtime.GOMAXPROCS(0),
		GOOS:             runtime.GOOS,
		GOARCH:           runtime.GOARCH,
		GCPauseTotal:     &u.GCPauseTotal,
		GCPauseMax:       &u.GCPauseMax,
		SchedLatencyP99:  &u.SchedLatencyP99,
		CPUUse:           u.CPUShare(o.Processors),
		Readings:         u.Readings,
		HiccupP99:        &u.Hiccup99,
		HiccupMax:        &u.HiccupMax,
		ClockDrift:       &u.ClockDrift,
		PeakInFlight:     int64(o.PeakInFlight),
		PermitsExhausted: o.Exhausted,
		SensorsOff:       u.Off,
	}
	g.CPU, _ = host.CPU(os.DirFS("/"))
	if w != nil {
		g.ConnectionsOpened = w.Opened()
	}
	if u.HaveCPU {
		g.CPUUser, g.CPUSystem, g.MaxRSS = &u.CPUUser, &u.CPUSystem, &u.MaxRSS
		if n := o.Sent + o.Warmup.Sent; n > 0 {
			each := u.CPU() / time.Duration(n)
			g.CPUPerRequest = &each
		}
	}
	for _, warning := range verdict.Warnings(o, p.opts.Limits) {
		g.Warnings = append(g.Warnings, report.Warning(warning))
	}
}

// processors is how many processors could make o at once: an event loop can use
// only one.
func processors(o *record.Record) int {
	if o.Loops > 0 {
		return o.Loops
	}
	return ownProcessors()
}

// ownProcessors is how many processors this process may use: those of the
// scheduler, but for the second that a poll gives it where there is one CPU.
func ownProcessors() int {
	if runtime.NumCPU() == 1 {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}
