package loadtestkit

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func compareFake(f *fakeTB, opts CompareOptions) (*fakeTB, Comparison) {
	var c Comparison
	f.run(func(t testing.TB) { c = Compare(t, opts) })
	return f, c
}

func TestCompareFindsAHeadThatIsMuchSlower(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f, c := compareFake(&fakeTB{}, CompareOptions{
			Base: taking(time.Millisecond), Head: taking(8 * time.Millisecond), Tolerance: Tolerance{P50: 0.2},
		})
		if why := waive(); why != "" {
			assert.Equal(t, NotJudged, c.Ratios[0].Verdict)
			assert.Contains(t, c.Ratios[0].Reason, "not judged: "+why)
			return
		}
		require.Len(t, f.errors, 1)
		assert.Regexp(t, `^loadtestkit: head is \d.* times base at p50 \(99 % interval .*\), at most 1\.2 allowed; a second run, after a pause: head is `, f.errors[0])
		assert.Equal(t, Failed, c.Verdict)
		assert.Equal(t, Failed, c.Ratios[0].Verdict)
		assert.Greater(t, c.Ratios[0].Low, 1.2)
		assert.InDelta(t, 8, c.Ratios[0].Estimate, 0.1)
		assert.Contains(t, f.output.String(), "Repeat, after a pause:")
	})
}

// A comparison is a report of head, and has one of base.
func TestComparisonHasTheNumbersOfBoth(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f, c := compareFake(&fakeTB{}, CompareOptions{
			Base: taking(2 * time.Millisecond), Head: taking(time.Millisecond), Load: Closed(2), Tolerance: Tolerance{P50: 0.2},
		})
		assert.Empty(t, f.errors)
		head, ok := c.ResponseTime(0.5)
		assert.True(t, ok)
		assert.InDelta(t, time.Millisecond, head, 1e4)
		base, ok := c.Base.ResponseTime(0.5)
		assert.True(t, ok)
		assert.InDelta(t, 2*time.Millisecond, base, 2e4)
		assert.GreaterOrEqual(t, c.Pairs, 12)
		assert.Greater(t, c.Succeeded, c.Base.Succeeded)
		assert.Nil(t, c.Base.Limits)
		assert.Equal(t, NotJudged, c.Base.Verdict)
	})
}

// A request that fails is head's fault at once, and base's a reason to doubt the
// comparison.
func TestCompareJudgesErrors(t *testing.T) {
	failing := Func(func(context.Context) error { time.Sleep(time.Millisecond); return errors.New("no") })
	compare := func(base, head Target) (*fakeTB, Comparison) {
		return compareFake(&fakeTB{}, CompareOptions{
			Base: base, Head: head, Tolerance: Tolerance{P50: 100}, Budget: 2 * time.Second, OnInconclusive: Passed,
		})
	}
	inBubble(t, func(t *testing.T) {
		f, c := compare(taking(time.Millisecond), failing)
		assert.Equal(t, Failed, c.Verdict)
		require.NotEmpty(t, f.errors)
		assert.Contains(t, f.errors[len(f.errors)-1], "error ratio 1, want <= 0")

		f, c = compare(failing, taking(time.Millisecond))
		assert.Equal(t, Inconclusive, c.Verdict)
		assert.Empty(t, f.errors)
		assert.Contains(t, f.logs[len(f.logs)-1], "base: error ratio 1")
	})
}

func TestCompareEqualFunctions(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f, c := compareFake(&fakeTB{}, CompareOptions{
			Base: taking(200 * time.Microsecond), Head: taking(200 * time.Microsecond), Tolerance: Tolerance{P50: 20},
		})
		assert.Empty(t, f.errors)
		assert.Empty(t, f.skips)
		if waive() == "" {
			assert.Equal(t, Passed, c.Verdict)
		}
		assert.Contains(t, f.output.String(), "Go function")
	})
}

// The zero Tolerance is 5 % at the median and 10 % at p99.
func TestCompareByDefaultTolerances(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := compareFake(&fakeTB{}, CompareOptions{Base: taking(time.Millisecond), Head: taking(time.Millisecond), OnInconclusive: Passed})
		require.Len(t, c.Ratios, 2)
		assert.Equal(t, "p50", c.Ratios[0].Quantile)
		assert.InDelta(t, 1.05, c.Ratios[0].Tolerance, 1e-9)
		assert.Equal(t, "p99", c.Ratios[1].Quantile)
		assert.InDelta(t, 1.10, c.Ratios[1].Tolerance, 1e-9)
	})
}

// The end of a test in the midst of a comparison is no mere doubt.
func TestCompareIsInterrupted(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		f, c := compareFake(&fakeTB{ctx: ctx}, CompareOptions{
			Load: Closed(1), Base: taking(time.Millisecond),
			Head: Func(func(context.Context) error {
				time.Sleep(time.Millisecond)
				if calls++; calls == 400 {
					cancel()
				}
				return nil
			}),
		})
		assert.Empty(t, f.skips)
		require.NotEmpty(t, f.errors)
		assert.Regexp(t, `interrupted by the end of the test's context after \d+ pairs of blocks`, f.errors[0])
		assert.True(t, c.Interrupted)
	})
}

// A pause for the control would let a target catch up that cannot keep up.
func TestKeptIsOfferedInOnePiece(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, err := Measure(t.Context(), Options{
			Target: taking(time.Millisecond), Load: Open{Rate: 100}, Limits: Limits{Kept: 0.95}, Budget: 3 * time.Second,
		})
		require.NoError(t, err)
		assert.EqualValues(t, 300, r.Due)
		assert.Equal(t, 3*time.Second, r.data.Config.Duration)
		assert.Equal(t, "goodput>=95", r.Limits[1].Limit)
		assert.InDelta(t, 100, r.Limits[1].Observed, 1)
	})
}

func TestARateThatIsNotKeptFails(t *testing.T) {
	needTimes(t)
	inBubble(t, func(t *testing.T) {
		f, r := runFake(&fakeTB{}, Options{
			Target: taking(100 * time.Millisecond), Load: Open{Rate: 100, Concurrency: 5}, // which 50/s get through
			Limits: Limits{Kept: 0.95, ErrorRatio: 1}, Duration: 20 * time.Second,
		})
		assert.Equal(t, Failed, r.Verdict)
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], "goodput")
	})
}

// A benchmark is made once: nothing is repeated while its time is taken.
func TestBenchRepeatsNothing(t *testing.T) {
	var reports []Report
	result := testing.Benchmark(func(b *testing.B) {
		if b.N == 1 {
			reports = append(reports, Bench(b, BenchOptions{Target: sleeping(0)}))
		}
	})
	require.Len(t, reports, 1)
	assert.Nil(t, reports[0].data.Repeat)
	assert.EqualValues(t, 1, reports[0].Due)
	assert.Positive(t, result.N)
}

func TestBenchFailsIfRequestsFail(t *testing.T) {
	bench := func(errorRatio float64) (failed bool) {
		testing.Benchmark(func(b *testing.B) {
			if b.N == 1 {
				Bench(b, BenchOptions{Target: Func(func(context.Context) error { return errors.New("no") }), ErrorRatio: errorRatio})
				failed = b.Failed()
			}
		})
		return failed
	}
	assert.True(t, bench(0))
	assert.False(t, bench(1))
}

func TestFindCapacityFindsWhatATargetCanTake(t *testing.T) {
	needTimes(t)
	inBubble(t, func(t *testing.T) {
		one := make(chan struct{}, 1) // a call at a time, of 2 ms: 500/s
		f := &fakeTB{}
		var c Capacity
		f.run(func(t testing.TB) {
			c = FindCapacity(t, CapacityOptions{
				Target: Func(func(context.Context) error {
					one <- struct{}{}
					time.Sleep(2 * time.Millisecond)
					<-one
					return nil
				}),
				P99: 10 * time.Millisecond,
			})
		})
		assert.Empty(t, f.errors)
		assert.Empty(t, f.skips)
		assert.Equal(t, Passed, c.Verdict)
		assert.LessOrEqual(t, c.Low, 510.0)
		assert.GreaterOrEqual(t, c.High, 490.0)
		assert.Less(t, c.High/c.Low, 1.2, "%v to %v", c.Low, c.High)
		assert.Equal(t, "target", c.StoppedBy)
		assert.Positive(t, c.Succeeded)
	})
}

func TestFindCapacityIsSkippedWhenUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := &fakeTB{}
		f.run(func(t testing.TB) {
			FindCapacity(t, CapacityOptions{Target: taking(time.Millisecond), P99: time.Minute, Budget: time.Second})
		})
		require.Len(t, f.skips, 1)
		assert.Contains(t, f.skips[0], "loadtestkit: inconclusive: ")
		assert.Contains(t, f.skips[0], "trials are over")

		var c Capacity
		f = &fakeTB{}
		f.run(func(t testing.TB) {
			c = FindCapacity(t, CapacityOptions{Target: taking(time.Millisecond), P99: time.Minute, Most: 200, OnInconclusive: Passed})
		})
		assert.Equal(t, "most", c.StoppedBy)
		assert.Equal(t, math.Inf(1), c.High, "no rate was too high")
		assert.InDelta(t, 200, c.Low, 1e-9)
	})
}
