package report

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const ms = time.Millisecond

// times returns a histogram of what it is told: a time and how often.
func times(pairs ...any) *hist.Histogram {
	h := hist.New(10)
	for i := 0; i < len(pairs); i += 2 {
		h.RecordN(int64(pairs[i].(time.Duration)), int64(pairs[i+1].(int)))
	}
	return h
}

// judged returns the verdicts on limits of the given counts.
func judged(c verdict.Counts, limits ...string) (rows []LimitResult, overall verdict.Verdict) {
	var results []verdict.Result
	for _, s := range limits {
		l, err := verdict.Parse(s)
		if err != nil {
			panic(err)
		}
		r := verdict.Judge(l, c, verdict.DefaultStandard)
		results = append(results, r)
		rows = append(rows, NewLimitResult(r))
	}
	return rows, verdict.Overall(results)
}

// even returns the course of n requests, one per millisecond, of which every so
// many-th failed and the others took 4.2 ms.
func even(n, failed int) []hist.Interval {
	series := hist.NewSeries([]time.Duration{50 * ms})
	for k := range n {
		at := time.Duration(k) * ms
		series.Due(at)
		if k%failed == failed-1 {
			series.Missed(at)
		} else {
			series.Response(at, 4200*time.Microsecond)
		}
	}
	return series.Intervals()
}

// success is a closed run of 1000 requests without a fault.
func success() *Report {
	r := &Report{
		Schema:    SchemaVersion,
		Tool:      Tool{"load-tester", "1.2.3"},
		RunID:     "3f2a9c",
		StartedAt: time.Date(2026, 11, 22, 20, 30, 0, 0, time.UTC),
		Config: Config{
			Target: "https://example.com/api", Method: "GET", Workload: "closed",
			Requests: 1000, Concurrency: 50, Timeout: 10 * time.Second, Grace: 10 * time.Second,
		},
		Elapsed:     2340 * ms,
		Requests:    Requests{Due: 1000, Sent: 1000, Completed: 1000, Succeeded: 1000},
		Rate:        Rate{Achieved: 427.35, Throughput: 427.35, Goodput: 427.35},
		Bytes:       Bytes{Sent: 120_000, Received: 255_000, Body: 13_000},
		StatusCodes: map[string]int64{"200": 1000},
		Generator:   Generator{Engine: "portable", Processors: 2, GOMAXPROCS: 2, PeakInFlight: 50, ConnectionsOpened: 50},
	}
	r.ResponseHist = times(1234567*time.Nanosecond, 100, 4200*time.Microsecond, 750, 12100*time.Microsecond, 100,
		45300*time.Microsecond, 49, 102700*time.Microsecond, 1)
	r.ServiceHist = r.ResponseHist
	r.fill()
	return r
}

// fill sets what follows from the histograms and the series.
func (r *Report) fill() {
	r.ResponseTime, r.ServiceTime = Summarize(r.ResponseHist), Summarize(r.ServiceHist)
	r.FailedTime = Summarize(r.FailedHist)
	r.Lateness, r.PermitWait = Summarize(r.LatenessHist), Summarize(r.PermitWaitHist)
	r.Intervals = Intervals(r.Series)
}

// mixed is a closed run in which some answers were 503.
func mixed() *Report {
	r := success()
	r.Requests = Requests{Due: 1000, Sent: 1000, Completed: 1000, Succeeded: 985, Failed: 15}
	r.Rate.Goodput = 420.94
	r.StatusCodes = map[string]int64{"200": 985, "503": 15}
	r.ResponseHist = times(4200*time.Microsecond, 885, 12100*time.Microsecond, 89, 45300*time.Microsecond, 10, 102700*time.Microsecond, 1)
	r.ServiceHist = r.ResponseHist
	r.FailedHist = times(85*time.Microsecond, 14, 2*ms, 1)
	r.fill()
	return r
}

// timeouts is a run on a server that never answers.
func timeouts() *Report {
	r := success()
	r.Config.Requests, r.Config.Concurrency = 20, 5
	r.Elapsed = 40 * time.Second
	r.Requests = Requests{Due: 20, Sent: 20, Failed: 20}
	r.Rate = Rate{Achieved: 0.5}
	r.Bytes = Bytes{Sent: 2400}
	r.StatusCodes = nil
	r.Errors = []ErrorCount{{"timeout", 20, "no response within 10s", []Sample{{"3f2a9c-000000000000", "no response within 10s"}}}}
	r.ResponseHist, r.ServiceHist = nil, nil
	r.FailedHist = times(10*time.Second, 20)
	r.fill()
	r.Limits, r.Verdict = judged(verdict.Counts{
		Due: 20, Failed: 20, Elapsed: r.Elapsed, Measured: r.Elapsed, Intervals: even(20, 1),
		ErrorKinds: []verdict.KindCount{{Name: "timeout", Count: 20, First: "no response within 10s"}},
	}, "p50<=50ms", "errors<=0")
	return r
}

// interrupted is a run that a signal cut short, with little to show.
func interrupted() *Report {
	r := success()
	r.Interrupted = true
	r.Elapsed = 1200 * ms
	r.Requests = Requests{Due: 312, Sent: 312, Completed: 60, Succeeded: 60, Failed: 2, Unfinished: 250}
	r.Rate = Rate{Achieved: 260, Throughput: 50, Goodput: 50}
	r.StatusCodes = map[string]int64{"200": 60}
	r.Errors = []ErrorCount{{"reset", 2, "read tcp 127.0.0.1:51034->127.0.0.1:80: read: connection reset by peer", nil}}
	r.ResponseHist = times(850*time.Microsecond, 50, 1500*ms, 10)
	r.ServiceHist = r.ResponseHist
	r.FailedHist = times(900*ms, 2)
	r.fill()
	return r
}

// open is an open workload on a server that froze: 10 intervals, in the fifth
// and sixth of which nothing came back. It has everything a report can have.
func open() *Report {
	r := success()
	c := &r.Config
	c.Workload, c.Arrivals, c.RatePerSecond = "open", "constant", 1000
	c.Requests, c.Duration, c.Concurrency, c.Warmup = 0, 5*time.Second, 1000, 2*time.Second
	r.Elapsed = 5 * time.Second
	r.Requests = Requests{Due: 5000, Sent: 4996, Completed: 4990, Succeeded: 4988, Failed: 5, Unsent: 4, Unfinished: 3}
	r.Rate = Rate{Offered: new(1000.0), Achieved: 999.2, Throughput: 998, Goodput: 997.6}
	r.Bytes = Bytes{Sent: 600_000, Received: 1_275_000, Body: 65_000, Surplus: 12}
	r.StatusCodes = map[string]int64{"200": 4988, "500": 2}
	r.Errors = []ErrorCount{
		{"truncated", 2, "unexpected EOF", []Sample{{"3f2a9c-000000002400", "unexpected EOF"}, {"3f2a9c-000000002401", "unexpected EOF"}}},
		{"timeout", 1, "no response within 10s", []Sample{{"3f2a9c-000000002999", "no response within 10s"}}},
	}
	series := hist.NewSeries([]time.Duration{250 * ms, 2 * time.Second})
	r.ResponseHist, r.ServiceHist, r.FailedHist = hist.New(10), hist.New(10), hist.New(10)
	r.LatenessHist, r.PermitWaitHist = hist.New(10), hist.New(10)
	for n := range int64(5000) {
		due := time.Duration(n) * ms
		series.Due(due)
		if n >= 4996 {
			series.Missed(due)
			continue
		}
		sent := due + time.Duration(20+n%50)*time.Microsecond
		r.LatenessHist.Record(int64(sent - due))
		r.PermitWaitHist.Record(0)
		series.Sent(sent)
		done := sent + time.Duration(900+n%300)*time.Microsecond
		if thaw := 3 * time.Second; n >= 2000 && n < 3000 {
			done = max(done, thaw)
		}
		switch {
		case n >= 4993: // never done
			series.Missed(due)
		case n >= 2400 && n < 2405:
			series.Missed(due)
			series.Done(done, false)
			if n == 2401 || n == 2402 { // a status 500
				series.Completed(done)
			}
			r.FailedHist.Record(int64(done - due))
		default:
			series.Done(done, true)
			series.Completed(done)
			series.Response(due, done-due)
			r.ResponseHist.Record(int64(done - due))
			service := done - sent
			if n >= 2002 && n < 3000 {
				service = ms // it waited for a connection, not on one
			}
			r.ServiceHist.Record(int64(service))
		}
	}
	r.Series = series.Intervals()
	r.Slowest = []Slow{
		{"3f2a9c-000000002000", 2000 * ms, 1000 * ms, 999 * ms, 200, ""},
		{"3f2a9c-000000002001", 2001 * ms, 999 * ms, 998 * ms, 500, ""},
	}
	r.Warmup = &Warmup{Due: 2000, Sent: 2000, Succeeded: 1999, Failed: 1, Duration: 2 * time.Second}
	r.Generator = Generator{
		Engine: "portable", Processors: 2, GOMAXPROCS: 2,
		CPUUse: new(0.0451), CPUUser: new(300 * ms), CPUSystem: new(151 * ms), CPUPerRequest: new(90200 * time.Nanosecond),
		GCPauseTotal: new(3 * ms), GCPauseMax: new(310 * time.Microsecond), SchedLatencyP99: new(85 * time.Microsecond),
		Steal: new(0.002), Throttled: new(0.0), CPUPressure: new(0.031), ForeignCPU: new(0.07), RunQueue: new(0.01),
		HiccupP99: new(1100 * time.Microsecond), HiccupMax: new(4 * ms), ClockDrift: new(-3 * time.Microsecond), MaxRSS: new(int64(31_000_000)),
		PeakInFlight: 901, ConnectionsOpened: 901, PermitsExhausted: 250 * ms,
		SensorsOff: []string{"pressure: proc/pressure/cpu: file does not exist"},
		Warnings:   []Warning{{"lateness", "the generator was late by 3ms at p99: response times include that; lower --rate or give it more CPU"}},
	}
	r.fill()
	p99, _ := r.Quantile(0.99)
	r.Limits, r.Verdict = judged(verdict.Counts{
		Due: 5000, Succeeded: 4988, Failed: 5, Unsent: 4, Unfinished: 3, Completed: 4990, Within: 4235, Elapsed: r.Elapsed,
		Measured: r.Elapsed, Intervals: r.Series, Observed: p99, HaveObserved: true, Workload: "open, 1000/s for 5s",
		ErrorKinds: []verdict.KindCount{{Name: "truncated", Count: 2, First: "unexpected EOF"}, {Name: "status 500", Count: 2}, {Name: "timeout", Count: 1}},
	}, "p99<=250ms", "errors<=1%", "p99.99<=2s", "goodput>=100", "max<=500ms")
	return r
}
