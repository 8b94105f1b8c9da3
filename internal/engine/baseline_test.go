package engine

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Runs are added to a baseline, and others are judged by it. A run that missed a
// limit is not added.
func TestBaseline(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	measure := func(t *testing.T, f func(context.Context) error, update bool, texts ...string) (d *report.Document) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			d = run(t, RunOptions{
				Target: Target{Func: f}, Settings: Settings{Confirm: true, Virtual: true},
				Requests: 10_000, Limits: limits(t, texts...), Baseline: &baseline.Baseline{Path: path, Update: update},
			})
		})
		return d
	}
	d := measure(t, lasting(time.Millisecond), true, "p50<=1us")
	assert.Equal(t, verdict.Fail, d.Verdict)
	assert.Equal(t, "not recorded in "+path+", as a limit was missed", d.Recorded)
	for range verdict.LeastBaseline {
		d = measure(t, lasting(time.Millisecond), true)
		assert.Equal(t, "recorded in "+path, d.Recorded)
		assert.Empty(t, d.Limits)
	}

	d = measure(t, lasting(time.Millisecond), false)
	require.Len(t, d.Limits, 3)
	for i, want := range []struct {
		limit   string
		verdict verdict.Verdict
	}{{"quick<=1.05x baseline", verdict.Pass}, {"p50<=1.05x baseline", verdict.NotJudged}, {"p99<=1.1x baseline", verdict.NotJudged}} {
		assert.Equal(t, want.limit, d.Limits[i].Limit)
		assert.Equal(t, want.verdict, d.Limits[i].Verdict, "%s: a run need not pass by what it does under load", want.limit)
	}
	assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Limits)
	assert.Empty(t, d.Recorded)

	d = measure(t, lasting(2*time.Millisecond), false, "errors<=0")
	require.Len(t, d.Limits, 4)
	assert.Equal(t, "quick 2.00 times the baseline, want <= 1.05", d.Limits[1].Summary)
	assert.Equal(t, verdict.Fail, d.Limits[2].Verdict, "but it can fail by that")
	assert.Equal(t, verdict.Pass, d.Limits[0].Verdict)
	assert.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Limits)
	require.NotNil(t, d.Repeat, "what a baseline says is a matter of chance")
	assert.Equal(t, verdict.Fail, d.Repeat.Verdict)
}

// A run whose fail its repeat did not share is added with the reference that was
// measured before it, not before the repeat.
func TestBaselineOfARepeatedRun(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		slowAtFirst := func(context.Context) error {
			if calls.Add(1) <= 2000 {
				time.Sleep(9 * time.Millisecond)
			}
			time.Sleep(time.Millisecond)
			return nil
		}
		p := newRun(t, RunOptions{
			Target: Target{Func: slowAtFirst}, Settings: Settings{Confirm: true, Virtual: true},
			Requests: 2000, Limits: limits(t, "p50<=5ms"), Baseline: &baseline.Baseline{Path: path, Update: true},
		})
		var before time.Duration
		p.calibrate = func() time.Duration { before += time.Millisecond; return before }
		d, err := p.Run(t.Context(), t.Context(), nil)
		require.NoError(t, err)
		require.NotNil(t, d.Repeat)
		assert.Equal(t, 2*time.Millisecond, before)
		assert.Equal(t, "recorded in "+path, d.Recorded)
	})
	runs, err := baseline.Read(path)
	require.NoError(t, err)
	require.Len(t, runs, 1)
	assert.EqualValues(t, time.Millisecond, runs[0].Calibrator.Reference)
}

// A run without response times is not added, which is no error.
func TestBaselineOfNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	for _, tc := range []struct {
		call func(context.Context) error
		n    int64
		why  string
	}{
		{func(context.Context) error { return errors.New("down") }, 100, "no request succeeded"},
		{lasting(time.Millisecond), 1, "it has too few requests for a percentile"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := run(t, RunOptions{
				Target: Target{Func: tc.call}, Settings: Settings{Virtual: true},
				Requests: tc.n, Baseline: &baseline.Baseline{Path: path, Update: true},
			})
			assert.Equal(t, "not recorded in "+path+", as "+tc.why, d.Recorded)
		})
	}
	assert.NoFileExists(t, path)
}

func TestBaselineThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                                   "not a regular file",
		filepath.Join(dir, "none", "a.jsonl"): "there is no directory " + filepath.Join(dir, "none") + ", create it first",
	} {
		_, err := NewRun(RunOptions{Target: Target{Func: lasting(0)}, Requests: 1, Baseline: &baseline.Baseline{Path: path}})
		require.Error(t, err)
		fs := faultsOf(t, err)
		require.Len(t, fs, 1)
		assert.Equal(t, "Baseline", fs[0].Field)
		assert.Contains(t, fs[0].Want, want)
	}
}

// A rate that has to be kept is offered for ten seconds, or for the budget.
func TestKept(t *testing.T) {
	for _, tc := range []struct {
		takes  time.Duration // one request, one at a time
		budget time.Duration
		due    int64
		want   verdict.Verdict
	}{
		{10 * time.Millisecond, 0, 500, verdict.Pass},
		{25 * time.Millisecond, 0, 500, verdict.Fail},
		{10 * time.Millisecond, 4 * time.Second, 200, verdict.Pass},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := run(t, RunOptions{
				Target:   Target{Func: oneByOne(tc.takes)},
				Settings: Settings{Load: Load{Rate: 50}, Budget: tc.budget, Virtual: true},
				Kept:     0.9,
			})
			assert.Equal(t, tc.due, d.Requests.Due)
			require.Len(t, d.Limits, 1)
			assert.Equal(t, "goodput>=45", d.Limits[0].Limit)
			assert.Equal(t, tc.want, d.Verdict, "%v: %s", tc.takes, d.Limits[0].Reason)
		})
	}
}
