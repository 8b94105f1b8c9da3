package loadtestkit

import (
	"math"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
)

// CapacityOptions describe a search for the highest rate at which limits hold.
type CapacityOptions struct {
	Target Target // required

	// The limits that have to hold at a rate; see [Limits]. A time of 0 means no
	// limit, an ErrorRatio of 0 that no request may fail.
	P50, P90, P95, P99, P999, Max time.Duration
	ErrorRatio                    float64

	Start float64 // rate of the first trial, arrivals per second; 0 means 100, or Most if that is less
	Most  float64 // no rate above it is tried; 0 means no bound

	Poisson        bool          // as in Open
	Seed           uint64        // as in Open
	Concurrency    int           // as in Open
	Timeout        time.Duration // as in Options
	Budget         time.Duration // longest time for the search; 0 means 150s
	OnInconclusive Verdict       // as in Options
}

// A Capacity is the result of [FindCapacity]. Its Report is of the requests of
// all trials; its Verdict is Passed if both Low and High were verified, else
// Inconclusive.
type Capacity struct {
	Report
	Low       float64 // the limits held at this rate, in arrivals per second; 0 if no such rate was found
	High      float64 // and did not hold at this one; +Inf if no such rate was found
	StoppedBy string  // what keeps the rate from being higher: "target", "generator" or "host"; or why the search ended: "most", "budget" or "interrupt"
	Reason    string  // one line
}

// FindCapacity searches for the highest arrival rate at which the limits in opts
// hold: short trials, repeated until they agree, at rates that double from
// opts.Start and then close in, and both ends verified. A trial ends as soon as its
// outcome is clear. A search takes about 25 s on a quiet machine, at most opts.Budget.
//
// High is 12 % above Low where that is clear, and up to twice Low where trials
// disagree, which Reason says. Trials in which this machine stalled are made again,
// unless the target runs in this process, where it may be the cause.
//
// It never fails t for a rate that is low: to demand one, compare the result, or
// better give the rate to [Run] as the Load, with Limits.Kept, which offers it and
// judges it once. If every request fails, the search is given up and t has failed.
// If it is inconclusive, it does what opts.OnInconclusive says.
func FindCapacity(t testing.TB, opts CapacityOptions) Capacity {
	mustBe(t, "FindCapacity")
	t.Helper()
	mustFit(t, "FindCapacity")
	p, err := opts.plan()
	d := carryOut(newTest(t), p, err, opts.OnInconclusive, nil)
	return Capacity{
		Report:    newReport(d),
		Low:       known(d.Found.Low, 0),
		High:      known(d.Found.High, math.Inf(1)),
		StoppedBy: d.Found.StoppedBy,
		Reason:    d.Found.Reason,
	}
}

// plan checks o.
func (o CapacityOptions) plan() (engine.Plan, error) {
	var f faults
	s, _ := settings(nil, o.OnInconclusive, &f)
	s.Load = engine.Load{Rate: o.Start, Poisson: o.Poisson, Seed: o.Seed, Concurrency: o.Concurrency}
	s.Timeout, s.Budget = o.Timeout, o.Budget
	limits, bad := Limits{
		P50: o.P50, P90: o.P90, P95: o.P95, P99: o.P99, P999: o.P999, Max: o.Max, ErrorRatio: o.ErrorRatio,
	}.list("")
	f = append(f, bad...)
	p, err := engine.NewSearch(engine.SearchOptions{
		Target:   engineTarget(o.Target),
		Settings: s,
		Limits:   limits,
		Most:     o.Most,
	})
	f.join(err)
	return p, f.err("search")
}
