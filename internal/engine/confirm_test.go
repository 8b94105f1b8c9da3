package engine

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Only a fail that a fresh run repeats is one, unless it is a fact.
func TestConfirm(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		limit  string
		fails  int64 // of as many requests, the first, every other one
		want   verdict.Verdict
		repeat bool
		reason string
	}{
		{"errors<=10%", 1 << 40, verdict.Fail, true, "; a second run, after a pause: error ratio 0.5"},
		{"errors<=10%", 2000, verdict.Inconclusive, true, "not repeated: a second run, after a pause, did not fail; the first: error ratio 0.5"},
		{"errors<=10%", 0, verdict.Pass, false, "error ratio 0"},
		{"errors<=0", 2000, verdict.Fail, false, "error ratio 0.5"},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			d := run(t, RunOptions{
				Target:   Target{Func: failingEveryOther(tc.fails)},
				Settings: Settings{Confirm: true, Virtual: true},
				Requests: 2000, Limits: limits(t, tc.limit),
			})
			took := 200 * time.Millisecond // 2000 of a millisecond, ten at a time
			assert.Equal(t, tc.want, d.Verdict, tc.limit)
			assert.Equal(t, tc.want, d.Limits[0].Verdict, tc.limit)
			assert.Contains(t, d.Limits[0].Reason, tc.reason)
			assert.Equal(t, tc.repeat, d.Repeat != nil)
			if d.Repeat != nil {
				checkDocument(t, d.Repeat)
				assert.NotEqual(t, d.RunID, d.Repeat.RunID)
				assert.Equal(t, int64(2000), d.Repeat.Requests.Sent)
				took += pauseLeast + took
			}
			assert.Equal(t, took, time.Since(began))
		})
	}
}

// A fail is repeated amid controls, after the pause that was asked for: here of a
// server.
func TestConfirmAmidControls(t *testing.T) {
	t.Parallel()
	s := raw(t, func(n int64, c *target.RawConn) { c.Answer(200 + 300*int(n%2)) })
	d := run(t, half(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Pause: time.Millisecond}}))
	assert.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Limits)
	assert.Zero(t, d.Generator.Control.Count)
	require.NotNil(t, d.Repeat)
	assert.Positive(t, d.Repeat.Generator.Control.Count)
	assert.Equal(t, s.Seen(), reached(d)+reached(d.Repeat))
}

// The pause is half of what a long run took, its warm-up included.
func TestPauseAfterALongRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := run(t, RunOptions{
			Target:   Target{Func: failingEveryOther(1 << 40)},
			Settings: Settings{Load: Load{Rate: 95}, Warmup: 4 * time.Second, Confirm: true, Virtual: true},
			Duration: 20 * time.Second, Limits: limits(t, "errors<=10%"),
		})
		require.NotNil(t, d.Repeat)
		assert.InDelta(t, 24*time.Second, d.Took, float64(50*time.Millisecond))
		assert.Equal(t, d.Took+d.Took/2+d.Repeat.Took, time.Since(began))
	})
}

// A run without an end is repeated as one.
func TestConfirmWithinTheBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := run(t, RunOptions{
			Target:   Target{Func: failingEveryOther(1 << 40)},
			Settings: Settings{Load: Load{Rate: 95}, Budget: 4 * time.Second, Confirm: true, Virtual: true},
			Limits:   limits(t, "errors<=10%"),
		})
		require.NotNil(t, d.Repeat)
		assert.Equal(t, verdict.Fail, d.Verdict)
		for _, due := range []int64{d.Requests.Due, d.Repeat.Requests.Due} {
			assert.Equal(t, int64(95), due, "a second is enough")
		}
	})
}

// What chance may have had a part in is repeated, whatever else failed.
func TestFailedByChance(t *testing.T) {
	limit := func(v verdict.Verdict, exact bool) report.LimitResult {
		return report.LimitResult{Verdict: v, Exact: exact}
	}
	failed := []report.RatioResult{{Verdict: verdict.Fail}}
	fact := limit(verdict.Fail, true)
	for _, tc := range []struct {
		ratios []report.RatioResult
		limits []report.LimitResult
		want   bool
		why    string
	}{
		{nil, []report.LimitResult{limit(verdict.Fail, false), limit(verdict.Pass, true)}, true, "a limit on time"},
		{nil, []report.LimitResult{fact, limit(verdict.Fail, false)}, true, "a limit on time beside a fact"},
		{failed, []report.LimitResult{fact}, true, "a ratio beside a fact"},
		{nil, []report.LimitResult{fact, limit(verdict.Pass, false)}, false, "a fact alone"},
		{nil, []report.LimitResult{limit(verdict.Inconclusive, false)}, false, "no fail"},
	} {
		d := &report.Document{Ratios: tc.ratios, Limits: tc.limits}
		assert.Equal(t, tc.want, d.FailedByChance(), tc.why)
	}
}

func TestConfirmLimits(t *testing.T) {
	const pass, fail, doubt = verdict.Pass, verdict.Fail, verdict.Inconclusive
	for _, tc := range []struct {
		first, again, want verdict.Verdict
		exact              bool
		why                string
	}{
		{fail, fail, fail, false, "twice"},
		{fail, pass, doubt, false, "not repeated"},
		{fail, doubt, doubt, false, "nor with doubt"},
		{fail, pass, fail, true, "a fact stays"},
		{pass, fail, pass, false, "passed first, and the other limit was why there is a second"},
		{pass, fail, fail, true, "a fact of the second"},
		{doubt, fail, doubt, false, "one fail is none"},
	} {
		d := &report.Document{Limits: []report.LimitResult{{Verdict: tc.first, Exact: tc.exact, Reason: "a"}}}
		d.Repeat = &report.Document{Limits: []report.LimitResult{{Verdict: tc.again, Exact: tc.exact, Reason: "b"}}}
		d.Confirm()
		assert.Equal(t, tc.want, d.Limits[0].Verdict, tc.why)
		assert.Equal(t, tc.want, d.Verdict, tc.why)
	}
}

// half is o for a run of 1000 requests that is repeated if more than a tenth of
// them fail.
func half(t *testing.T, o RunOptions) RunOptions {
	o.Requests, o.Limits, o.Confirm = 1000, limits(t, "errors<=10%"), true
	return o
}

// A pause that is interrupted leaves a run without its repeat.
func TestPauseInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := newRun(t, half(t, RunOptions{Target: Target{Func: failingEveryOther(1000)}, Settings: Settings{Pause: time.Minute, Virtual: true}}))
		began := time.Now()
		d, err := p.Run(ctx, t.Context(), func(p Progress) {
			if strings.HasPrefix(p.Doing, "pausing 1m") {
				cancel()
			}
		})
		require.NoError(t, err)
		assert.True(t, d.Interrupted)
		assert.Nil(t, d.Repeat)
		assert.Equal(t, int64(1000), d.Requests.Sent)
		assert.Less(t, time.Since(began), time.Second)
	})
}

// A repeat that is interrupted confirms nothing and excuses nothing.
func TestRepeatInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var n atomic.Int64
		d := runUntil(t, ctx, t.Context(), half(t, RunOptions{
			Target: Target{Func: func(context.Context) error {
				switch n := n.Add(1); {
				case n == 1100:
					cancel()
				case n > 1100:
					<-ctx.Done()
				case n <= 1000 && n%2 == 0:
					return errors.New("every other")
				}
				return nil
			}},
			Settings: Settings{Virtual: true},
		}))
		assert.True(t, d.Interrupted)
		require.NotNil(t, d.Repeat)
		assert.Less(t, d.Repeat.Requests.Sent, int64(1000))
		assert.Equal(t, verdict.Fail, d.Limits[0].Verdict)
		assert.NotContains(t, d.Limits[0].Reason, "not repeated: a second run, after a pause, did not fail; the first: ")
	})
}

// A target that has gone by the time of the repeat is an error that says when, and the
// first measurement is not lost.
func TestRepeatOfATargetThatHasGone(t *testing.T) {
	t.Parallel()
	s := rawPassing(t, func(_ int64, c *target.RawConn) { c.Answer(503) })
	p := newRun(t, half(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Pause: 500 * time.Millisecond}}))
	var once sync.Once
	d, err := p.Run(t.Context(), t.Context(), func(p Progress) {
		if strings.HasPrefix(p.Doing, "pausing") {
			once.Do(func() { s.Close() })
		}
	})
	assert.ErrorContains(t, err, "repeating the measurement: connecting to")
	assert.Equal(t, verdict.Fail, d.Verdict)
	assert.Nil(t, d.Repeat)
}

// A failed request is a fact, also in a repeat that something else asked for.
func TestRepeatCountsFacts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		d := run(t, RunOptions{
			Target: Target{Func: func(context.Context) error {
				time.Sleep(2 * time.Millisecond)
				if calls.Add(1) > 1000 {
					return errors.New("in the repeat")
				}
				return nil
			}},
			Settings: Settings{Confirm: true, Virtual: true},
			Requests: 1000, Limits: limits(t, "errors<=0", "p50<=1ms"),
		})
		require.NotNil(t, d.Repeat)
		assert.Equal(t, verdict.Fail, d.Verdict)
		assert.Equal(t, verdict.Fail, d.Limits[0].Verdict)
		assert.Contains(t, d.Limits[0].Reason, "in a second run: error ratio 1")
	})
}
