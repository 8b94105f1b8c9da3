package verdict

import (
	"math"
	"strings"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// ratioConfidence is that of a ratio's interval.
const ratioConfidence = 0.99

// doubt is the chance below which an excess of slow requests, though too likely
// for a fail, keeps a comparison from passing: it may be head's stalls, so it is
// worth measuring on. In simulated comparisons at p99 with a tolerance of 1.1,
// nine in ten equal targets still pass on a machine that stalls itself, and
// nearly all on a quiet one. There a head whose own stalls of 20 ms make its true
// p99 three times base's passes once in 20 (at 0.05 once in 12), and one with
// half as many stalls once in 5 instead of twice. At 0.5, "no more than base", a
// third of equal targets would not pass where the machine stalls.
const doubt = 0.2

// A PairsFinding is the verdict on head against base at one quantile.
type PairsFinding struct {
	Tolerance
	Verdict Verdict

	// How many times slower head is: the Hodges-Lehmann estimate of the ratio
	// of its block quantiles to base's, and the interval around it. Where
	// requests were missed any of them may be 0 or +Inf. All are 0 if fewer
	// than 12 pairs can be compared.
	Estimate, Low, High float64
	Confidence          float64 // of the interval, in (0, 1)

	Base, Head float64 // the quantile of all that was due, in ns; +Inf if that request was missed
	Pairs      int     // that the verdict is from
	LeftOut    int     // pairs that cannot be compared: none due in a block, or the quantile missed in both
	BlockLevel bool    // blocks have too few requests for this quantile: their slowest are compared
	Summary    string  // for a person: as in "p50 1.12 times base, want <= 1.05"
	Basis      string  // what the verdict rests on
	Reason     string  // both in one line
	Detail     string  // p values and the like, for a statistician
}

// comparisonAlpha is how often equal targets fail at most, and how often targets that
// differ by more than a claim allows pass at most; see [Inquiry].
const comparisonAlpha = 0.01

// A comparison is what pairs say about one claim.
type comparison struct {
	Claim
	all        int       // pairs
	pairs      []Pair    // with requests in both blocks
	logs       []float64 // of those that can be compared: ln of head's quantile over base's
	base, head Block     // all of their requests
	excesses   []excess  // beyond what fails; none below p95
	doubts     []excess  // beyond what passes
}

// compare takes from the pairs what they are judged by.
func compare(pairs []Pair, claim Claim) *comparison {
	c := &comparison{Claim: claim, all: len(pairs)}
	for _, p := range pairs {
		if !p.counts() {
			continue
		}
		c.pairs = append(c.pairs, p)
		base, head := p.Base.quantile(c.Q), p.Head.quantile(c.Q)
		if !math.IsInf(base, 1) || !math.IsInf(head, 1) { // else it says nothing about their ratio
			c.logs = append(c.logs, math.Log(head)-math.Log(base))
		}
	}
	if len(c.pairs) == 0 {
		return c
	}
	c.base, c.head = poolBlocks(c.pairs)
	c.excesses = excesses(c.pairs, c.base, c.head, Tolerance{c.Q, c.Fail})
	switch {
	case c.Pass == c.Fail:
		c.doubts = c.excesses
	case !c.guard():
		c.doubts = excesses(c.pairs, c.base, c.head, Tolerance{c.Q, c.Pass})
	}
	return c
}

// A ruling is the verdict on a comparison and the p values that it is from.
type ruling struct {
	verdict Verdict

	slow, quick         float64 // p values of ranks: above what fails, below what passes
	ranks, counts, pass float64 // the chances that they and counts had to be below

	guilty, suspect excess // slow requests that made a fail, and that kept a pass back
	found, doubted  bool   // whether there are such
}

// judge gives the verdict by the two ratios of the claim. Each pair gives the ratio of
// its two block quantiles, a missed request counting as slower than any time.
//
// It is a fail if Wilcoxon's signed-rank test finds the ratios above the one that
// fails, and a pass if it finds them below the one that passes; a guard has none.
// From p95 on half of fail is spent on a count of slow requests ([excesses]), which
// sees stalls that are too rare to move most blocks; a pass needs that count not to
// point to head.
//
// fail and pass are the chances of a false one that this look may take; see [Inquiry].
func (c *comparison) judge(fail, pass float64) ruling {
	r := ruling{verdict: Inconclusive, ranks: fail, pass: pass}
	if len(c.logs) < LeastPairs {
		return r
	}
	if len(c.excesses) > 0 {
		r.ranks = fail / 2
		r.counts = fail / 2 / float64(len(c.excesses))
	}
	r.slow = stat.SignedRank(shifted(c.logs, c.Fail, 1))
	r.guilty, r.found = firstBelow(c.excesses, r.counts)
	switch {
	case r.slow <= r.ranks:
		r.verdict, r.found = Fail, false
		return r
	case r.found:
		r.verdict = Fail
		return r
	case c.guard():
		return r
	}
	if r.quick = stat.SignedRank(shifted(c.logs, c.Pass, -1)); r.quick > pass {
		return r
	}
	if r.suspect, r.doubted = firstBelow(c.doubts, doubt); !r.doubted {
		r.verdict = Pass
	}
	return r
}

// describe says what was found.
func (c *comparison) describe(d ruling) PairsFinding {
	r := PairsFinding{Tolerance: Tolerance{c.Q, c.Fail}, Confidence: ratioConfidence, Verdict: d.verdict}
	r.Pairs = len(c.logs)
	r.LeftOut = c.all - r.Pairs
	if len(c.pairs) > 0 {
		r.Base, r.Head = c.base.quantile(c.Q), c.head.quantile(c.Q)
		r.BlockLevel = !stat.Enough(c.Q, c.base.due()/int64(len(c.pairs)))
	}
	if r.Pairs < LeastPairs {
		r.Reason = r.tooFew()
		r.Summary, r.Basis = r.Name()+" not compared with base", strings.TrimPrefix(r.Reason, r.Name()+": ")
		return r
	}
	point, low, high := stat.HodgesLehmann(c.logs, ratioConfidence)
	r.Estimate, r.Low, r.High = math.Exp(point), math.Exp(low), math.Exp(high)
	r.Detail = c.detail(d)
	r.explain(c.qualified(d, &r))
	return r
}
