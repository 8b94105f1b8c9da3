package engine

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// broken are targets of which every request fails, each with how the reason ends.
func broken() map[string]Target {
	return map[string]Target{
		": status 401 (first: who are you?)": {Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Millisecond)
			http.Error(w, "who are you?", http.StatusUnauthorized)
		})},
		": check (first: nobody is in)": {Func: func(context.Context) error {
			time.Sleep(time.Millisecond)
			return errors.New("nobody is in")
		}},
	}
}

// A measurement without an end is given up after a second if every request fails, with
// the reason, and nothing is repeated.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	open := Load{Rate: 500}
	for how, target := range broken() {
		for name, plan := range map[string]func() (Plan, error){
			"closed": func() (Plan, error) {
				return NewRun(RunOptions{Target: target, Settings: Settings{Confirm: true, Virtual: true}, Limits: limits(t, "p99<=1s", "errors<=1%")})
			},
			"open": func() (Plan, error) {
				return NewRun(RunOptions{Target: target, Settings: Settings{Load: open, Confirm: true, Virtual: true}, Limits: limits(t, "p99<=1s", "errors<=1%")})
			},
			"long warm-up": func() (Plan, error) {
				return NewRun(RunOptions{Target: target, Settings: Settings{Load: open, Warmup: 780 * time.Millisecond, Virtual: true}, Limits: limits(t, "errors<=0")})
			},
			"comparison": func() (Plan, error) {
				return NewComparison(CompareOptions{Base: Target{Func: lasting(time.Millisecond)}, Head: target, Settings: Settings{Confirm: true, Virtual: true}, Limits: limits(t, "errors<=0")})
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				p, err := plan()
				require.NoError(t, err)
				began := time.Now()
				d, err := p.Run(t.Context(), t.Context(), nil)
				require.NoError(t, err)
				assert.LessOrEqual(t, time.Since(began), time.Second, name)
				assert.Equal(t, verdict.Fail, d.Verdict, name)
				assert.Regexp(t, `^(head: )?every one of the first [\d,]+ requests failed`, d.Stopped, name)
				assert.Contains(t, d.Stopped, how, name)
				assert.False(t, d.Interrupted, name)
				assert.Nil(t, d.Repeat, name)
				assert.Zero(t, d.Requests.Succeeded, name)
				assert.LessOrEqual(t, d.Requests.Unsent, int64(1), "that of the last instant")
				assert.Positive(t, d.Requests.Failed, name)
				checkDocument(t, d)
			})
		}
	}
}

// A base that answers nothing is no base to compare with.
func TestGiveUpOnTheBase(t *testing.T) {
	t.Parallel()
	for how, target := range broken() {
		synctest.Test(t, func(t *testing.T) {
			p, err := NewComparison(CompareOptions{Base: target, Head: Target{Func: lasting(time.Millisecond)}, Settings: Settings{Virtual: true}})
			require.NoError(t, err)
			began := time.Now()
			d, err := p.Run(t.Context(), t.Context(), nil)
			require.NoError(t, err)
			assert.LessOrEqual(t, time.Since(began), time.Second)
			assert.Equal(t, verdict.Inconclusive, d.Verdict)
			assert.Regexp(t, `^base: every one`, d.Stopped)
			assert.Contains(t, d.Stopped, how)
			assert.Positive(t, d.Requests.Succeeded, "of head")
		})
	}
}

// Whatever the rate, the warm-up tells.
func TestGiveUpAComparisonOfFewRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		head := Target{Func: func(context.Context) error { return errors.New("no") }}
		p, err := NewComparison(CompareOptions{Base: Target{Func: lasting(time.Millisecond)}, Head: head, Settings: Settings{Load: Load{Rate: 2}, Virtual: true}})
		require.NoError(t, err)
		d, err := p.Run(t.Context(), t.Context(), nil)
		require.NoError(t, err)
		assert.Regexp(t, `^head: every one of the first \d+ requests failed: check \(first: no\)$`, d.Stopped)
	})
}

// A search ends with its first trial if every request of it fails.
func TestGiveUpASearch(t *testing.T) {
	t.Parallel()
	for how, target := range broken() {
		synctest.Test(t, func(t *testing.T) {
			p, err := NewSearch(SearchOptions{Target: target, Settings: Settings{Virtual: true}, Limits: limits(t, "p99<=1s")})
			require.NoError(t, err)
			began := time.Now()
			d, err := p.Run(t.Context(), t.Context(), nil)
			require.NoError(t, err)
			assert.LessOrEqual(t, time.Since(began), time.Second)
			assert.Equal(t, verdict.Inconclusive, d.Verdict)
			assert.Contains(t, d.Stopped, how)
			assert.Equal(t, d.Stopped, d.Found.Reason)
			assert.Equal(t, verdict.ByTarget, d.Found.StoppedBy)
			assert.Nil(t, d.Found.Low)
			require.Len(t, d.Found.Trials, 1)
			assert.Equal(t, d.Stopped, d.Found.Trials[0].Reason)
			assert.False(t, d.Interrupted)
		})
	}
}

// One success is enough to go on, and so is a given end.
func TestGoOn(t *testing.T) {
	t.Parallel()
	check := func(o RunOptions, took time.Duration, why string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			o.Target = Target{Func: func(context.Context) error {
				time.Sleep(time.Millisecond)
				if calls.Add(1) == 100 && o.Requests+int64(o.Duration) == 0 {
					return nil
				}
				return errors.New("no")
			}}
			o.Virtual, o.Budget = true, 4*time.Second
			d := run(t, o)
			assert.Empty(t, d.Stopped, why)
			assert.Equal(t, report.Run, d.Kind)
			assert.GreaterOrEqual(t, d.Took, took, why)
		})
	}
	check(RunOptions{Limits: limits(t, "p50>=1h")}, 1500*time.Millisecond, "one of the warm-up succeeded")
	check(RunOptions{Limits: limits(t, "errors<=0"), Duration: 3 * time.Second}, 3*time.Second, "a given duration")
	check(RunOptions{Limits: limits(t, "errors<=0"), Requests: 30_000}, 3*time.Second, "a given number")
}

// A target that answers nothing within its timeout has failed only then.
func TestGiveUpAfterTimeouts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := run(t, RunOptions{
			Target:   Target{Func: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			Settings: Settings{Load: Load{Rate: 50}, Timeout: 2 * time.Second, Virtual: true},
			Limits:   limits(t, "errors<=0"),
		})
		assert.Contains(t, d.Stopped, ": timeout (first: ")
		assert.Less(t, d.Took, 5*time.Second, "two seconds, and two for what was in flight")
	})
}
