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

	baseDue, headDue int64  // requests in all pairs that count
	guilty, doubtful string // which slow requests made a fail or kept a pass back; "" if none did
}

// comparisonAlpha is how often equal targets fail at most, whatever the number of
// tolerances, and how often targets that differ by more than a tolerance pass at
// most.
const comparisonAlpha = 0.01

// JudgeComparison gives each tolerance its verdict at a look with a share of the
// error.
func JudgeComparison(pairs []Pair, tolerances []Tolerance, share float64) []PairsFinding {
	var all []PairsFinding
	for _, t := range tolerances {
		fail := comparisonAlpha * share / float64(len(tolerances))
		r := JudgePairs(pairs, t, fail, comparisonAlpha*share)
		if r.Verdict == Pass && math.IsInf(r.Base, 1) {
			r.Verdict = Inconclusive // what head is compared with has to be right
		}
		all = append(all, r)
	}
	return all
}

// Clear reports whether no more pairs are needed: one tolerance was exceeded, or
// all were kept.
func Clear(ratios []PairsFinding) bool {
	passed := 0
	for _, r := range ratios {
		if r.Verdict == Fail {
			return true
		}
		if r.Verdict == Pass {
			passed++
		}
	}
	return passed == len(ratios)
}

// JudgePairs judges head against base at one quantile, from pairs in the order
// they were measured in. Each pair gives the ratio of its two block quantiles,
// a missed request counting as slower than any time.
//
// It is a fail if Wilcoxon's signed-rank test finds the ratios above the
// tolerance, and a pass if it finds them below. From p95 on half of fail is
// spent on a count of slow requests ([excesses]), which sees stalls that are
// too rare to move most blocks; a pass needs that count not to point to head.
// A pass also needs base to be as fast after head as after itself.
//
// fail and pass are the chances of a false one that this look may take, those
// of the whole comparison times the look's share. A comparison at several
// quantiles fails if one of them does, so its caller divides fail by how many
// there are; it passes if all of them do, so pass stays whole.
func JudgePairs(pairs []Pair, t Tolerance, fail, pass float64) PairsFinding {
	return judgePairs(pairs, Claim{Q: t.Q, Fail: t.Ratio, Pass: t.Ratio}, fail, pass)
}

// judgePairs judges pairs by the two ratios of a claim; a guard cannot pass.
func judgePairs(pairs []Pair, claim Claim, fail, pass float64) PairsFinding {
	t := Tolerance{Q: claim.Q, Ratio: claim.Fail}
	r := PairsFinding{Tolerance: t, Confidence: ratioConfidence, Verdict: Inconclusive}
	c := compare(pairs, t)
	r.Pairs = len(c.logs)
	r.LeftOut = len(pairs) - r.Pairs
	if len(c.pairs) > 0 {
		base, head := poolBlocks(c.pairs)
		r.Base, r.Head = base.quantile(t.Q), head.quantile(t.Q)
		r.BlockLevel = !stat.Enough(t.Q, base.due()/int64(len(c.pairs)))
		r.baseDue, r.headDue = base.due(), head.due()
		c.excesses = excesses(c.pairs, base, head, t)
		if c.doubts = c.excesses; claim.Pass != claim.Fail {
			c.doubts = excesses(c.pairs, base, head, Tolerance{claim.Q, claim.Pass})
		}
	}
	if r.Pairs < LeastPairs {
		r.Reason = r.tooFew()
		r.Summary, r.Basis = r.Name()+" not compared with base", strings.TrimPrefix(r.Reason, r.Name()+": ")
		return r
	}
	point, low, high := stat.HodgesLehmann(c.logs, ratioConfidence)
	r.Estimate, r.Low, r.High = math.Exp(point), math.Exp(low), math.Exp(high)
	c.judge(&r, claim, fail, pass)
	return r
}

// A comparison is what pairs say about one tolerance.
type comparison struct {
	pairs    []Pair    // with requests in both blocks
	logs     []float64 // of those that can be compared: ln of head's quantile over base's
	excesses []excess  // beyond what fails; none below p95
	doubts   []excess  // beyond what passes

	// The logs of pairs that began with base, by whose block was before.
	afterBase, afterHead []float64
}

// compare takes from the pairs what their ratios are judged by.
func compare(pairs []Pair, t Tolerance) *comparison {
	c := &comparison{}
	for i, p := range pairs {
		if !p.counts() {
			continue
		}
		c.pairs = append(c.pairs, p)
		base, head := p.Base.quantile(t.Q), p.Head.quantile(t.Q)
		if math.IsInf(base, 1) && math.IsInf(head, 1) {
			continue // it says nothing about their ratio
		}
		log := math.Log(head) - math.Log(base)
		c.logs = append(c.logs, log)
		switch {
		case i == 0 || p.HeadFirst:
		case pairs[i-1].HeadFirst:
			c.afterBase = append(c.afterBase, log)
		default:
			c.afterHead = append(c.afterHead, log)
		}
	}
	return c
}

// judge fills in the verdict and why.
func (c *comparison) judge(r *PairsFinding, claim Claim, fail, pass float64) {
	over := shifted(c.logs, claim.Fail, 1)
	under := shifted(c.logs, claim.Pass, -1)
	ranks, counts := fail, 0.0
	if len(c.excesses) > 0 {
		ranks = fail / 2
		counts = fail / 2 / float64(len(c.excesses))
	}
	slow, quick := stat.SignedRank(over), stat.SignedRank(under)
	r.Detail = c.detail(r, over, slow, ranks, quick, pass, counts)

	guilty, found := firstBelow(c.excesses, counts)
	suspect, doubted := firstBelow(c.doubts, doubt)
	times, carried := carryOver(c.afterBase, c.afterHead, r.Ratio)
	switch {
	case slow <= ranks:
		r.Verdict = Fail
		r.explain("")
	case found:
		r.Verdict = Fail
		r.guilty = r.text(guilty)
		r.explain(", but " + r.guilty)
	case claim.guard() || quick > pass:
		r.explain(r.lacking())
	case doubted:
		r.doubtful = r.text(suspect)
		r.explain(", but " + r.doubtful + ": a longer budget would tell")
	case carried:
		r.explain(r.carried(times))
	default:
		r.Verdict = Pass
		r.explain("")
	}
}

const (
	// leastCarried is how many pairs of either kind it takes to look for what
	// head leaves behind.
	leastCarried = 10

	// carriedChance is the probability, by chance alone, below which a
	// difference is reported.
	carriedChance = 0.01
)

// carryOver looks for what head leaves behind for base, which would hide part of
// their difference. afterBase and afterHead are logarithms of
// the ratio in pairs that began with base, by whose block came right before:
// both hold base, then head, and differ in that alone. It returns by how many
// times base is slower after head, and whether that is known and more than
// half of the tolerance.
//
// Note: comparing base's own times would let a noisy machine, on which they vary
// several times over, hide the effect or imitate it; the ratio to the block
// beside it does not vary with the machine. For the same reason a difference that
// could well be chance (above 1 % by Mann and Whitney's test) is not reported.
func carryOver(afterBase, afterHead []float64, tolerance float64) (times float64, found bool) {
	if min(len(afterBase), len(afterHead)) < leastCarried {
		return 0, false
	}
	shift := stat.Median(afterBase) - stat.Median(afterHead)
	found = stat.MannWhitney(afterBase, afterHead) < carriedChance && math.Abs(shift) > math.Log(tolerance)/2
	return math.Exp(shift), found
}
