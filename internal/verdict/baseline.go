package verdict

import (
	"fmt"
	"math"

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

// A BaselineRun is what one run measured of one quantile.
type BaselineRun struct {
	Quantile float64 // of the response time, ns

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
	Reason     string  // both in one line; the quantile's name may stand before it
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
// of the machine, one that waits does not.
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
	mean, deviation := spread(earlier, -1)
	least := calibratedGain * deviation
	for c := range now.Calibrators {
		if m, d := spread(append(earlier[:k:k], now), c); math.IsNaN(m + d) {
			continue
		}
		if m, d := spread(earlier, c); d < least {
			r.Calibrator, mean, deviation, least = c, m, d, d
		}
	}
	above := now.log(r.Calibrator) - mean
	spreadOf := deviation * math.Sqrt(1+1/float64(k))
	margin := spreadOf * stat.StudentQuantile(1-alphaFail, float64(k-1))
	marginPass := spreadOf * stat.StudentQuantile(1-alphaPass, float64(k-1))
	r.Ratio, r.Low, r.High = math.Exp(above), math.Exp(-margin), math.Exp(margin)
	switch bound := math.Log(tolerance); {
	case above > max(bound, margin):
		r.Verdict = Fail
	case above+marginPass <= bound:
		r.Verdict = Pass
	}
	r.describe(tolerance)
	return r
}

// describe sets the texts.
func (r *BaselineResult) describe(tolerance float64) {
	want := unit.Decimal(tolerance, 0)
	unchanged := fmt.Sprintf("unchanged, it would be %s to %s", ratioText(r.Low), ratioText(r.High))
	doubt := ""
	switch {
	case r.Verdict == Inconclusive && r.Ratio > tolerance:
		doubt = ": that may be chance; compare the two in one run to know"
	case r.Verdict == Inconclusive:
		doubt = ": runs vary too much to rule out more; compare the two in one run to know"
	}
	r.Summary = fmt.Sprintf("%s times the baseline, want <= %s", ratioText(r.Ratio), want)
	r.Basis = fmt.Sprintf("mean of %d earlier runs; %s%s", r.Runs, unchanged, doubt)
	r.Reason = fmt.Sprintf("%s times the mean of %d earlier runs, want <= %s (%s)%s", ratioText(r.Ratio), r.Runs, want, unchanged, doubt)
}

// log is the logarithm of the run's quantile, over calibrator c if c is not -1;
// NaN if that is unknown.
func (b *BaselineRun) log(c int) float64 {
	switch {
	case c < 0:
		return math.Log(b.Quantile)
	case c >= len(b.Calibrators) || b.Calibrators[c] <= 0:
		return math.NaN()
	}
	return math.Log(b.Quantile) - math.Log(b.Calibrators[c])
}

// spread returns the mean and the standard deviation (divided by n-1) of the
// runs' logarithms.
func spread(runs []BaselineRun, c int) (mean, deviation float64) {
	n := float64(len(runs))
	for i := range runs {
		mean += runs[i].log(c) / n
	}
	for i := range runs {
		d := runs[i].log(c) - mean
		deviation += d * d
	}
	return mean, math.Sqrt(deviation / (n - 1))
}

// ratioText writes a ratio with two digits after the point.
func ratioText(f float64) string { return fmt.Sprintf("%.2f", f) }
