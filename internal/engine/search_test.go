package engine

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// oneByOne is a function that serves one call at a time and takes the given
// time for each, where that is virtual: its capacity is the inverse of that.
func oneByOne(d time.Duration) func(context.Context) error { return serving(1, d) }

// serving is a function that serves n calls at a time.
func serving(n int, d time.Duration) func(context.Context) error {
	turn := make(chan struct{}, n)
	return func(ctx context.Context) error {
		select {
		case turn <- struct{}{}:
			time.Sleep(d)
			<-turn
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// search makes a search and checks what holds for every one.
func search(t testing.TB, ctx context.Context, o SearchOptions, watch Watch) *report.Document {
	t.Helper()
	p, err := NewSearch(o)
	require.NoError(t, err)
	d, err := p.Run(ctx, t.Context(), watch)
	require.NoError(t, err)
	checkDocument(t, d)
	assert.Equal(t, report.Search, d.Kind)
	var due int64
	for _, trial := range d.Found.Trials {
		assert.GreaterOrEqual(t, trial.Due, trial.Sent)
		assert.GreaterOrEqual(t, trial.Sent, trial.Succeeded)
		assert.Equal(t, trial.Held, trial.Reason == "")
		due += trial.Due
		t.Logf("%6.1f/s %v held: %v %s", trial.Rate, trial.Duration, trial.Held, trial.Reason)
	}
	assert.Equal(t, due, d.Requests.Due)
	if d.Found.Low != nil && d.Found.High != nil {
		assert.Less(t, *d.Found.Low, *d.Found.High)
	}
	t.Logf("%s: %s", d.Found.StoppedBy, d.Found.Reason)
	return d
}

// A search has its budget and no more, and what it has seen by then is in its
// document: here that four times the capacity is too much.
func TestSearchKeepsItsBudget(t *testing.T) {
	t.Parallel()
	turn := make(chan struct{}, 1)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case turn <- struct{}{}:
			target.Sleep(r.Context(), 5*time.Millisecond)
			<-turn
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	d := search(t, t.Context(), SearchOptions{
		Target:   Target{URL: s.URL},
		Settings: Settings{Load: Load{Rate: 800}, Budget: 2 * time.Second},
		Limits:   limits(t, "p90<=50ms"),
	}, nil)
	assert.Equal(t, verdict.ByBudget, d.Found.StoppedBy)
	assert.Equal(t, verdict.Inconclusive, d.Verdict)
	assert.False(t, d.Interrupted)
	assert.NotEmpty(t, d.Found.Trials)
	for _, trial := range d.Found.Trials {
		assert.False(t, trial.Held)
		assert.Contains(t, trial.Reason, "not within 50ms")
	}
	assert.Nil(t, d.Found.Low)
}

// A search that is interrupted reports the trials that it has ended.
func TestSearchInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		d := search(t, ctx, SearchOptions{
			Target:   Target{Func: lasting(time.Millisecond)},
			Settings: Settings{Load: Load{Rate: 100, Poisson: true}, Budget: time.Minute, Virtual: true},
			Limits:   limits(t, "p50<=1s", "errors<=0"),
		}, func(p Progress) {
			if strings.HasPrefix(p.Doing, "trial 2 ") {
				cancel()
			}
		})
		assert.True(t, d.Interrupted)
		assert.Equal(t, verdict.ByInterrupt, d.Found.StoppedBy)
		require.Len(t, d.Found.Trials, 1)
		assert.True(t, d.Found.Trials[0].Held)
	})
}

// The capacity of a function that serves one by one is found.
func TestSearchFindsTheCapacity(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const capacity = 200
		d := search(t, t.Context(), SearchOptions{
			Target:   Target{Func: oneByOne(time.Second / capacity)},
			Settings: Settings{Load: Load{Rate: 50}, Virtual: true},
			Limits:   limits(t, "p90<=50ms"),
		}, nil)
		assert.Equal(t, verdict.Pass, d.Verdict)
		assert.Equal(t, verdict.ByTarget, d.Found.StoppedBy)
		assert.Less(t, *d.Found.Low, 1.02*capacity)
		assert.Greater(t, *d.Found.High, 0.7*capacity)
	})
}

// Too much load shows in what waits, long before a wide limit is missed; and a search
// of a quiet target takes less than half a minute.
func TestSearchSeesATargetFallBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const capacity = 2000
		began := time.Now()
		d := search(t, t.Context(), SearchOptions{
			Target:   Target{Func: oneByOne(time.Second / capacity)},
			Settings: Settings{Load: Load{Poisson: true, Seed: 1}, Virtual: true},
			Limits:   limits(t, "p99<=1s"),
		}, nil)
		assert.Less(t, time.Since(began), 30*time.Second)
		assert.Equal(t, verdict.Pass, d.Verdict)
		assert.Less(t, *d.Found.Low, 1.1*capacity)
		assert.Greater(t, *d.Found.High, 0.9*capacity)
		reasons := ""
		for _, trial := range d.Found.Trials {
			reasons += trial.Reason
		}
		assert.Contains(t, reasons, "fell behind")
	})
}

// A target may take longer than the warm-up of a trial and still keep up: that nothing
// ends at first is no sign of too much load.
func TestSearchWaitsForASlowTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const capacity = 200
		const takes = 300 * time.Millisecond
		d := search(t, t.Context(), SearchOptions{
			Target:   Target{Func: serving(int(capacity*takes/time.Second), takes)},
			Settings: Settings{Load: Load{Poisson: true, Seed: 1}, Virtual: true},
			Limits:   limits(t, "p99<=700ms"),
		}, nil)
		assert.Equal(t, verdict.Pass, d.Verdict)
		assert.Less(t, *d.Found.Low, 1.2*capacity)
		assert.Greater(t, *d.Found.Low, 0.8*capacity)
		assert.Greater(t, *d.Found.High, 0.9*capacity)
		for _, trial := range d.Found.Trials {
			assert.True(t, trial.Held || trial.Rate > 0.8*capacity, "%v/s: %s", trial.Rate, trial.Reason)
		}
	})
}

func TestSearchRefuses(t *testing.T) {
	for _, tc := range []struct {
		field, want string
		edit        func(*SearchOptions)
	}{
		{"Limits", "none is given", func(o *SearchOptions) { o.Limits = nil }},
		{"Limits", "no bound that more load can break", func(o *SearchOptions) { o.Limits = limits(t, "goodput>=5") }},
		{"Stages", "chooses its rates", func(o *SearchOptions) { o.Stages = []load.Stage{{For: time.Second, From: 1, To: 1}} }},
		{"Most", "want the rate that the search begins with, 100", func(o *SearchOptions) { o.Rate, o.Most = 100, 50 }},
		{"Rate", "-1 is out of range", func(o *SearchOptions) { o.Rate, o.Most = -1, 50 }},
		{"Most", "1e-09 is out of range, want arrivals per second from 1e-6", func(o *SearchOptions) { o.Most = 1e-9 }},
		{"Most", "NaN is out of range, want arrivals per second from 1e-6", func(o *SearchOptions) { o.Most = math.NaN() }},
		{"Target", "is missing", func(o *SearchOptions) { o.Target.Func = nil }},
	} {
		o := SearchOptions{Target: Target{Func: lasting(0)}, Limits: limits(t, "p99<=1s")}
		tc.edit(&o)
		_, err := NewSearch(o)
		require.Error(t, err, tc.want)
		fs := faultsOf(t, err)
		require.Len(t, fs, 1, "%v", err)
		assert.Equal(t, tc.field, fs[0].Field)
		assert.Contains(t, fs[0].Want, tc.want)
	}
	_, err := NewSearch(SearchOptions{
		Target: Target{Func: lasting(0)}, Settings: Settings{Load: Load{Rate: -1}}, Limits: limits(t, "p99<=1s"), Most: -4,
	})
	fs := faultsOf(t, err)
	require.Len(t, fs, 2, "%v", err)
	assert.Equal(t, "-4 is out of range, want arrivals per second from 1e-6 to 1e9", fs[0].Want, "the start is no advice")
	assert.Contains(t, fs[1].Want, "-1 is out of range")

	p, err := NewSearch(SearchOptions{Target: Target{Func: lasting(0)}, Limits: limits(t, "p99<=1s"), Most: 7})
	require.NoError(t, err)
	assert.Equal(t, 7.0, p.(*searchPlan).arm.Rate, "the most is the start where that is lower")
}
