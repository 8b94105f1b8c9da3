package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

const (
	// LeastBaseline is the fewest earlier runs that a run is judged by. In
	// simulations a prediction interval from 10 is narrow enough to be useful,
	// and equal runs are called different as seldom as promised.
	LeastBaseline = 10

	// mostBaseline is the most that are used, the latest: more hardly narrow the
	// interval, and older ones are of other code.
	mostBaseline = 20

	// calibratedGain is the largest part of the deviation, of that without a calibrator
	// or with the one used so far, that a calibrator may leave to be used. Of two
	// deviations of 10 runs of the same kind, one is often smaller by a tenth by chance
	// alone.
	calibratedGain = 0.8

	// A run was disturbed if a calibrator took longer or shorter than it usually does by
	// more than disturbedBy and by more than disturbedDeviations deviations. A neighbour
	// that fills the caches slows the reference work by half for tens of seconds, and a
	// handler that only computes by 5 %: no calibrator then tells what the run would
	// have been without it.
	disturbedBy         = 0.1
	disturbedDeviations = 5

	// leastCalm is the fewest earlier runs that are left when those that were
	// disturbed are left out.
	leastCalm = 7
)

// A BaselineRun is what one run measured in one respect.
type BaselineRun struct {
	Value float64 // a time, ns

	// Calibrators are times, in ns, of work that never changes, measured beside
	// the run: the same work in each run, 0 where unknown. They distinguish a
	// slower machine from slower code. Those that neighbours disturb least come
	// first, and are used unless a later one is better by far.
	Calibrators []float64
}

// A BaselineResult is the verdict on a run, by the runs before it.
type BaselineResult struct {
	Verdict    Verdict
	Runs       int     // earlier runs that were used, those that were disturbed left out
	Calibrator int     // index of the calibrator that was used; -1 if none
	Ratio      float64 // now over the geometric mean of the earlier runs, calibrated
	Low, High  float64 // where the ratio of unchanged code would be
	Summary    string  // for a person: as in "1.82 times the baseline, want <= 1.5"
	Basis      string  // what the verdict rests on
	Reason     string  // both in one line; the name of what was measured may stand before it
}

// JudgeBaseline says whether a run is slower than earlier ones, oldest first,
// by more than the tolerance, a ratio such as 1.05. It fails if the ratio is
// above both the tolerance and what unchanged code exceeds with probability
// alphaFail; it passes if the ratio is below the tolerance by a margin that runs
// exceed with probability alphaPass. Both come from the prediction interval of
// one more value, taking the logarithms as normal. An occasional noisy run makes
// a few percent of false alarms, so a fail should be repeated.
//
// Of the calibrators that all runs have, it uses one that brings the earlier
// runs closer together, if any does: a handler that computes follows the speed
// of the machine, one that waits does not. Earlier runs that were disturbed, as their
// calibrators tell, are left out. If this one was, the verdict has to be the same
// whatever it is calibrated by.
func JudgeBaseline(earlier []BaselineRun, now BaselineRun, tolerance, alphaFail, alphaPass float64) BaselineResult {
	earlier = earlier[max(0, len(earlier)-mostBaseline):]
	k := len(earlier)
	r := BaselineResult{Verdict: Inconclusive, Runs: k, Calibrator: -1}
	if k < LeastBaseline {
		r.Reason = fmt.Sprintf("the baseline has %d of %d runs like this one: record %d more, or compare two targets in one run, which needs none",
			k, LeastBaseline, LeastBaseline-k)
		r.Summary, r.Basis = "not compared with the baseline", r.Reason
		return r
	}
	calm, disturbed := undisturbed(earlier, now)
	p := predict(calm, now, -1)
	all := []prediction{p}
	for c := range now.Calibrators {
		q := predict(calm, now, c)
		if math.IsNaN(q.deviation) {
			continue
		}
		all = append(all, q)
		if q.deviation < calibratedGain*p.deviation {
			r.Calibrator, p = c, q
		}
	}
	bound := math.Log(tolerance)
	r.Verdict = p.verdict(bound, alphaFail, alphaPass)
	doubt := ""
	if disturbed && slices.ContainsFunc(all, func(q prediction) bool { return q.verdict(bound, alphaFail, alphaPass) != r.Verdict }) {
		r.Verdict = Inconclusive
		doubt = ": but work that never changes took longer or shorter than beside the earlier runs; try again, or compare the two in one run"
	}
	margin := p.margin(alphaFail)
	r.Runs = len(calm)
	r.Ratio, r.Low, r.High = math.Exp(p.above), math.Exp(-margin), math.Exp(margin)
	r.describe(tolerance, doubt)
	return r
}

// undisturbed returns the earlier runs beside which every calibrator took as long as it
// usually does, and whether one does not now. It looks at calibrators alone, so it does
// not favour runs that fit. All are returned if fewer than leastCalm are left.
func undisturbed(earlier []BaselineRun, now BaselineRun) (calm []BaselineRun, disturbed bool) {
	calm = slices.Clone(earlier)
	for c := range now.Calibrators {
		usual := usualSpeed(earlier, c)
		calm = slices.DeleteFunc(calm, func(b BaselineRun) bool { return !usual(b) })
		disturbed = disturbed || !usual(now)
	}
	if len(calm) < leastCalm {
		calm = earlier
	}
	return calm, disturbed
}

// usualSpeed returns a function that reports whether calibrator c took about as long
// beside a run as beside most of the earlier ones, or that is not known.
func usualSpeed(earlier []BaselineRun, c int) func(BaselineRun) bool {
	speed := func(b BaselineRun) float64 { return b.log(-1) - b.log(c) }
	var speeds, off []float64
	for _, b := range earlier {
		if s := speed(b); !math.IsNaN(s) {
			speeds = append(speeds, s)
		}
	}
	if len(speeds) == 0 {
		return func(BaselineRun) bool { return true }
	}
	middle := stat.Median(speeds)
	for _, s := range speeds {
		off = append(off, math.Abs(s-middle))
	}
	const normal = 1.4826 // from the median deviation of a normal distribution to the standard deviation
	most := max(disturbedBy, disturbedDeviations*normal*stat.Median(off))
	return func(b BaselineRun) bool { return !(math.Abs(speed(b)-middle) > most) }
}

// A prediction is what earlier runs say about one more, with the same calibrator or
// none: all in logarithms.
type prediction struct {
	runs      float64
	above     float64 // by how much the new run is above the mean of the earlier ones
	deviation float64 // the standard deviation of those
}

// predict compares a run with earlier ones by calibrator c, -1 for none. Its deviation
// is NaN if a run does not know it.
func predict(earlier []BaselineRun, now BaselineRun, c int) (p prediction) {
	var values []float64
	for _, b := range earlier {
		values = append(values, b.log(c))
	}
	p.runs = float64(len(earlier))
	var mean float64
	mean, p.deviation = spread(values)
	p.above = now.log(c) - mean
	if math.IsNaN(p.above) {
		p.deviation = math.NaN()
	}
	return p
}

// margin is what one more run exceeds the mean by with probability alpha.
func (p *prediction) margin(alpha float64) float64 {
	return stat.StudentQuantile(1-alpha, p.runs-1) * p.deviation * math.Sqrt(1+1/p.runs)
}

// verdict judges by a bound in logarithms.
func (p *prediction) verdict(bound, alphaFail, alphaPass float64) Verdict {
	switch {
	case p.above > max(bound, p.margin(alphaFail)):
		return Fail
	case p.above+p.margin(alphaPass) <= bound:
		return Pass
	}
	return Inconclusive
}

// describe sets the texts. doubt is why a verdict is inconclusive, if that is not what
// the ratio tells.
func (r *BaselineResult) describe(tolerance float64, doubt string) {
	want := unit.Decimal(tolerance, 0)
	unchanged := fmt.Sprintf("unchanged, it would be %s to %s", ratioText(r.Low), ratioText(r.High))
	switch {
	case doubt != "":
	case r.Verdict == Inconclusive && r.Ratio > tolerance:
		doubt = ": that may be chance; compare the two in one run to know"
	case r.Verdict == Inconclusive:
		doubt = ": runs vary too much to rule out more; compare the two in one run to know"
	}
	r.Summary = fmt.Sprintf("%s times the baseline, want <= %s", ratioText(r.Ratio), want)
	r.Basis = fmt.Sprintf("mean of %d earlier runs; %s%s", r.Runs, unchanged, doubt)
	r.Reason = fmt.Sprintf("%s times the mean of %d earlier runs, want <= %s (%s)%s", ratioText(r.Ratio), r.Runs, want, unchanged, doubt)
}

// log is the logarithm of the run's value, over calibrator c if c is not -1;
// NaN if that is unknown.
func (b *BaselineRun) log(c int) float64 {
	switch {
	case c < 0:
		return math.Log(b.Value)
	case c >= len(b.Calibrators) || b.Calibrators[c] <= 0:
		return math.NaN()
	}
	return math.Log(b.Value) - math.Log(b.Calibrators[c])
}

// spread returns the mean and the standard deviation (divided by n-1) of x.
func spread(x []float64) (mean, deviation float64) {
	n := float64(len(x))
	for _, v := range x {
		mean += v / n
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / (n - 1))
}

// ratioText writes a ratio with two digits after the point.
func ratioText(f float64) string { return fmt.Sprintf("%.2f", f) }

// JudgeCount says whether a run counted more per request than earlier ones, oldest
// first: more than allowed above the most of the latest [LeastBaseline] of them, so
// that an object that is allocated now and then is not taken for a change. One earlier
// run is enough, as a count is a fact.
func JudgeCount(earlier []float64, now, allowed float64) BaselineResult {
	earlier = earlier[max(0, len(earlier)-LeastBaseline):]
	r := BaselineResult{Verdict: Inconclusive, Runs: len(earlier), Calibrator: -1}
	if r.Runs == 0 {
		r.Summary = "not compared with the baseline"
		r.Basis = "the baseline has no run that counted it: record one"
		r.Reason = r.Basis
		return r
	}
	most := slices.Max(earlier)
	r.Verdict = Pass
	if now > most+allowed {
		r.Verdict = Fail
	}
	count := func(f float64) string { return unit.Count(int64(math.Round(f))) }
	r.Summary = fmt.Sprintf("%s, want <= %s", count(now), count(most+allowed))
	r.Basis = fmt.Sprintf("counted; at most %s in the latest %s", count(most), unit.Plural(int64(r.Runs), "earlier run"))
	r.Reason = r.Summary + " (" + r.Basis + ")"
	return r
}
