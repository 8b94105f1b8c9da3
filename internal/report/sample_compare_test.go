package report

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// compared is a comparison that has everything one can have: head is slower at
// p50, and cannot be told from base at p99.
func compared() *Comparison {
	r := open()
	c := &Comparison{
		Schema: SchemaVersion, Tool: r.Tool, RunID: r.RunID, StartedAt: r.StartedAt,
		Config: r.Config, Elapsed: 14200 * ms,
		Pairs: 90, Block: 75 * ms, Guard: 5 * ms, Seed: 4711,
		Base: Arm{
			Target: "http://127.0.0.1:8080/api", Requests: Requests{Due: 6300, Sent: 6300, Completed: 6300, Succeeded: 6300},
			Rate: Rate{Offered: new(1000.0), Achieved: 1000, Throughput: 999.1, Goodput: 999.1}, StatusCodes: map[string]int64{"200": 6300},
			ResponseTime:     Summarize(times(1100*time.Microsecond, 5000, 2*ms, 1200, 9*ms, 100)),
			AllocsPerRequest: new(12.0), BytesPerRequest: new(1234.0),
		},
		Head: Arm{
			Target: "http://127.0.0.1:8081/api", Requests: Requests{Due: 6300, Sent: 6299, Completed: 6297, Succeeded: 6296, Failed: 3, Unsent: 1},
			Rate: Rate{Offered: new(1000.0), Achieved: 999.8, Throughput: 998.5, Goodput: 998.3}, StatusCodes: map[string]int64{"200": 6296, "503": 1},
			Errors:           []ErrorCount{{"truncated", 2, "unexpected EOF", []Sample{{"3f2a9c-000000002400", "unexpected EOF"}}}},
			ResponseTime:     Summarize(times(1240*time.Microsecond, 5000, 2*ms, 1196, 10*ms, 100)),
			AllocsPerRequest: new(14.5), BytesPerRequest: new(123_456.0),
		},
		Ratios: []Ratio{
			{
				Quantile: "p50", Tolerance: 1.05, Ratio: new(1.123), Low: new(1.08), High: new(1.16), Confidence: 0.99,
				Base: new(1100 * time.Microsecond), Head: new(1240 * time.Microsecond), Pairs: 90, Verdict: verdict.Fail,
				Reason: "head is 1.12 times base at p50 (99 % interval 1.08 to 1.16), at most 1.05 allowed",
				Detail: "signed-rank of 90 pairs: above the tolerance p=1e-09 (fail at 0.0015)",
			},
			{
				Quantile: "p99", Tolerance: 1.1, Ratio: new(1.031), Low: new(0.97), High: new(1.104), Confidence: 0.99, BlockLevel: true,
				Base: new(9 * ms), Head: new(10 * ms), Pairs: 90, Verdict: verdict.Inconclusive,
				Reason: "head is 1.03 times base at p99, by the slowest of each block (99 % interval 0.97 to 1.104), at most 1.1 allowed: 90 pairs do not tell; a longer budget would",
			},
		},
		Verdict:   verdict.Fail,
		Generator: r.Generator,
	}
	c.Config.Duration = 0
	seen := recorded(nil, 6299, r.Elapsed, truncated, truncated, record.Result{Status: 503})
	seen.AddUnsent(0)
	c.Limits, _ = judged(seen, "errors<=0")
	return c
}

// repeated is a comparison whose fail did not come again.
func repeated() *Comparison {
	c, again := compared(), compared()
	c.Config.Workload, c.Config.Concurrency, c.Config.Warmup = "closed", 10, 0
	c.Base.AllocsPerRequest, c.Base.BytesPerRequest = nil, nil
	c.Head = c.Base
	c.Head.Target = "http://127.0.0.1:8081/api"
	c.Limits, again.Limits = nil, nil
	c.Generator, again.Generator = Generator{}, Generator{}
	c.Ratios, again.Ratios = c.Ratios[:1], again.Ratios[:1]
	again.Ratios[0].Ratio, again.Ratios[0].Low, again.Ratios[0].High = new(1.01), new(0.97), new(1.04)
	again.Ratios[0].Verdict, again.Verdict = verdict.Pass, verdict.Pass
	again.Ratios[0].Reason = "head is 1.01 times base at p50 (99 % interval 0.97 to 1.04), at most 1.05 allowed"
	c.Repeat, c.Verdict = again, verdict.Inconclusive
	return c
}

// searched is a search that the target ended, with a trial of bad luck.
func searched() *Capacity {
	r := open()
	trial := func(purpose string, rate float64, p50, p99 time.Duration, reason string) Trial {
		due := int64(rate)
		return Trial{
			Rate: rate, Duration: time.Second, Purpose: purpose, Due: due, Sent: due, Succeeded: due,
			P50: &p50, P99: &p99, Held: reason == "", Reason: reason,
		}
	}
	const missed = "p99 response time 120ms, want <= 50ms"
	c := &Capacity{
		Schema: SchemaVersion, Tool: r.Tool, RunID: r.RunID, StartedAt: r.StartedAt,
		Config: r.Config, Elapsed: 61 * time.Second,
		Limits: []string{"p99<=50ms", "errors<=0.1%"}, Low: new(420.4), High: new(470.9), StoppedBy: "target", Verdict: verdict.Pass,
		Trials: []Trial{
			trial("control", 100, 1100*time.Microsecond, 2*ms, ""),
			trial("control", 100, 1200*time.Microsecond, 120*ms, missed),
			trial("control", 100, 1300*time.Microsecond, 3*ms, ""),
			{Rate: 37.5, Duration: time.Second, Purpose: "control", Due: 38, Sent: 38, Succeeded: 38, P50: new(ms), Held: true},
			trial("search", 800, 90*ms, 300*ms, missed),
			trial("search", 420.4, 2*ms, 41*ms, ""),
			trial("verify", 420.4, 3*ms, 45*ms, ""),
			trial("verify", 470.9, 5*ms, 120*ms, missed),
		},
		Generator: r.Generator,
	}
	c.Config.RatePerSecond, c.Config.Duration, c.Config.Warmup = 100, 0, 0
	c.Reason = "the limits held at 420/s and not at 471/s"
	return c
}

// unfound is a search that a signal ended early.
func unfound() *Capacity {
	c := searched()
	c.Interrupted, c.StoppedBy, c.Verdict = true, "interrupt", verdict.Inconclusive
	c.Trials, c.High, c.Generator = c.Trials[:4], nil, Generator{}
	c.Low, c.Elapsed = new(100.0), 4200*ms
	c.Reason = "interrupted: the limits held in 2 of 3 trials at 100/s"
	return c
}
