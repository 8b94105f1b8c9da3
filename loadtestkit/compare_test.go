package loadtestkit

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
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
		quick := claimOf(t, c, "quick")
		if why := waive(); why != "" {
			assert.Equal(t, NotJudged, quick.Verdict)
			assert.Contains(t, quick.Reason, "not judged: "+why)
			return
		}
		assert.Equal(t, Failed, c.Verdict)
		assert.Equal(t, Failed, quick.Verdict)
		assert.Equal(t, 1.2, quick.FailAbove)
		assert.Equal(t, 1.2, quick.PassBelow)
		assert.Greater(t, quick.Low, 1.2)
		assert.InDelta(t, 8, quick.Estimate, 0.1)
		assert.InDelta(t, 1e6, quick.Base, 1e4)
		assert.InDelta(t, 8e6, quick.Head, 1e5)
		require.NotEmpty(t, f.errors)
		assert.Regexp(t, `^loadtestkit: quick: an undisturbed request takes \d.* times as long \(99 % interval .*\), want <= 1\.2.*; a second run: `, f.errors[0])
		assert.Contains(t, f.output.String(), "  ✗ quick ")
		assert.Contains(t, f.output.String(), "\nRepeat:", "functions have no servers to renew")
		assert.Contains(t, f.output.String(), "\nNext: ")
	})
}

// claimOf returns the claim with a name.
func claimOf(t *testing.T, c Comparison, name string) Claim {
	t.Helper()
	i := slices.IndexFunc(c.Claims, func(c Claim) bool { return c.Name == name })
	require.GreaterOrEqual(t, i, 0, "%+v", c.Claims)
	return c.Claims[i]
}

// Only the claims that were asked for are judged, by their own tolerances and margin.
func TestCompareChosenClaims(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := compareFake(&fakeTB{}, CompareOptions{
			Base: taking(time.Millisecond), Head: taking(time.Millisecond),
			Tolerance: Tolerance{P50: 0.2, P99: 0.5}, Margin: 2, Claims: []string{"alone", "tail"}, OnInconclusive: Passed,
		})
		require.Len(t, c.Claims, 2)
		assert.Equal(t, 2.4, claimOf(t, c, "alone").PassBelow)
		tail := claimOf(t, c, "tail")
		assert.Equal(t, "p99", tail.Quantile)
		assert.Equal(t, 1.5, tail.FailAbove)
		assert.Equal(t, 3.0, tail.PassBelow)
		assert.Empty(t, c.Ratios, "load was not asked for")
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
		require.Len(t, f.errors, 1, "it says it all")
		assert.Contains(t, f.errors[0], "given up: head: every one of the first")
		assert.Empty(t, f.logs, "advice for how to judge what follows from it")

		f, c = compare(failing, taking(time.Millisecond))
		assert.Equal(t, Inconclusive, c.Verdict)
		assert.Empty(t, f.logs)
		require.Len(t, f.errors, 1, "it answers nothing, and there is no comparison")
		assert.Contains(t, f.errors[0], "given up: base: every one of the first")

		var n atomic.Int64
		f, c = compare(Func(func(context.Context) error {
			time.Sleep(time.Millisecond)
			if n.Add(1)%2 == 0 {
				return errors.New("no")
			}
			return nil
		}), taking(time.Millisecond))
		assert.Equal(t, Inconclusive, c.Verdict)
		assert.Empty(t, f.errors)
		assert.Contains(t, f.logs[len(f.logs)-1], "base: error ratio 0.5")
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
		assert.Equal(t, 1.05, claimOf(t, c, "quick").FailAbove)
		assert.Equal(t, 1.26, claimOf(t, c, "alone").PassBelow)
		assert.Equal(t, 1.26, claimOf(t, c, "burst").PassBelow)
		tail := claimOf(t, c, "tail")
		assert.Equal(t, 1.1, tail.FailAbove)
		assert.Equal(t, 1.98, tail.PassBelow)
		require.Len(t, c.Ratios, 2)
		assert.Equal(t, "p50", c.Ratios[0].Quantile)
		assert.InDelta(t, 1.05, c.Ratios[0].Tolerance, 1e-9)
		assert.Equal(t, NotJudged, c.Ratios[0].Verdict)
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
		assert.Regexp(t, `interrupted by the end of the test's context after \d+ rounds?`, f.errors[0])
		assert.True(t, c.Interrupted)
	})
}

// What is known for certain is logged once, as soon as it is.
func TestLogFound(t *testing.T) {
	f := &fakeTB{}
	watch := logFound(newTest(f))
	for _, found := range []string{"", "", "14 objects", "14 objects", "15 objects"} {
		watch(engine.Progress{Found: found})
	}
	assert.Equal(t, []string{"loadtestkit: 14 objects", "loadtestkit: 15 objects"}, f.logs)
}
