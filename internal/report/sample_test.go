package report

import (
	"errors"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

var octets = record.Octets{Sent: 120, Received: 255, Body: 13}

// status returns the result of a complete response.
func status(code int) record.Result {
	return record.Result{Status: code, Unexpected: code != 200, Octets: octets}
}

// failure returns the result of a request without a complete response.
func failure(kind record.Kind, text string) record.Result {
	return record.Result{Kind: kind, Err: errors.New(text), Octets: octets}
}

// A load fills a record with requests, one due every millisecond.
type load struct {
	*record.Record
	n int64 // of the next request
}

func newLoad(open bool) *load {
	l := &load{Record: record.New(open, []time.Duration{250 * ms})}
	l.From = time.Date(2026, 11, 22, 20, 30, 0, 0, time.UTC)
	l.Processors, l.PeakInFlight, l.Connections = 2, 50, 50
	return l
}

// add adds count requests with a response time of took. In an open workload they waited
// for a permit for all of it except the service time.
func (l *load) add(count int, took, service time.Duration, result record.Result) {
	for range count {
		due := time.Duration(l.n) * ms
		s := record.Sample{N: l.n, Due: due, Sent: due, Done: due + took, Result: result}
		if l.Open {
			s.Waited = max(0, took-service)
			s.Sent += s.Waited + time.Duration(20+l.n%50)*us
		}
		l.Add(&s)
		l.n++
	}
}

func facts(kind Procedure) Facts {
	return Facts{
		Kind: kind, Tool: Tool{"load-tester", "1.2.3"}, RunID: "3f2a9c", Target: "https://example.com/api",
		Config: Config{
			Target: "https://example.com/api", Method: "GET", Workload: "closed",
			Requests: 1000, Concurrency: 50, Timeout: 10 * time.Second, Grace: 10 * time.Second,
		},
		ID: func(n int64) string { return fmt.Sprintf("3f2a9c-%012d", n) },
	}
}

// document returns New's document with the same generator on every machine.
func document(f Facts, l *load) *Document {
	if err := l.Check(); err != nil {
		panic(err)
	}
	d := New(f, l.Record)
	d.Took = f.Warmup + l.Elapsed
	d.Generator = Generator{
		Engine: "epoll", Processors: 2, GOMAXPROCS: 2,
		CPUUse: new(0.0451), CPUUser: new(300 * ms), CPUSystem: new(151 * ms), CPUPerRequest: new(90200 * time.Nanosecond),
		GCPauseTotal: new(3 * ms), GCPauseMax: new(310 * us), SchedLatencyP99: new(85 * us),
		Readings:  host.Readings{Steal: new(0.002), Throttled: new(0.0), Pressure: new(0.031), ForeignCPU: new(0.07), RunQueue: new(0.01)},
		HiccupP99: new(1100 * us), HiccupMax: new(4 * ms), ClockDrift: new(-3 * us), MaxRSS: new(int64(31_000_000)),
		PeakInFlight: 901, ConnectionsOpened: 901, PermitsExhausted: 250 * ms,
		SensorsOff: []string{"pressure: proc/pressure/cpu: file does not exist"},
		Warnings:   []verdict.Warning{{Code: "lateness", Text: "the generator was late by 3ms at p99: response times include that; lower --rate or give it more CPU"}},
	}
	return d
}

// interrupted is a closed run that a signal cut short.
func interrupted() *Document {
	l := newLoad(false)
	l.Interrupted = true
	l.add(50, 850*us, 0, status(200))
	l.add(10, 1500*ms, 0, status(200))
	l.add(2, 900*ms, 0, failure(record.Reset, "read tcp 127.0.0.1:51034->127.0.0.1:80: read: connection reset by peer"))
	for range 250 {
		l.AddUnfinished(62*ms, 62*ms)
	}
	return document(facts(Run), l)
}

// open is an open workload on a server that froze from 2 s to 3 s. It has everything
// that a run can have.
func open() *Document {
	l := newLoad(true)
	l.Offering, l.Until, l.Elapsed = 5*time.Second, 5*time.Second, 5*time.Second
	l.Warmup = record.Totals{Due: 2000, Sent: 2000, Succeeded: 1999, Failed: 1}
	l.Octets.Surplus = 12
	l.add(2000, 1100*us, ms, status(200))
	for n := range 1000 {
		result := status(200)
		switch n {
		case 400, 401:
			result = failure(record.Truncated, "unexpected EOF")
		case 402, 403:
			result = status(500)
		case 999:
			result = failure(record.Timeout, "no response within 10s")
		}
		l.add(1, time.Duration(1000-n)*ms+ms, 2*ms, result)
	}
	l.add(1993, 1200*us, ms, status(200))
	for range 3 {
		l.AddUnfinished(4993*ms, 4994*ms)
	}
	for range 4 {
		l.AddUnsent(4996*ms, 1)
	}
	f := facts(Run)
	f.Warmup = 2 * time.Second
	f.Config.Workload, f.Config.Arrivals, f.Config.RatePerSecond = "open", "constant", 1000
	f.Config.Requests, f.Config.Duration, f.Config.Concurrency, f.Config.Warmup = 0, 5*time.Second, 1000, f.Warmup
	d := document(f, l)
	d.Limits = []LimitResult{
		{Limit: "p99<=250ms", Verdict: verdict.Inconclusive, Observed: new(950796288.0), Low: new(1.15e6), N: 5000, NEffective: new(2.0), DesignEffect: new(1374.0), Reason: "p99 response time 950.8ms among the succeeded"},
		{Limit: "errors<=1%", Verdict: verdict.Pass, Observed: new(0.0024), Low: new(0.0001), High: new(0.0082), N: 5000, Confidence: new(0.95), Summary: "errors 0.24%, want <= 1%", Basis: "12 of 5,000", Reason: "error ratio 0.0024", Detail: "n_eff 714 of 5,000"},
		{Limit: "max<=500ms", Verdict: verdict.Fail, N: 5000, Exact: true, Reason: "max response time without bound, want <= 500ms"},
	}
	d.Verdict = Overall(d.Limits)
	return d
}

// compared is a comparison with everything that one can have, and a fail that was not
// confirmed.
func compared() *Document {
	d := comparison(1240*us, 10*ms)
	d.Claims[0].Verdict, d.Verdict = verdict.Fail, verdict.Inconclusive
	d.Repeat = comparison(1100*us, 9*ms)
	d.Repeat.Claims, d.Repeat.Ratios = d.Repeat.Claims[:1], nil
	d.Repeat.Claims[0].Verdict, d.Repeat.Verdict = verdict.Pass, verdict.Pass
	return d
}

// comparison returns a comparison in which head has the given times in most requests
// and in the slowest.
func comparison(most, slowest time.Duration) *Document {
	base, head := newLoad(true), newLoad(true)
	base.Offering, head.Offering = 6300*ms, 6300*ms
	base.Until, head.Until = 6300*ms, 6300*ms
	base.add(5000, 1100*us, ms, status(200))
	base.add(1200, 2*ms, 2*ms, status(200))
	base.add(100, 9*ms, 9*ms, status(200))
	head.add(5000, most, ms, status(200))
	head.add(1196, 2*ms, 2*ms, status(200))
	head.add(100, slowest, slowest, status(200))
	head.add(1, 3*ms, 3*ms, status(503))
	head.add(2, 3*ms, 3*ms, failure(record.Truncated, "unexpected EOF"))
	head.AddUnsent(6299*ms, 1)
	f := facts(Comparison)
	f.Config.Workload, f.Config.Arrivals, f.Config.RatePerSecond, f.Config.Requests = "open", "constant", 1000, 0
	f.Target = "http://127.0.0.1:8081/api"
	d := document(f, head)
	d.AllocsPerRequest, d.BytesPerRequest = new(14.5), new(123_456.0)
	f.Target = "http://127.0.0.1:8080/api"
	d.Base = new(NewArm(f, base.Record))
	d.Base.AllocsPerRequest, d.Base.BytesPerRequest = new(12.0), new(1234.0)
	d.Took = 14200 * ms
	d.Pairs = &Pairs{Rounds: 21, Alone: 4, AtOnce: 10, Judged: 12, Block: 75 * ms, Guard: 5 * ms, Seed: 4711, Renewed: "connections"}
	d.Claims = []ClaimResult{
		NewClaim(verdict.ClaimFinding{
			Claim:    verdict.Claim{Name: verdict.Work, Fail: 1.05, Pass: 1.05},
			Estimate: 1.123, Low: 1.08, High: 1.16, Confidence: 0.99, Base: 100e3, Head: 112e3, Readings: 42,
			Summary: "a request uses 1.12 times base's processor time, want <= 1.05", Basis: "99 % interval 1.08 to 1.16 of 42 readings",
			Reason: "a request uses 1.12 times base's processor time (99 % interval 1.08 to 1.16), want <= 1.05: 112µs instead of 100µs",
			Detail: "signed-rank of 42 readings: above p=1e-09 (fail at 0.00017)",
		}, ""),
		NewClaim(verdict.ClaimFinding{
			Claim: verdict.Claim{Name: verdict.Tail, Q: 0.99, Fail: 1.1, Pass: 1.98}, Verdict: verdict.Pass,
			Estimate: 1.03, Low: 0.9, High: 1.6, Confidence: 0.99, Base: 9e6, Head: 10e6, Readings: 21,
			Summary: "the slowest 1 % (p99) take 1.03 times as long, surely <= 1.98", Basis: "99 % interval 0.90 to 1.60 of 21 rounds",
		}, ""),
		NewClaim(verdict.ClaimFinding{
			Claim: verdict.Claim{Name: verdict.Allocs, Fail: 3}, Verdict: verdict.Pass, Base: 12, Head: 14, Readings: 1, Exact: true,
			Summary: "a request allocates 14 objects, base's 12, want <= 3 more",
		}, ""),
	}
	d.Ratios = []RatioResult{NewRatio(verdict.PairsFinding{
		Tolerance: verdict.Tolerance{Q: 0.5, Ratio: 1.05}, Verdict: verdict.Inconclusive,
		Estimate: 1.03, Low: 0.81, High: 1.34, Confidence: 0.99, Base: 1.1e6, Head: float64(most), Pairs: 12,
		Detail: "signed-rank of 12 pairs: above the tolerance p=0.2 (fail at 0.0014)",
	}, "")}
	d.Limits = []LimitResult{{Limit: "errors<=0.1%", Verdict: verdict.Pass, Observed: new(0.0006), N: 6300, Reason: "error ratio 0.000635"}}
	return d
}

// searched is a search that the target stopped.
func searched() *Document {
	l := newLoad(true)
	l.Offering, l.Until = time.Second, time.Second
	l.add(1000, 1100*us, ms, status(200))
	f := facts(Search)
	f.Config.Workload, f.Config.Arrivals, f.Config.RatePerSecond, f.Config.Requests = "open", "constant", 100, 0
	d := document(f, l)
	d.Took, d.Verdict = 61*time.Second, verdict.Pass
	d.Found = &Found{
		Limits: []string{"p99<=50ms", "errors<=0.1%"}, Low: new(420.4), High: new(470.9), StoppedBy: "target",
		Reason: "the limits held at 420/s and not at 471/s",
		Trials: []Trial{
			{Rate: 37.5, Duration: time.Second, Purpose: "control", Due: 38, Sent: 38, Succeeded: 38, P50: new(ms), Held: true},
			{Rate: 420.4, Duration: time.Second, Purpose: "verify", Due: 420, Sent: 420, Succeeded: 420, P50: new(2 * ms), P99: new(41 * ms), Held: true},
			{Rate: 470.9, Duration: time.Second, Purpose: "verify", Due: 470, Sent: 470, Succeeded: 470, P50: new(5 * ms), P99: new(120 * ms), Reason: "p99 response time 120ms, want <= 50ms"},
		},
	}
	return d
}
