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

	// calibratedGain is the largest part of the deviation that a calibrator may
	// leave to be used. Of two deviations of 10 runs of the same kind, one is
	// often smaller by a tenth by chance alone.
	calibratedGain = 0.8
)

// A BaselineRun is what one run measured in one respect.
type BaselineRun struct {
	Value float64 // a time, ns

	// Calibrators are times, in ns, of work that never changes, measured beside
	// the run: the same work in each run, 0 where unknown. They distinguish a
	// slower machine from slower code.
	Calibrators []float64
}

// A BaselineResult is the verdict on a run, by the runs before it.
type BaselineResult struct {
	Verdict    Verdict
	Runs       int     // earlier runs that were used
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
// Of the calibrators that all runs have, it uses the one that brings the earlier
// runs closest together, if any does: a handler that computes follows the speed
// of the machine, one that waits does not. If the machine is now faster or slower
// than the earlier runs have seen, the verdict has to be the same without it: a
// neighbour may slow a calibrator much more than what it stands for.
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
	p := predict(earlier, now, -1)
	steady := p
	least := calibratedGain * p.deviation
	for c := range now.Calibrators {
		if q := predict(earlier, now, c); q.deviation < least {
			r.Calibrator, p, least = c, q, q.deviation
		}
	}
	verdict := func(p prediction) Verdict { return p.verdict(math.Log(tolerance), alphaFail, alphaPass) }
	r.Verdict = verdict(p)
	doubt := ""
	if r.Calibrator >= 0 && !p.calibrated(alphaFail) && verdict(steady) != r.Verdict {
		r.Verdict = Inconclusive
		doubt = ": but the speed of this machine is not one that the earlier runs saw; compare the two in one run to know"
	}
	margin := p.margin(alphaFail)
	r.Ratio, r.Low, r.High = math.Exp(p.above), math.Exp(-margin), math.Exp(margin)
	r.describe(tolerance, doubt)
	return r
}

// A prediction is what earlier runs say about one more, with the same calibrator or
// none: all in logarithms.
type prediction struct {
	runs      float64
	above     float64 // by how much the new run is above the mean of the earlier ones
	deviation float64 // the standard deviation of those
	faster    float64 // by how much its calibrator is above the mean of theirs, or below it
	speeds    float64 // the standard deviation of those
}

// predict compares a run with earlier ones by calibrator c, -1 for none. Its deviation
// is NaN if a run does not know it.
func predict(earlier []BaselineRun, now BaselineRun, c int) (p prediction) {
	var values, speeds []float64
	for _, b := range earlier {
		values, speeds = append(values, b.log(c)), append(speeds, b.log(-1)-b.log(c))
	}
	p.runs = float64(len(earlier))
	var mean, speed float64
	mean, p.deviation = spread(values)
	speed, p.speeds = spread(speeds)
	p.above = now.log(c) - mean
	p.faster = math.Abs(now.log(-1) - now.log(c) - speed)
	if math.IsNaN(p.above) {
		p.deviation = math.NaN()
	}
	return p
}

// margin is what one more run exceeds the mean by with probability alpha.
func (p *prediction) margin(alpha float64) float64 { return p.wide(alpha) * p.deviation }

func (p *prediction) wide(alpha float64) float64 {
	return stat.StudentQuantile(1-alpha, p.runs-1) * math.Sqrt(1+1/p.runs)
}

// calibrated reports whether the machine is as fast as in the earlier runs, as far as
// those tell: of another speed they do not know whether the program follows it.
func (p *prediction) calibrated(alpha float64) bool { return p.faster <= p.wide(alpha)*p.speeds }

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
