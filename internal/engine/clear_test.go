package engine

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

func limits(t testing.TB, texts ...string) (ls []verdict.Limit) {
	t.Helper()
	for _, text := range texts {
		l, err := verdict.Parse(text)
		require.NoError(t, err)
		ls = append(ls, l)
	}
	return ls
}

// everyOther fails half of the requests.
func everyOther() http.Handler {
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
}

var healthy = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})

// round makes a run that nobody stops.
func makeRound(t testing.TB, o Options) (*round, *report.Report) {
	t.Helper()
	p, err := NewPlan(o)
	require.NoError(t, err)
	r := &round{Plan: p, ctx: t.Context(), cut: t.Context()}
	rep, err := r.make()
	require.NoError(t, err)
	sound(t, rep)
	return r, rep
}

// A run without an end stops at the first look that settles its limits, and
// each look spends its share of the error.
func TestClearStopsAtTheFirstLook(t *testing.T) {
	t.Parallel()
	r, rep := makeRound(t, Options{Handler: healthy, Limits: limits(t, "p50<=10s", "errors<=0"), Budget: 8 * time.Second})
	assert.Equal(t, verdict.Pass, rep.Verdict)
	assert.GreaterOrEqual(t, r.outcome.Course(), time.Second)
	assert.Less(t, r.outcome.Course(), 8*time.Second)
	look := verdict.Looks(8 * time.Second)[0]
	assert.Equal(t, r.Plan.standard().Share(look.Share), r.standard)
	assert.Equal(t, 1-verdict.DefaultStandard.Pass*look.Share, *rep.Limits[0].Confidence)
}

// Half of the requests fail and half of them may: no amount of them can tell.
func TestClearUsesItsBudget(t *testing.T) {
	t.Parallel()
	r, rep := makeRound(t, Options{Handler: everyOther(), Portable: true, Limits: limits(t, "errors<=50%"), Budget: 2 * time.Second})
	assert.Equal(t, verdict.Inconclusive, rep.Verdict, "%+v", rep.Limits)
	assert.GreaterOrEqual(t, r.outcome.Course(), 2*time.Second)
	looks := verdict.Looks(2 * time.Second)
	assert.Equal(t, r.Plan.standard().Share(looks[1].Share), r.standard)
}

// The stretches of a run are one run: its ids are unique, its counts are what
// the target saw, and its warm-up is reported whatever was asked for.
func TestClearCountsOnce(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"closed":         {Concurrency: 2, overTCP: true},
		"in memory":      {Concurrency: 2},
		"one goroutine":  {Concurrency: 1, Warmup: time.Millisecond, Portable: true},
		"open":           {Rate: 300, Warmup: 700 * time.Millisecond, Portable: true, TLS: true},
		"no keep-alives": {Rate: 300, Poisson: true, NoKeepAlive: true, overTCP: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids sync.Map
			var seen, twice atomic.Int64
			other := everyOther()
			o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Add(1)
				if _, there := ids.LoadOrStore(target.RequestID(r.Context()), true); there {
					twice.Add(1)
				}
				other.ServeHTTP(w, r)
			})
			o.Limits, o.Budget = limits(t, "errors<=50%"), 1100*time.Millisecond
			r, rep := makeRound(t, o)
			assert.Zero(t, twice.Load())
			assert.Equal(t, seen.Load(), reached(rep), "the control is apart")
			require.NotNil(t, rep.Warmup)
			assert.Equal(t, max(o.Warmup, clearWarmup), rep.Warmup.Duration)
			assert.Positive(t, rep.Warmup.Sent)
			assert.Equal(t, r.control.outcome.Due, r.control.outcome.Succeeded)
			assert.Equal(t, r.control.outcome.Due, rep.Generator.Control.Count)
			if o.Rate > 0 {
				assert.Equal(t, controlFor/40+55*time.Millisecond, r.control.outcome.Course(), "before and after: 5 % of 2 s and of 1.1 s")
			}
			if name == "open" {
				assert.Equal(t, int64(330), rep.Requests.Due)
			}
		})
	}
}

// Connections last from one stretch to the next, those opened ahead too.
func TestClearKeepsItsConnections(t *testing.T) {
	t.Parallel()
	_, rep := makeRound(t, Options{
		Handler: everyOther(), Portable: true, Limits: limits(t, "errors<=50%"), Concurrency: 8, Budget: 1100 * time.Millisecond,
	})
	assert.LessOrEqual(t, rep.Generator.ConnectionsOpened, int64(8))
}

// However few arrivals there are, they are due when the rate says.
func TestClearAtALowRate(t *testing.T) {
	t.Parallel()
	_, rep := makeRound(t, Options{Handler: healthy, overTCP: true, Limits: limits(t, "p99<=10s"), Rate: 2, Budget: time.Second})
	assert.Equal(t, int64(2), rep.Requests.Due, "at 0.5 s, the end of the warm-up, and at 1 s")
}

// A target that cannot keep up has no breaks to catch up in: it answers ever
// later, and what it still owes at a look is no reason to pass.
func TestClearSeesThatATargetFallsBehind(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		one := make(chan struct{}, 1)
		h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			one <- struct{}{}
			time.Sleep(10 * time.Millisecond)
			<-one
		})
		_, rep := makeRound(t, Options{
			Handler: h, overTCP: true, Portable: portable, Rate: 200, Limits: limits(t, "p90<=700ms", "goodput>=190"), Budget: 3 * time.Second,
		})
		assert.NotEqual(t, verdict.Pass, rep.Verdict, "%+v", rep.Limits)
		assert.Equal(t, int64(600), rep.Requests.Due)
		assert.Zero(t, rep.Requests.Unsent)
		assert.Less(t, rep.Rate.Goodput, 110.0, "a hundred a second is all it can do")
	})
}

// A run that is ended by a clear verdict is no interrupted one, and sends what
// was due.
func TestClearEndsAnOpenRun(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		_, rep := makeRound(t, Options{Handler: healthy, overTCP: !portable, Portable: portable, Rate: 400, Limits: limits(t, "p50<=10s", "errors<=0"), Budget: 20 * time.Second})
		assert.Equal(t, verdict.Pass, rep.Verdict, "%+v", rep.Limits)
		assert.False(t, rep.Interrupted)
		assert.Zero(t, rep.Requests.Unsent)
		assert.Less(t, rep.Elapsed, 15*time.Second)
		assert.InDelta(t, 400, *rep.Rate.Offered, 4)
	})
}

// A target that refuses every connection ends as any other: its permits rest
// for most of each stretch.
func TestClearOfARefusingTarget(t *testing.T) {
	t.Parallel()
	s := rawPassing(t, nil)
	var once sync.Once
	p, err := NewPlan(Options{URL: s.URL, Concurrency: 2, Limits: limits(t, "p50<=1s"), Budget: 2 * time.Second})
	require.NoError(t, err)
	rep, err := p.Run(t.Context(), t.Context(), func(p Progress) {
		if p.Succeeded > 0 {
			once.Do(func() { s.Close() })
		}
	})
	require.NoError(t, err)
	sound(t, rep)
	assert.Positive(t, kinds(rep)[record.ConnectRefused.String()])
}

// A cancelled run without an end says so, wherever it was.
func TestClearInterrupted(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		for _, cuts := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			cut, cancelCut := context.WithCancel(t.Context())
			var n atomic.Int64
			o := Options{overTCP: !portable, Portable: portable, Rate: 500, Limits: limits(t, "p99<=10s"), Budget: time.Minute, Timeout: time.Minute, Confirm: true}
			o.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if n.Add(1) < 300 {
					return
				}
				cancel()
				if cuts {
					cancelCut()
					<-r.Context().Done()
				}
			})
			rep := runUntil(t, ctx, cut, o)
			cancelCut()
			assert.True(t, rep.Interrupted)
			assert.Equal(t, cuts, rep.Requests.Unfinished > 0)
			assert.Nil(t, rep.Repeat)
			if cuts { // what was cut off the handler may not have seen
				assert.GreaterOrEqual(t, reached(rep), n.Load())
			} else {
				assert.Equal(t, n.Load(), reached(rep))
			}
		}
	})
}

// Stages with limits are one run from their beginning to their end.
func TestStagesAreTheirOwnEnd(t *testing.T) {
	t.Parallel()
	r, rep := makeRound(t, Options{
		Handler: healthy, Limits: limits(t, "errors<=0"), Control: true,
		Stages: []load.Stage{{For: 200 * time.Millisecond, From: 0, To: 200}, {For: 300 * time.Millisecond, From: 200, To: 200}},
	})
	assert.Equal(t, int64(80), rep.Requests.Due)
	assert.Equal(t, verdict.Pass, rep.Verdict)
	assert.Nil(t, rep.Warmup)
	assert.Equal(t, 200*time.Millisecond, r.control.outcome.Course(), "on either side what a run of 4 s gets")
}

// A call that never returns is given up with its run.
func TestClearOfAStuckFunction(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	defer close(free)
	_, rep := makeRound(t, Options{
		Func: func(context.Context) error { <-free; return nil }, Concurrency: 2,
		Timeout: 50 * time.Millisecond, Grace: 50 * time.Millisecond, Limits: limits(t, "errors<=0"), Budget: time.Second,
	})
	assert.NotEqual(t, verdict.Pass, rep.Verdict)
	assert.Positive(t, rep.Requests.Unfinished+rep.Requests.Failed+rep.Warmup.Sent)
}

// What is due at a look and not over may yet be in time, or never: for a pass it
// is missed, for a fail it is not.
func TestSettledSoFar(t *testing.T) {
	check := func(done, late int, want bool, why string) {
		t.Helper()
		p, err := NewPlan(Options{Handler: healthy, Rate: 1000, Limits: limits(t, "p90<=100ms", "errors<=0")})
		require.NoError(t, err)
		o := (&arm{plan: p}).nothing()
		o.Offering = 10 * time.Second
		for k := range done {
			due, took := o.Offering*time.Duration(k)/time.Duration(done), time.Millisecond
			if k%10 < late {
				took = time.Second
			} else {
				o.Within[0]++
			}
			o.Response.Record(int64(took))
			o.Series.Due(due)
			o.Series.Response(due, took)
		}
		o.Succeeded, o.Sent, o.Due = int64(done), int64(done), int64(done)
		assert.Equal(t, want, (&round{Plan: p}).settledSoFar(o, verdict.DefaultStandard), why)
	}
	check(10_000, 0, true, "all is over and in time")
	check(9_950, 0, true, "a few are on their way, and no reason to fail a limit on errors")
	check(8_000, 0, false, "a fifth is still owed")
	check(10_000, 5, true, "half of them were late")
	check(8_000, 5, true, "what is owed cannot mend that")
	check(8_000, 1, false, "a tenth was late, which may be too many or not")
}
