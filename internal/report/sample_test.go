package report

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
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

// judged returns the verdicts on limits of what a record says.
func judged(r *record.Record, limits ...string) (rows []LimitResult, overall verdict.Verdict) {
	results := verdict.Judge(parsed(limits), r, verdict.DefaultStandard)
	for _, result := range results {
		rows = append(rows, NewLimitResult(result))
	}
	return rows, verdict.Overall(results)
}

func parsed(limits []string) (all []verdict.Limit) {
	for _, s := range limits {
		l, err := verdict.Parse(s)
		if err != nil {
			panic(err)
		}
		all = append(all, l)
	}
	return all
}

// recorded returns the record of n requests that were due evenly over a span of
// time and took 4.2 ms, but for those that failed, which come evenly too.
func recorded(limits []string, n int, over time.Duration, failed ...record.Result) *record.Record {
	r := record.New(false, verdict.Thresholds(parsed(limits)))
	for k := range n {
		due := over * time.Duration(k) / time.Duration(n)
		s := record.Sample{N: int64(k), Due: due, Sent: due, Done: due + 4200*time.Microsecond, Result: record.Result{Status: 200}}
		if i := k * len(failed) / n; i != (k+1)*len(failed)/n {
			s.Result = failed[i]
		}
		r.Add(&s)
	}
	r.Elapsed = over
	return r
}

var (
	timedOut  = record.Result{Kind: record.Timeout, Err: errors.New("no response within 10s")}
	truncated = record.Result{Kind: record.Truncated, Err: io.ErrUnexpectedEOF}
)

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
	limits := []string{"p50<=50ms", "errors<=0"}
	r.Limits, r.Verdict = judged(recorded(limits, 20, r.Elapsed, slices.Repeat([]record.Result{timedOut}, 20)...), limits...)
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
	limits := []string{"p99<=250ms", "errors<=1%", "p99.99<=2s", "goodput>=100", "max<=500ms"}
	seen := record.New(true, verdict.Thresholds(parsed(limits)))
	seen.Load, seen.Offering = "open, 1000/s", r.Elapsed
	r.LatenessHist, r.PermitWaitHist, r.ServiceHist = hist.New(10), hist.New(10), hist.New(10)
	for n := range int64(5000) {
		due := time.Duration(n) * ms
		sent := due + time.Duration(20+n%50)*time.Microsecond
		s := record.Sample{N: n, Due: due, Sent: sent, Done: sent + time.Duration(900+n%300)*time.Microsecond, Result: record.Result{Status: 200}}
		if n >= 2000 && n < 3000 { // the server was frozen
			s.Done = max(s.Done, 3*time.Second)
		}
		switch {
		case n >= 4996:
			seen.AddUnsent(due)
			continue
		case n >= 4993:
			seen.AddUnfinished(due, sent)
		case n == 2400, n == 2403:
			s.Result = truncated
			seen.Add(&s)
		case n == 2404:
			s.Result = timedOut
			seen.Add(&s)
		case n == 2401, n == 2402:
			s.Status = 500
			seen.Add(&s)
		default:
			seen.Add(&s)
			service := s.ServiceTime()
			if n >= 2002 && n < 3000 {
				service = ms // it waited for a connection, not on one
			}
			r.ServiceHist.Record(int64(service))
		}
		r.LatenessHist.Record(int64(sent - due))
		r.PermitWaitHist.Record(0)
	}
	seen.Elapsed = r.Elapsed
	r.ResponseHist, r.FailedHist = seen.Response, seen.Failures
	r.Series = seen.Series.Intervals()
	r.Slowest = []Slow{
		{"3f2a9c-000000002000", 2000 * ms, 1000 * ms, 999 * ms, 200, ""},
		{"3f2a9c-000000002001", 2001 * ms, 999 * ms, 998 * ms, 500, ""},
	}
	r.Warmup = &Warmup{Due: 2000, Sent: 2000, Succeeded: 1999, Failed: 1, Duration: 2 * time.Second}
	r.Generator = Generator{
		Engine: "portable", Processors: 2, GOMAXPROCS: 2,
		CPUUse: new(0.0451), CPUUser: new(300 * ms), CPUSystem: new(151 * ms), CPUPerRequest: new(90200 * time.Nanosecond),
		GCPauseTotal: new(3 * ms), GCPauseMax: new(310 * time.Microsecond), SchedLatencyP99: new(85 * time.Microsecond),
		Readings: host.Readings{
			Steal: new(0.002), Throttled: new(0.0), Pressure: new(0.031), ForeignCPU: new(0.07), RunQueue: new(0.01),
		},
		HiccupP99: new(1100 * time.Microsecond), HiccupMax: new(4 * ms), ClockDrift: new(-3 * time.Microsecond), MaxRSS: new(int64(31_000_000)),
		PeakInFlight: 901, ConnectionsOpened: 901, PermitsExhausted: 250 * ms,
		SensorsOff: []string{"pressure: proc/pressure/cpu: file does not exist"},
		Warnings:   []Warning{{"lateness", "the generator was late by 3ms at p99: response times include that; lower --rate or give it more CPU"}},
	}
	r.fill()
	r.Limits, r.Verdict = judged(seen, limits...)
	return r
}
