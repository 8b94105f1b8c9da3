package text

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

// times returns a distribution with the given mean, p50, p90, p95, p99, p99.9 and
// maximum; 0 stands for one that is not known.
func times(count int64, mean, p50, p90, p95, p99, p999, longest time.Duration) report.Distribution {
	known := func(d time.Duration) *time.Duration {
		if d == 0 {
			return nil
		}
		return &d
	}
	return report.Distribution{
		Count: count, Mean: known(mean), P50: known(p50), P90: known(p90), P95: known(p95), P99: known(p99), P999: known(p999), Max: known(longest),
	}
}

// limit returns a verdict with its short line, what it rests on and its detail.
func limit(v verdict.Verdict, summary, basis, detail string) report.LimitResult {
	return report.LimitResult{Verdict: v, Summary: summary, Basis: basis, Reason: "REASON", Detail: detail}
}

// recorded returns a record of times that spread from 1 to 9 ms and a few outliers.
func recorded() *record.Record {
	r := record.New(false, nil)
	for i := range time.Duration(1000) {
		took := ms + i*i*8
		if i%100 == 99 {
			took = 5 * i * 20 * us
		}
		r.Add(&record.Sample{N: int64(i), Due: i * ms, Sent: i * ms, Done: i*ms + took, Result: record.Result{Status: 200}})
	}
	return r
}

// success is a closed run of 1000 requests without failures.
func success() *report.Document {
	return &report.Document{
		Kind: report.Run,
		Config: report.Config{
			Target: "https://example.com/api", Method: "GET", Workload: "closed", Requests: 1000, Concurrency: 50,
		},
		Arm: report.Arm{
			RunID:        "3f2a9c",
			Elapsed:      2340 * ms,
			Requests:     report.Requests{Due: 1000, Sent: 1000, Completed: 1000, Succeeded: 1000},
			Rate:         report.Rate{Achieved: 427.35, Throughput: 427.35, Goodput: 427.35},
			Bytes:        record.Octets{Sent: 120_000, Received: 255_000, Body: 13_000},
			StatusCodes:  map[string]int64{"200": 1000},
			ResponseTime: times(1000, 6810*us, 4200*us, 12100*us, 12100*us, 45300*us, 45300*us, 102700*us),
			Record:       recorded(),
		},
		Generator: report.Generator{Processors: 2, PeakInFlight: 50, ConnectionsOpened: 50},
	}
}

// mixed is a closed run in which some responses were 503.
func mixed() *report.Document {
	d := success()
	d.Requests = report.Requests{Due: 1000, Sent: 1000, Completed: 1000, Succeeded: 985, Failed: 15}
	d.Rate.Goodput = 420.94
	d.StatusCodes = map[string]int64{"200": 985, "503": 15}
	d.ResponseTime.Count = 985
	d.FailedTime = times(15, 212*us, 85*us, 85*us, 0, 0, 0, 2*ms)
	return d
}

// judgedRun is mixed with a limit of each verdict, one of them not judged.
func judgedRun() *report.Document {
	d := mixed()
	d.Verdict = verdict.Fail
	d.Limits = []report.LimitResult{
		limit(verdict.Pass, "p50 4.2ms among the succeeded, want <= 50ms", "n=1,000; 15 counted as missed", "not shown"),
		limit(verdict.Fail, "errors 1.5%, want <= 0%", "15 of 1,000: status 503 15", ""),
		limit(verdict.Inconclusive, "p99.9 without bound, want <= 1s", "needs 30,000 requests to judge, has 1,000: about 1m8s more; n=1,000; 15 counted as missed", ""),
		limit(verdict.NotJudged, "max 102.7ms, want <= 100ms", "not judged: the race detector is on", ""),
	}
	return d
}

// timeouts is a run on a server that never answers.
func timeouts() *report.Document {
	d := success()
	d.Config.Requests, d.Config.Concurrency = 20, 5
	d.Elapsed = 40 * time.Second
	d.Requests = report.Requests{Due: 20, Sent: 20, Failed: 20}
	d.Rate = report.Rate{Achieved: 0.5}
	d.StatusCodes = nil
	d.Errors = []report.ErrorCount{{Kind: "timeout", Count: 20, First: "no response within 10s"}}
	d.ResponseTime = report.Distribution{}
	d.FailedTime = times(20, 10*time.Second, 10*time.Second, 10*time.Second, 10*time.Second, 0, 0, 10*time.Second)
	d.Verdict = verdict.Fail
	d.Limits = []report.LimitResult{
		limit(verdict.Inconclusive, "p50 unknown, want <= 50ms", "needs 60 requests to judge, has 20: about 1m20s more; n=20; 20 counted as missed", ""),
		limit(verdict.Fail, "errors 100%, want <= 0%", "20 of 20: timeout 20; first: no response within 10s", ""),
	}
	return d
}

// interruptedRun is a run that a signal ended early, with little to show.
func interruptedRun() *report.Document {
	d := success()
	d.Interrupted = true
	d.Elapsed = 1200 * ms
	d.Requests = report.Requests{Due: 312, Sent: 312, Completed: 60, Succeeded: 60, Failed: 2, Unfinished: 250}
	d.Rate = report.Rate{Achieved: 260, Throughput: 50, Goodput: 50}
	d.StatusCodes = map[string]int64{"200": 60}
	d.Errors = []report.ErrorCount{{Kind: "reset", Count: 2, First: "read tcp 127.0.0.1:51034->127.0.0.1:80: read: connection reset by peer"}}
	d.ResponseTime = times(60, 958*ms, 850*us, 1500*ms, 1500*ms, 0, 0, 1500*ms)
	d.FailedTime = times(2, 900*ms, 900*ms, 0, 0, 0, 0, 900*ms)
	return d
}

// staged is a run on a schedule in stages, stopped before its end.
func staged() *report.Document {
	d := success()
	c := &d.Config
	c.Workload, c.Arrivals, c.Seed, c.RatePerSecond = "open", "poisson", 42, 0
	c.Stages = []report.StageConfig{
		{Duration: 10 * time.Second, From: 100, To: 100}, {Duration: 30 * time.Second, From: 100, To: 1000}, {Duration: 5 * time.Second},
	}
	c.Requests, c.Duration = 0, 45*time.Second
	d.Interrupted = true
	return d
}

// open is an open workload on a server that froze from 2 s to 3 s. It has everything
// that a run can have.
func open() *report.Document {
	d := success()
	c := &d.Config
	c.Workload, c.Arrivals, c.RatePerSecond = "open", "constant", 1000
	c.Requests, c.Duration, c.Concurrency, c.Warmup = 0, 5*time.Second, 1000, 2*time.Second
	d.Elapsed = 5 * time.Second
	d.Requests = report.Requests{Due: 5000, Sent: 4996, Completed: 4990, Succeeded: 4988, Failed: 5, Unsent: 4, Unfinished: 3}
	d.Rate = report.Rate{Offered: new(1000.0), Achieved: 999.2, Throughput: 998, Goodput: 997.6}
	d.Bytes = record.Octets{Sent: 600_000, Received: 1_275_000, Body: 65_000, Surplus: 12}
	d.StatusCodes = map[string]int64{"200": 4988, "500": 2}
	d.Errors = []report.ErrorCount{
		{Kind: "truncated", Count: 2, First: "unexpected EOF", Samples: []report.FailedRequest{{ID: "3f2a9c-000000002400", Message: "unexpected EOF"}, {ID: "3f2a9c-000000002401", Message: "unexpected EOF"}}},
		{Kind: "timeout", Count: 1, First: "no response within 10s", Samples: []report.FailedRequest{{ID: "3f2a9c-000000002999", Message: "no response within 10s"}}},
	}
	d.ResponseTime = times(4988, 100613*us, 1122*us, 496900*us, 751*ms, 950800*us, 995900*us, time.Second)
	d.ServiceTime = times(4988, 1436*us, 1007*us, 1158*us, 1179*us, 1196*us, 1199*us, 999980*us)
	d.FailedTime = times(5, 598*ms, 598*ms, 0, 0, 0, 0, 600*ms)
	d.Lateness = times(4996, 44480*time.Nanosecond, 44*us, 64*us, 67*us, 69*us, 69*us, 69*us)
	d.PermitWait = report.Distribution{Count: 4996, Mean: new(time.Duration), P50: new(time.Duration), P90: new(time.Duration),
		P95: new(time.Duration), P99: new(time.Duration), P999: new(time.Duration), Max: new(time.Duration)}
	d.Stalls = []report.Stall{
		{Count: 98, FirstDue: 2000 * ms, LastDue: 2097 * ms, Slowest: report.SlowRequest{ID: "3f2a9c-000000002000", Due: 2000 * ms, ResponseTime: 1000 * ms, ServiceTime: 999 * ms, Status: 200}},
		{Count: 1, FirstDue: 4001 * ms, LastDue: 4001 * ms, Slowest: report.SlowRequest{ID: "3f2a9c-000000004001", Due: 4001 * ms, ResponseTime: 12 * ms, ServiceTime: 11 * ms, Status: 500}},
	}
	d.Warmup = &report.Warmup{Due: 2000, Sent: 2000, Succeeded: 1999, Failed: 1, Duration: 2 * time.Second}
	const frozen, thawed, width = 2 * time.Second, 3 * time.Second, 128 * ms
	for start := time.Duration(0); start < d.Elapsed; start += width {
		i := report.TimeSlice{Start: start, Width: width, Throughput: 1000, Max: new(1200 * us)}
		switch end := start + width; {
		case frozen <= start && end < thawed:
			i.Throughput = 0
		case start < thawed && thawed <= end:
			i.Throughput = 8343.75
		case d.Elapsed < end:
			i.Throughput = 8
		}
		if frozen < start+width && start < thawed {
			i.Max = new(thawed - max(start, frozen))
		}
		d.Intervals = append(d.Intervals, i)
	}
	d.Generator = report.Generator{
		Processors: 2, CPUUse: new(0.0451), CPUPerRequest: new(90200 * time.Nanosecond),
		GCPauseTotal: new(3 * ms), GCPauseMax: new(310 * us), SchedLatencyP99: new(85 * us),
		Readings:  host.Readings{Steal: new(0.002), Throttled: new(0.0), Pressure: new(0.031), ForeignCPU: new(0.07), RunQueue: new(0.01)},
		HiccupP99: new(1100 * us), PeakInFlight: 901, ConnectionsOpened: 901, PermitsExhausted: 250 * ms,
		SensorsOff: []string{"pressure: proc/pressure/cpu: file does not exist"},
		Warnings: []verdict.Warning{
			{Text: "the generator was late by 3ms at p99 (p50 44µs, max 69ms), which response times include: lower --rate or --stage or give it more CPU"},
			{Text: "something on this machine waited for a processor 15.0% of the time", Minor: true},
		},
	}
	d.Verdict = verdict.Fail
	d.Limits = []report.LimitResult{
		limit(verdict.Inconclusive, "p99 950.8ms among the succeeded, want <= 250ms", "n_eff 2 of 13: about 16s more; at least 1.15ms; n=5,000; 12 counted as missed",
			"n_eff 2 of 5,000, design effect 1374; alpha 0.01 for a fail, 0.05 for a pass"),
		limit(verdict.Pass, "errors 0.24%, want <= 1%", "0.0101 to 0.818%; 12 of 5,000",
			"n_eff 714 of 5,000, design effect 6.16; alpha 0.01 for a fail, 0.05 for a pass"),
		limit(verdict.Inconclusive, "p99.99 without bound, want <= 2s", "needs 300,000 requests to judge, has 5,000: about 4m55s more; n=5,000; 12 counted as missed", ""),
		limit(verdict.Pass, "goodput 998/s, want >= 100/s", "637 to 1532/s; 4,988 succeeded in 5s; open, 1000/s for 5s", "alpha 0.01 for a fail, 0.05 for a pass"),
		limit(verdict.Fail, "max without bound, want <= 500ms", "n=5,000; 12 counted as missed: truncated 2, status 500 2, timeout 1, unsent 4, unfinished 3; first: unexpected EOF; open, 1000/s for 5s", ""),
	}
	return d
}

// compared is a comparison with everything that one can have: head takes more processor
// time, and its allocations differ.
func compared() *report.Document {
	d := open()
	d.Kind, d.Took, d.Intervals, d.Stalls, d.Warmup = report.Comparison, 14200*ms, nil, nil, nil
	d.Config.Duration = 0
	d.Base = &report.Arm{
		Target: "http://127.0.0.1:8080/api", Requests: report.Requests{Due: 6300, Sent: 6300, Completed: 6300, Succeeded: 6300},
		Rate:             report.Rate{Throughput: 999.1},
		StatusCodes:      map[string]int64{"200": 6300},
		ResponseTime:     times(6300, 1397*us, 1100*us, 2*ms, 2*ms, 9*ms, 9*ms, 9*ms),
		AllocsPerRequest: new(12.0), BytesPerRequest: new(1234.0),
	}
	d.Arm = report.Arm{
		Target: "http://127.0.0.1:8081/api", Requests: report.Requests{Due: 6300, Sent: 6299, Completed: 6297, Succeeded: 6296, Failed: 3, Unsent: 1},
		Rate:             report.Rate{Throughput: 998.5},
		StatusCodes:      map[string]int64{"200": 6296, "503": 1},
		Errors:           []report.ErrorCount{{Kind: "truncated", Count: 2, First: "unexpected EOF", Samples: []report.FailedRequest{{ID: "3f2a9c-000000002400", Message: "unexpected EOF"}}}},
		ResponseTime:     times(6296, 1524*us, 1240*us, 2*ms, 2*ms, 10*ms, 10*ms, 10*ms),
		AllocsPerRequest: new(14.5), BytesPerRequest: new(123_456.0),
	}
	d.Pairs = &report.Pairs{Rounds: 21, Alone: 4, AtOnce: 10, Judged: 12, Block: 75 * ms, Guard: 5 * ms, Seed: 4711, Renewed: "servers"}
	d.Claims = []report.ClaimResult{
		counted(verdict.Allocs, 12, 14.5, "a request allocates 14.5 objects, base's 12"),
		claim(verdict.Work, verdict.Fail, 1.05, 1.05, "a request uses 1.12 times base's processor time, want <= 1.05", "99 % interval 1.08 to 1.16; 112µs instead of 100µs"),
		claim(verdict.Quick, verdict.Pass, 1.05, 1.05, "an undisturbed request takes 1.01 times as long, want <= 1.05", "99 % interval 1.00 to 1.02 of 42 readings"),
		claim(verdict.Burst, verdict.Inconclusive, 1.05, 1.26, "10 at once take 1.11 times as long, want surely <= 1.26", "99 % interval 1.01 to 1.20 of 42 readings: 42 readings do not tell"),
		claim(verdict.Locks, verdict.NotJudged, 1.05, 0, "waiting for locks makes a request take 1.003 times as long, want <= 1.05", ""),
	}
	d.Ratios = []report.RatioResult{{
		Quantile: "p50", Base: new(1100 * us), Head: new(1240 * us), Pairs: 12, Summary: "p50 1.03 times base's (0.81 to 1.34): this machine tells no more",
		Basis: "99 % interval of 12 pairs", Reason: "REASON", Detail: "signed-rank of 12 pairs: above the tolerance p=0.2 (fail at 0.0014)",
	}}
	d.Limits = []report.LimitResult{limit(verdict.Fail, "head: errors 0.0635%, want <= 0%", "4 of 6,300: truncated 2, status 503 1, unsent 1", "")}
	d.Verdict = verdict.Fail
	return d
}

// claim is a claim with an estimate.
func claim(name string, v verdict.Verdict, fail, pass float64, summary, basis string) report.ClaimResult {
	c := report.ClaimResult{
		Claim: name, Verdict: v, FailAbove: &fail, Ratio: new(1.12), Low: new(1.08), High: new(1.16), Confidence: 0.99,
		Base: new(100e3), Head: new(112e3), Readings: 42, Summary: summary, Basis: basis, Reason: "REASON",
		Detail: "signed-rank of 42 readings: above p=1e-09 (fail at 0.00017)",
	}
	if pass > 0 {
		c.PassBelow = &pass
	}
	return c
}

// counted is a claim that is not judged.
func counted(name string, base, head float64, summary string) report.ClaimResult {
	return report.ClaimResult{Claim: name, Base: &base, Head: &head, Readings: 1, Exact: true, Summary: summary}
}

// equal is a comparison of equal targets.
func equal() *report.Document {
	d := repeated()
	d.Verdict, d.Repeat = verdict.Pass, nil
	d.Claims = []report.ClaimResult{
		counted(verdict.Allocs, 12, 12, "a request allocates 12 objects, as base's does"),
		claim(verdict.Work, verdict.Pass, 1.05, 1.05, "a request uses 1.002 times base's processor time, want <= 1.05", "99 % interval 0.98 to 1.02 of 42 readings"),
		claim(verdict.Burst, verdict.Pass, 1.05, 1.26, "10 at once take 1.01 times as long, surely <= 1.26", "99 % interval 0.93 to 1.09 of 14 readings"),
		claim(verdict.Locks, verdict.NotJudged, 1.05, 0, "waiting for locks makes a request take 1.003 times as long, want <= 1.05", ""),
	}
	d.Limits = []report.LimitResult{limit(verdict.Pass, "head: errors 0%, want <= 0%", "0 of 6,300", "")}
	return d
}

// repeated is a comparison whose fail was not confirmed.
func repeated() *report.Document {
	d, again := compared(), compared()
	d.Config.Workload, d.Config.Concurrency, d.Config.Warmup = "closed", 10, 0
	d.Base.AllocsPerRequest, d.Base.BytesPerRequest = nil, nil
	d.Arm = *d.Base
	d.Target = "http://127.0.0.1:8081/api"
	d.Generator, d.Verdict = report.Generator{}, verdict.Inconclusive
	d.Limits, again.Limits = nil, nil
	d.Pairs.Renewed = "connections"
	d.Claims[1].Verdict, d.Claims[1].Basis = verdict.Inconclusive, "a second run, with fresh connections, did not fail; 99 % interval 1.08 to 1.16; 112µs instead of 100µs"
	again.Claims, again.Ratios, again.Verdict = again.Claims[1:2], nil, verdict.Pass
	again.Claims[0].Verdict, again.Claims[0].Summary = verdict.Pass, "a request uses 1.01 times base's processor time, want <= 1.05"
	d.Repeat = again
	return d
}

// searched is a search that the target stopped, with one unlucky trial.
func searched() *report.Document {
	d := open()
	d.Kind, d.Took, d.Limits, d.Verdict = report.Search, 61*time.Second, nil, verdict.Pass
	d.Config.RatePerSecond, d.Config.Duration, d.Config.Warmup = 100, 0, 0
	trial := func(purpose string, rate float64, p50, p99 time.Duration, reason string) report.Trial {
		due := int64(rate)
		return report.Trial{
			Rate: rate, Duration: time.Second, Purpose: purpose, Due: due, Sent: due, Succeeded: due,
			P50: &p50, P99: &p99, Held: reason == "", Reason: reason,
		}
	}
	const missed = "p99 response time 120ms, want <= 50ms"
	d.Found = &report.Found{
		Limits: []string{"p99<=50ms", "errors<=0.1%"}, Low: new(420.4), High: new(470.9), StoppedBy: "target",
		Reason: "the limits held at 420/s and not at 471/s",
		Trials: []report.Trial{
			trial("control", 100, 1100*us, 2*ms, ""),
			trial("control", 100, 1200*us, 120*ms, missed),
			trial("control", 100, 1300*us, 3*ms, ""),
			{Rate: 37.5, Duration: time.Second, Purpose: "control", Due: 38, Sent: 38, Succeeded: 38, P50: new(ms), Held: true},
			trial("search", 800, 90*ms, 300*ms, missed),
			trial("search", 420.4, 2*ms, 41*ms, ""),
			trial("verify", 420.4, 3*ms, 45*ms, ""),
			trial("verify", 470.9, 5*ms, 120*ms, missed),
		},
	}
	return d
}

// interruptedSearch is a search that a signal ended early.
func interruptedSearch() *report.Document {
	d := searched()
	d.Interrupted, d.Verdict, d.Took, d.Generator = true, verdict.Inconclusive, 4200*ms, report.Generator{}
	f := d.Found
	f.Trials, f.Low, f.High, f.StoppedBy = f.Trials[:4], new(100.0), nil, "interrupt"
	f.Reason = "interrupted: the limits held in 2 of 3 trials at 100/s"
	return d
}
