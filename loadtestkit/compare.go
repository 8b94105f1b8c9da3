package loadtestkit

import (
	"math"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
)

// CompareOptions describe a comparison of two targets.
type CompareOptions struct {
	Base, Head Target     // head is judged by base; required
	Load       SteadyLoad // of each target in its turns; nil means Closed(10)

	Tolerance      Tolerance     // how much slower than base is too slow
	ErrorRatio     float64       // highest allowed part of each target's requests that did not succeed, in [0, 1]; 0 means that none may fail
	Warmup         time.Duration // of each target, before the first pair; at least 300ms
	Timeout        time.Duration // as in Options
	Budget         time.Duration // longest time for a verdict, a repeat apart; 0 means 20s
	Seed           uint64        // of the order of blocks and, instead of the load's, of Poisson arrivals; 0 means a random one, which the report names
	OnInconclusive Verdict       // as in Options
}

// A Comparison is the result of [Compare]. Its Report is head's, except that
// Verdict is of ratios and limits together.
type Comparison struct {
	Report
	Base   Report  // without verdicts
	Ratios []Ratio // one for each quantile that Tolerance names
	Pairs  int     // of blocks that were compared

	// What one request allocates in this process, net/http's part included; 0 for
	// a target elsewhere. It is counted after the pairs, while the process has one
	// processor, as with [testing.AllocsPerRun].
	BaseAllocs, HeadAllocs float64
}

// A Ratio is how many times slower head was than base at one quantile.
type Ratio struct {
	Quantile  string  // such as "p50"
	Tolerance float64 // the largest ratio that passes, such as 1.05
	Estimate  float64 // NaN if it is not known or has no bound
	Low, High float64 // its 99 % confidence interval: 0 and +Inf where it has no bound
	Verdict   Verdict
	Reason    string // one line
}

// Compare measures head against base in one run, in pairs of short blocks, one of
// each in random order, so that whatever else the machine does meanwhile happens
// to both. It fails t if head is slower than base by more than opts.Tolerance,
// and again in a second run after a pause; two targets that are equal fail in far
// fewer than one in a hundred comparisons, however noisy the machine.
//
// It ends when the verdict is clear, at the latest after opts.Budget and 12 pairs.
// A head whose requests fail more often than opts.ErrorRatio allows fails t; a base
// whose requests do makes the comparison inconclusive, and so do two whose responses
// have different statuses. If every request to one of them fails, the comparison is
// given up and t has failed. An inconclusive verdict does
// what opts.OnInconclusive says.
//
// To hold a target to a multiple of what a reference takes, on any machine, compare
// it with that: Tolerance{P50: 2} allows three times as long.
func Compare(t testing.TB, opts CompareOptions) Comparison {
	mustBe(t, "Compare")
	t.Helper()
	mustFit(t, "Compare")
	p, err := opts.plan()
	return newComparison(carryOut(newTest(t), p, err, opts.OnInconclusive))
}

// plan checks o.
func (o CompareOptions) plan() (engine.Plan, error) {
	var f faults
	s, kind := settings(o.Load, o.OnInconclusive, &f)
	s.Warmup, s.Timeout, s.Budget = o.Warmup, o.Timeout, o.Budget
	s.Confirm = true
	limits, bad := Limits{ErrorRatio: o.ErrorRatio}.list("")
	f = append(f, bad...)
	tolerances, bad := o.Tolerance.list()
	f = append(f, bad...)
	p, err := engine.NewComparison(engine.CompareOptions{
		Base:       engineTarget(o.Base),
		Head:       engineTarget(o.Head),
		Settings:   s,
		Tolerances: tolerances,
		Limits:     limits,
		Order:      o.Seed,
	})
	f.join(err)
	return p, f.err(kind)
}

func newComparison(d *report.Document) Comparison {
	c := Comparison{
		Report:     newReport(d),
		Pairs:      d.Pairs.Judged,
		HeadAllocs: known(d.AllocsPerRequest, 0),
		BaseAllocs: known(d.Base.AllocsPerRequest, 0),
	}
	base := *d
	base.Kind, base.Arm, base.Config.Target = report.Run, *d.Base, d.Base.Target
	base.Base, base.Pairs, base.Ratios, base.Limits, base.Verdict, base.Repeat = nil, nil, nil, nil, 0, nil
	c.Base = newReport(&base)
	for _, r := range d.Ratios {
		c.Ratios = append(c.Ratios, Ratio{
			Quantile: r.Quantile, Tolerance: r.Tolerance,
			Estimate: known(r.Ratio, math.NaN()), Low: known(r.Low, 0), High: known(r.High, math.Inf(1)),
			Verdict: Verdict(r.Verdict), Reason: r.Reason,
		})
	}
	return c
}
