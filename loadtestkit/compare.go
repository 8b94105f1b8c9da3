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

	Tolerance Tolerance // how much slower than base is too slow
	Margin    float64   // for a pass, a time that depends on luck must surely be within this many times the tolerance's ratio; at least 1, the strictest; 0 means 1.2, and 1.8 from P90 on
	Claims    []string  // which to judge, by the names in [Claim], and load; at least one of them has to be able to pass; nil means all

	ErrorRatio     float64       // highest allowed part of each target's requests that did not succeed, in [0, 1]; 0 means that none may fail
	Warmup         time.Duration // of each target, before anything is measured; at least 40ms
	Timeout        time.Duration // as in Options
	Budget         time.Duration // longest time for a verdict, a repeat apart, and up to twice that where requests are slow; 0 means 20s
	Seed           uint64        // of every order and, instead of the load's, of Poisson arrivals; 0 means a random one, which the report names
	OnInconclusive Verdict       // as in Options
}

// A Comparison is the result of [Compare]. Its Report is head's, except that
// Verdict is of claims, ratios and limits together.
type Comparison struct {
	Report
	Base   Report  // without verdicts
	Claims []Claim // what was asked of head, each with its verdict
	Ratios []Ratio // of times under sustained load, one for each quantile of Tolerance, not judged in a comparison that fails before
	Pairs  int     // how many pairs of blocks of sustained load the Ratios are from

	// What one request allocates in this process, net/http's part included; 0 for
	// a target elsewhere. It is counted first, while the process has one processor,
	// as with [testing.AllocsPerRun].
	BaseAllocs, HeadAllocs float64
}

// A Claim says that in one respect head takes at most so many times what base takes.
// Its Name is one of these:
//
//	work    the processor time of a request, the client's part included
//	quick   an undisturbed request, alone: the quickest of some
//	alone   the typical request, alone: the median of some
//	burst   as many requests at once as the load has in flight, until the last is done
//	tail    a quantile from P90 on, of all of these
//	locks   how long requests wait for mutexes in this process
//	allocs  how many objects a request allocates in this process
//	bytes   how many octets
//
// work is not judged where the processor time of the server is not known, as on another
// machine or of another user. allocs and bytes are counted, and judged if Tolerance
// has them. locks can fail and need not pass, as can sustained load, which
// [CompareOptions].Claims calls load: see [Ratio]. Unless they were asked for, work
// need not pass of targets that mostly wait, nor tail, quick and alone where requests
// are too slow for the budget; Reason says so.
type Claim struct {
	Name      string
	Quantile  string  // of tail, such as "p99"; else ""
	Statement string  // what a pass says, in words
	Estimate  float64 // what head takes over what base takes; NaN if it is not known, has no bound or was counted
	Low, High float64 // its 99 % confidence interval: 0 and +Inf where it has no bound
	FailAbove float64 // it fails if head surely takes more than this many times what base takes, or allocates this much more; 0 if it is not judged
	PassBelow float64 // it passes if head surely takes at most this many times what base takes; 0 if it need not pass, or was counted
	Base      float64 // what base takes: ns, objects or octets; NaN if it is not known
	Head      float64
	Verdict   Verdict // NotJudged of one that need not pass and did not fail
	Reason    string  // one line
}

// A Ratio is how many times slower head was than base at one quantile under sustained
// load. It fails if that is surely more than Tolerance, and does not pass: few machines
// can tell a small difference there. [Claim]s are what passes.
type Ratio struct {
	Quantile  string  // such as "p50"
	Tolerance float64 // the ratio above which it fails, such as 1.05
	Estimate  float64 // NaN if it is not known or has no bound
	Low, High float64 // its 99 % confidence interval: 0 and +Inf where it has no bound
	Verdict   Verdict // Failed, or Inconclusive if a fail was not repeated, else NotJudged
	Reason    string  // one line
}

// Compare measures head against base in one run and fails t if head is slower by
// more than opts.Tolerance. It sends few requests at a time to one target and then to
// the other, in an order drawn at random, so that whatever else the machine does
// happens to both: first one at a time, and some at once; at the end it puts both
// under opts.Load for some seconds. That gives the readings for a few [Claim]s.
//
// A claim fails if head surely takes more than the tolerance allows. The fail is
// repeated at once with fresh servers, or of two URLs with fresh connections, and
// counts if it comes again: two targets that are equal fail in far fewer than one in
// a hundred comparisons, however noisy the machine. A claim passes if head surely takes
// no more: work and quick within the tolerance, the others, which depend on luck,
// within opts.Margin times that. A claim of which neither is sure by opts.Budget is
// inconclusive. Head passes if every claim does that can.
//
// A pass says what its claims say, and no more. It does not see leaks and other drifts,
// as it takes seconds; waits on fewer than 1 % of the requests; and, under sustained
// load, a head that is slower by less than the machine can tell, if no single request
// and no burst is.
//
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
	of := newTest(t)
	return newComparison(carryOut(of, p, err, opts.OnInconclusive, logFound(of)))
}

// logFound logs what a comparison knows for certain as soon as it does.
func logFound(t test) engine.Watch {
	logged := ""
	return func(p engine.Progress) {
		if p.Found != "" && p.Found != logged {
			logged = p.Found
			t.Logf("loadtestkit: %s", p.Found)
		}
	}
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
		CPU:        o.Tolerance.cpu(),
		Allocs:     o.Tolerance.Allocs,
		Bytes:      o.Tolerance.Bytes,
		Margin:     o.Margin,
		Claims:     o.Claims,
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
	base.Base, base.Pairs, base.Claims, base.Ratios, base.Limits, base.Verdict, base.Repeat = nil, nil, nil, nil, nil, 0, nil
	c.Base = newReport(&base)
	for _, r := range d.Claims {
		c.Claims = append(c.Claims, Claim{
			Name: r.Claim, Quantile: r.Quantile, Statement: r.Statement,
			Estimate: known(r.Ratio, math.NaN()), Low: known(r.Low, 0), High: known(r.High, math.Inf(1)),
			FailAbove: known(r.FailAbove, 0), PassBelow: known(r.PassBelow, 0),
			Base: known(r.Base, math.NaN()), Head: known(r.Head, math.NaN()),
			Verdict: Verdict(r.Verdict), Reason: r.Reason,
		})
	}
	for _, r := range d.Ratios {
		c.Ratios = append(c.Ratios, Ratio{
			Quantile: r.Quantile, Tolerance: r.Tolerance,
			Estimate: known(r.Ratio, math.NaN()), Low: known(r.Low, 0), High: known(r.High, math.Inf(1)),
			Verdict: Verdict(r.Verdict), Reason: r.Reason,
		})
	}
	return c
}
