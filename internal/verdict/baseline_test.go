package verdict

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// runsOf returns runs with these quantiles and nothing to calibrate with.
func runsOf(quantiles ...float64) (runs []BaselineRun) {
	for _, q := range quantiles {
		runs = append(runs, BaselineRun{Value: q})
	}
	return runs
}

// Ten runs with logarithms of mean ln 100 and standard deviation 0.02: five
// times each side of the mean by 0.02*sqrt(9/10).
func tenRuns() []BaselineRun {
	d := math.Exp(0.02 * math.Sqrt(0.9))
	return runsOf(100*d, 100/d, 100*d, 100/d, 100*d, 100/d, 100*d, 100/d, 100*d, 100/d)
}

func TestJudgeBaseline(t *testing.T) {
	// One more run is expected within t(0.99; 9) = 2.821438 times
	// 0.02*sqrt(1.1) = 0.0209762 of the mean, which is a factor of 1.060969,
	// and with 0.95 within 1.833113 times that, 1.039201.
	for _, tc := range []struct {
		now, tolerance float64
		want           Verdict
		reason, why    string
	}{
		{100, 1.05, Pass, "1.00 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06)", "as before"},
		{101.03, 1.05, Pass, "1.01 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06)", "just within 1.05/1.039201"},
		{101.05, 1.05, Inconclusive, "1.01 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06): runs vary too much to rule out more; compare the two in one run to know", "just above"},
		{106, 1.05, Inconclusive, "1.06 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06): that may be chance; compare the two in one run to know", "over the tolerance, within what is expected"},
		{106.09, 1.05, Inconclusive, "1.06 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06): that may be chance; compare the two in one run to know", "still"},
		{106.11, 1.05, Fail, "1.06 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06)", "beyond both"},
		{106.11, 1.2, Pass, "1.06 times the mean of 10 earlier runs, want <= 1.2 (unchanged, it would be 0.94 to 1.06)", "within the tolerance"},
		{50, 1.05, Pass, "0.50 times the mean of 10 earlier runs, want <= 1.05 (unchanged, it would be 0.94 to 1.06)", "faster is never a fail"},
	} {
		r := JudgeBaseline(tenRuns(), BaselineRun{Value: tc.now}, tc.tolerance, 0.01, 0.05)
		assert.Equal(t, tc.want, r.Verdict, tc.why)
		assert.Equal(t, tc.reason, r.Reason, tc.why)
		assert.InEpsilon(t, tc.now/100, r.Ratio, 1e-9, tc.why)
		assert.InDelta(t, 1.060969, r.High, 1e-6, tc.why)
		assert.InDelta(t, 1/1.060969, r.Low, 1e-6, tc.why)
		assert.Equal(t, 10, r.Runs, tc.why)
		assert.Equal(t, -1, r.Calibrator, tc.why)
	}
}

func TestJudgeBaselineNeedsTenRuns(t *testing.T) {
	r := JudgeBaseline(tenRuns()[:9], BaselineRun{Value: 1000}, 1.05, 0.01, 0.05)
	const few = "the baseline has 9 of 10 runs like this one: record 1 more, or compare two targets in one run, which needs none"
	assert.Equal(t, BaselineResult{Verdict: Inconclusive, Runs: 9, Calibrator: -1, Summary: "not compared with the baseline", Basis: few, Reason: few}, r)
	r = JudgeBaseline(nil, BaselineRun{Value: 1000}, 1.05, 0.01, 0.05)
	assert.Equal(t, "the baseline has 0 of 10 runs like this one: record 10 more, or compare two targets in one run, which needs none", r.Reason)
}

func TestJudgeBaselineOfRunsThatNeverVary(t *testing.T) {
	same := slices.Repeat(runsOf(100), 10)
	assert.Equal(t, Pass, JudgeBaseline(same, BaselineRun{Value: 104}, 1.05, 0.01, 0.05).Verdict)
	assert.Equal(t, Fail, JudgeBaseline(same, BaselineRun{Value: 106}, 1.05, 0.01, 0.05).Verdict)
}

func TestJudgeBaselineLooksAtTheLatest(t *testing.T) {
	earlier := append(slices.Repeat(runsOf(10), 30), slices.Repeat(tenRuns(), 2)...)
	r := JudgeBaseline(earlier, BaselineRun{Value: 100}, 1.05, 0.01, 0.05)
	assert.Equal(t, 20, r.Runs)
	assert.InEpsilon(t, 1, r.Ratio, 1e-9)
}

func TestJudgeBaselineChoosesACalibrator(t *testing.T) {
	// The machine is now slow, now fast: what computes follows, what waits does not.
	machine := []float64{1, 1.2, 0.9, 1, 1.3, 1, 0.8, 1.2, 1.1, 1}
	computes, waits := make([]BaselineRun, 10), make([]BaselineRun, 10)
	for i, m := range machine {
		own := tenRuns()[i].Value
		computes[i] = BaselineRun{own * m, []float64{7, 50 * m}}
		waits[i] = BaselineRun{own, []float64{7, 50 * m}}
	}
	slow := BaselineRun{150, []float64{7, 75}}

	r := JudgeBaseline(computes, slow, 1.05, 0.01, 0.05)
	assert.Equal(t, 1, r.Calibrator)
	assert.InEpsilon(t, 1, r.Ratio, 1e-9)
	assert.Equal(t, Pass, r.Verdict)

	r = JudgeBaseline(waits, slow, 1.05, 0.01, 0.05)
	assert.Equal(t, -1, r.Calibrator, "nor the first, which never changes")
	assert.Equal(t, Fail, r.Verdict)

	// Of ten logarithms that vary by 0.02*sqrt(0.9), one that takes part of
	// that away is worth it only from a fifth on.
	for _, part := range []float64{0.15, 0.25} {
		some := tenRuns()
		for i := range some {
			some[i].Calibrators = []float64{math.Pow(some[i].Value/100, part)}
		}
		want := -1
		if part > 0.2 {
			want = 0
		}
		r = JudgeBaseline(some, BaselineRun{100, []float64{1}}, 1.05, 0.01, 0.05)
		assert.Equal(t, want, r.Calibrator, "takes %v away", part)
	}

	unknown := slices.Clone(computes)
	unknown[4].Calibrators = []float64{7, 0}
	assert.Equal(t, -1, JudgeBaseline(unknown, slow, 1.05, 0.01, 0.05).Calibrator, "one run does not know it")
	assert.Equal(t, -1, JudgeBaseline(computes, BaselineRun{150, []float64{7}}, 1.05, 0.01, 0.05).Calibrator, "nor does this")
}

// A run beside which a calibrator was much slower than beside the earlier ones, or
// faster, gets a verdict only if that decides nothing: a neighbour may slow it alone.
func TestJudgeBaselineOfADisturbedRun(t *testing.T) {
	speeds := []float64{1, 1.1, 0.95, 1, 1.08, 1, 0.92, 1.1, 1.05, 1} // half of them within 5 % of the median
	var earlier []BaselineRun
	for i, s := range speeds {
		earlier = append(earlier, BaselineRun{100 * s * (1 + 0.001*float64(i%2)), []float64{50 * s}})
	}
	const doubt = ": but work that never changes took longer or shorter than beside the earlier runs; try again, or compare the two in one run"
	for _, tc := range []struct {
		now, calibrator float64
		want            Verdict
		why             string
	}{
		{115, 57, Pass, "a speed that they saw"},
		{150, 75, Inconclusive, "slower by half, as the calibrator is"},
		{150, 50, Fail, "slower, at the same speed"},
		{102, 75, Inconclusive, "a calibrator that is slow alone makes no pass"},
		{102, 30, Inconclusive, "and a fast one no fail"},
		{150, 30, Fail, "slower either way"},
		{55, 30, Pass, "faster either way"},
	} {
		r := JudgeBaseline(earlier, BaselineRun{tc.now, []float64{tc.calibrator}}, 1.05, 0.01, 0.05)
		assert.Equal(t, 0, r.Calibrator, tc.why)
		assert.Equal(t, tc.want, r.Verdict, "%s: %s", tc.why, r.Reason)
		assert.Equal(t, tc.want == Inconclusive, strings.HasSuffix(r.Reason, doubt), "%s: %s", tc.why, r.Reason)
	}
}

// Earlier runs that were disturbed are left out, as their calibrators tell, unless too
// few remain.
func TestJudgeBaselineLeavesDisturbedRunsOut(t *testing.T) {
	earlier := tenRuns()
	for i := range earlier {
		earlier[i].Calibrators = []float64{0, 50}
	}
	now := BaselineRun{106.9, []float64{0, 50}}
	disturb := func(n int) {
		for i := range n {
			earlier[i] = BaselineRun{130, []float64{0, 80}}
		}
	}
	judge := func() BaselineResult { return JudgeBaseline(earlier, now, 1.05, 0.01, 0.05) }
	assert.Equal(t, Fail, judge().Verdict)
	disturb(3)
	assert.Equal(t, Fail, judge().Verdict, judge().Reason)
	assert.Equal(t, 7, judge().Runs)
	disturb(4)
	assert.Equal(t, 10, judge().Runs)
	assert.Equal(t, Inconclusive, judge().Verdict)
}

func TestJudgeCount(t *testing.T) {
	check := func(earlier []float64, now, allowed float64, want Verdict, summary, basis string) {
		t.Helper()
		r := JudgeCount(earlier, now, allowed)
		assert.Equal(t, want, r.Verdict)
		assert.Equal(t, summary, r.Summary)
		assert.Equal(t, basis, r.Basis)
	}
	check(nil, 12, 1, Inconclusive, "not compared with the baseline", "the baseline has no run that counted it: record one")
	check([]float64{11}, 12, 1, Pass, "12, want <= 12", "counted; at most 11 in the latest 1 earlier run")
	check([]float64{11}, 13, 1, Fail, "13, want <= 12", "counted; at most 11 in the latest 1 earlier run")
	check([]float64{12, 11}, 13, 1, Pass, "13, want <= 13", "counted; at most 12 in the latest 2 earlier runs")
	check(append([]float64{40}, slices.Repeat([]float64{11}, 10)...), 13, 1, Fail, "13, want <= 12", "counted; at most 11 in the latest 10 earlier runs")
}

// A ci is a fleet of hosted machines on which the same test is run over and
// over. The figures are of logarithms. Without more, quantiles vary by 3 % as
// on hosted runners (CodSpeed measured 2.66 % on GitHub's): 2.6 % are the
// machine's, the rest is the program's own.
type ci struct {
	noisy   float64 // ratio of runs with a busy neighbour
	stays   float64 // ratio of neighbours who are still there after a pause
	classes float64 // deviation of the processors' speeds
	waits   bool    // the program under test waits and does not follow the machine
	rng     *rand.Rand
}

// A machine is by how much one is slower: for its processor, by itself today,
// and for its neighbour.
type machine struct{ class, today, neighbour float64 }

func (c *ci) machine() machine {
	m := machine{class: c.classes * c.rng.NormFloat64(), today: 0.026 * c.rng.NormFloat64()}
	if c.rng.Float64() < c.noisy {
		m.neighbour = 0.1 + 0.4*c.rng.Float64()
	}
	return m
}

// later is the same machine after a pause.
func (c *ci) later(m machine) machine {
	next := c.machine()
	next.class = m.class
	if c.rng.Float64() < c.stays {
		next.neighbour = m.neighbour
	}
	return next
}

// run returns a run of a program that takes the given factor of its time.
func (c *ci) run(factor float64, m machine) BaselineRun {
	slower := m.class + m.today + m.neighbour
	calibrator := slower + 0.013*c.rng.NormFloat64()
	if c.waits {
		slower = 0
	}
	// A neighbour does not slow all work alike.
	slower += m.neighbour * 0.2 * c.rng.NormFloat64()
	return BaselineRun{factor * math.Exp(slower+0.015*c.rng.NormFloat64()), []float64{math.Exp(calibrator)}}
}

// fails says how often, of n, a run of a program that got slower by a factor is
// a fail by k earlier ones, and how often it is once more after a pause.
func (c *ci) fails(n, k int, factor float64, calibrated bool) (once, twice float64) {
	run := func(factor float64, m machine) BaselineRun {
		b := c.run(factor, m)
		if !calibrated {
			b.Calibrators = nil
		}
		return b
	}
	for range n {
		var earlier []BaselineRun
		for range k {
			earlier = append(earlier, run(1, c.machine()))
		}
		m := c.machine()
		if JudgeBaseline(earlier, run(factor, m), 1.05, 0.01, 0.05).Verdict != Fail {
			continue
		}
		once += 1 / float64(n)
		if JudgeBaseline(earlier, run(factor, c.later(m)), 1.05, 0.01, 0.05).Verdict == Fail {
			twice += 1 / float64(n)
		}
	}
	return once, twice
}

func TestJudgeBaselineOnHostedMachines(t *testing.T) {
	n, runs := 300, []int{10}
	if os.Getenv("LOADTESTKIT_SIMULATE") == "1" {
		n, runs = 20_000, []int{10, 20}
	}
	// What chance may add to a ratio p of n: three standard errors.
	chance := func(p float64) float64 { return p + 3*math.Sqrt(p*(1-p)/float64(n)) }
	for i, tc := range []struct {
		ci
		name  string
		most  float64 // of unchanged programs that may fail, calibrated and confirmed
		found float64 // of +20 % that must be found so
	}{
		{ci{}, "quiet", 0.003, 0.95},
		{ci{noisy: 0.05}, "5 % noisy", 0.003, 0.9},
		{ci{noisy: 0.05, stays: 0.5}, "half of it stays", 0.008, 0.9},
		{ci{classes: 0.12}, "mixed processors", 0.003, 0.95},
		{ci{waits: true}, "waits", 0.003, 0.95},
	} {
		for _, k := range runs {
			tc.rng = rand.New(rand.NewPCG(81, uint64(100*k+i)))
			plain, _ := tc.fails(n, k, 1, false)
			once, twice := tc.fails(n, k, 1, true)
			_, found := tc.fails(n, k, 1.2, true)
			assert.LessOrEqual(t, twice, chance(tc.most), "%s, %d runs", tc.name, k)
			assert.GreaterOrEqual(t, found, tc.found, "%s, %d runs", tc.name, k)
			if tc.noisy == 0 {
				assert.LessOrEqual(t, plain, chance(0.01), "%s, %d runs", tc.name, k)
				assert.LessOrEqual(t, once, chance(0.01), "%s, %d runs", tc.name, k)
			}
			plain10, _ := tc.fails(n, k, 1.1, false)
			plain20, _ := tc.fails(n, k, 1.2, false)
			once10, found10 := tc.fails(n, k, 1.1, true)
			t.Logf("%-16s k=%d: %% fail of unchanged/+10 %%/+20 %%: uncalibrated %.1f/%.1f/%.1f, calibrated %.2f/%.1f, and confirmed %.2f/%.1f/%.1f",
				tc.name, k, 100*plain, 100*plain10, 100*plain20, 100*once, 100*once10, 100*twice, 100*found10, 100*found)
		}
	}
}

// What a run does is judged in several respects, any of which may fail it: its work and
// a request alone, which vary with the machine and a little of their own, and as guards
// p50 and p99 under load, which vary by tens of percent. There are three calibrators.
func (c *ci) judgesAll(k int, factor float64, calibrated bool) (once, twice Verdict) {
	own := []float64{0.01, 0.01, 0.3, 0.4}
	respects := func(factor float64, m machine) (all []BaselineRun) {
		slower := m.class + m.today + m.neighbour
		calibrators := make([]float64, 3)
		for i := range calibrators {
			// A neighbour may slow one much more than another.
			calibrators[i] = math.Exp(slower + 0.01*c.rng.NormFloat64() + m.neighbour*float64(i)/2)
		}
		if c.waits {
			slower = 0
		}
		slower += m.neighbour * 0.2 * c.rng.NormFloat64()
		for _, own := range own {
			b := BaselineRun{Value: factor * math.Exp(slower+own*c.rng.NormFloat64())}
			if calibrated {
				b.Calibrators = calibrators
			}
			all = append(all, b)
		}
		return all
	}
	earlier := make([][]BaselineRun, len(own))
	for range k {
		for i, b := range respects(1, c.machine()) {
			earlier[i] = append(earlier[i], b)
		}
	}
	s := DefaultStandard.Among(len(own))
	judge := func(m machine) (v Verdict) {
		v = Pass
		for i, now := range respects(factor, m) {
			tolerance := []float64{1.05, 1.05, 1.05, 1.1}[i]
			switch r := JudgeBaseline(earlier[i], now, tolerance, s.Fail, s.Pass); {
			case r.Verdict == Fail:
				return Fail
			case r.Verdict == Inconclusive && i < 2:
				v = Inconclusive
			}
		}
		return v
	}
	m := c.machine()
	if once = judge(m); once != Fail {
		return once, once
	}
	if judge(c.later(m)) == Fail {
		return once, Fail
	}
	return once, Inconclusive
}

func TestJudgeBaselineByClaims(t *testing.T) {
	n := 300
	if os.Getenv("LOADTESTKIT_SIMULATE") == "1" {
		n = 20_000
	}
	chance := func(p float64) float64 { return p + 3*math.Sqrt(p*(1-p)/float64(n)) }
	for i, tc := range []struct {
		ci
		name   string
		once   float64 // of unchanged programs that may fail at first
		twice  float64 // and that may fail again after a pause
		passed float64 // of programs that are slower by a tenth: they must not pass
		found  float64 // of those that must fail twice
	}{
		{ci{}, "quiet", 0.015, 0.003, 0.01, 0.9},
		{ci{noisy: 0.05}, "5 % noisy", 0.025, 0.003, 0.02, 0.7},
		{ci{noisy: 0.05, stays: 0.5}, "half of it stays", 0.025, 0.008, 0.02, 0.7},
		{ci{classes: 0.12}, "mixed processors", 0.015, 0.003, 0.01, 0.85},
		{ci{waits: true}, "waits", 0.015, 0.003, 0.01, 0.95},
	} {
		tc.rng = rand.New(rand.NewPCG(82, uint64(i)))
		count := func(factor float64, calibrated bool) (once, twice, passed float64) {
			for range n {
				a, b := tc.judgesAll(10, factor, calibrated)
				if a == Fail {
					once += 1 / float64(n)
				}
				switch b {
				case Fail:
					twice += 1 / float64(n)
				case Pass:
					passed += 1 / float64(n)
				}
			}
			return once, twice, passed
		}
		once, twice, passed := count(1, true)
		_, found, wrong := count(1.1, true)
		_, plain, _ := count(1.1, false)
		t.Logf("%-16s unchanged: %.2f %% fail once, %.2f %% twice, %.1f %% pass; +10 %%: %.1f %% fail twice, %.2f %% pass; uncalibrated %.1f %% fail",
			tc.name, 100*once, 100*twice, 100*passed, 100*found, 100*wrong, 100*plain)
		assert.LessOrEqual(t, once, chance(tc.once), tc.name)
		assert.LessOrEqual(t, twice, chance(tc.twice), tc.name)
		assert.LessOrEqual(t, wrong, chance(tc.passed), tc.name)
		assert.GreaterOrEqual(t, found, tc.found, tc.name)
	}
}
