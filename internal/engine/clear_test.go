package engine

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

// lasting is a function that takes the given time, where that is virtual.
func lasting(d time.Duration) func(context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// failingEveryOther is a function that takes a millisecond and fails in half of
// its first calls, of which there are n.
func failingEveryOther(n int64) func(context.Context) error {
	var calls atomic.Int64
	return func(context.Context) error {
		time.Sleep(time.Millisecond)
		if call := calls.Add(1); call <= n && call%2 == 0 {
			return errors.New("every other")
		}
		return nil
	}
}

// makeRound makes a run that nothing stops.
func makeRound(t testing.TB, o RunOptions, edits ...func(*armPlan)) (*round, *report.Document) {
	t.Helper()
	r := &round{session: session{ctx: t.Context(), cut: t.Context()}, runPlan: newRun(t, o, edits...)}
	d, err := r.make()
	require.NoError(t, err)
	checkDocument(t, d)
	return r, d
}

// A run without an end stops at the first look that settles its limits, and
// each look spends its share of the error.
func TestClearStopsAtTheFirstLook(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, d := makeRound(t, RunOptions{
			Target:   Target{Func: lasting(time.Millisecond)},
			Settings: Settings{Budget: 8 * time.Second, Virtual: true},
			Limits:   limits(t, "p50<=10s", "errors<=0"),
		})
		assert.Equal(t, verdict.Pass, d.Verdict)
		assert.Equal(t, time.Second, r.to.seen.Course())
		assert.Equal(t, int64(10_000), d.Requests.Succeeded, "ten at a time")
		look := verdict.Looks(8 * time.Second)[0]
		assert.Equal(t, r.to.standard().Share(look.Share), r.standard)
		assert.Equal(t, 1-verdict.DefaultStandard.Pass*look.Share, *d.Limits[0].Confidence)
	})
}

// Half of the requests fail and half of them may: no amount of them can tell.
func TestClearUsesItsBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, d := makeRound(t, RunOptions{
			Target:   Target{Func: failingEveryOther(1 << 40)},
			Settings: Settings{Budget: 2 * time.Second, Virtual: true},
			Limits:   limits(t, "errors<=50%"),
		})
		assert.Equal(t, verdict.Inconclusive, d.Verdict, "%+v", d.Limits)
		assert.Equal(t, 2*time.Second, r.to.seen.Course())
		looks := verdict.Looks(2 * time.Second)
		assert.Equal(t, r.to.standard().Share(looks[1].Share), r.standard)
	})
}

// The stretches of a run are one run: its ids are unique, its counts are what
// the target saw, and its warm-up is reported whatever was asked for.
func TestClearCountsOnce(t *testing.T) {
	t.Parallel()
	inMemory := func(*armPlan) {}
	for name, c := range map[string]struct {
		o    RunOptions
		edit func(*armPlan)
	}{
		"closed":         {RunOptions{Settings: Settings{Load: Load{Concurrency: 2}}}, overTCP},
		"in memory":      {RunOptions{Settings: Settings{Load: Load{Concurrency: 2}}}, inMemory},
		"one goroutine":  {RunOptions{Settings: Settings{Load: Load{Concurrency: 1}, Warmup: time.Millisecond, Portable: true}}, inMemory},
		"open":           {RunOptions{Target: Target{TLS: true}, Settings: Settings{Load: Load{Rate: 300}, Warmup: 600 * time.Millisecond, Portable: true}}, inMemory},
		"no keep-alives": {RunOptions{Target: Target{RequestOptions: RequestOptions{NoKeepAlive: true}}, Settings: Settings{Load: Load{Rate: 300, Poisson: true}}}, overTCP},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids sync.Map
			var seen, twice atomic.Int64
			other := everyOther()
			o := c.o
			o.Target.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen.Add(1)
				if _, there := ids.LoadOrStore(target.RequestID(r.Context()), true); there {
					twice.Add(1)
				}
				target.Sleep(r.Context(), time.Millisecond) // leaves the processors to other tests
				other.ServeHTTP(w, r)
			})
			o.Limits, o.Budget = limits(t, "errors<=50%"), 1100*time.Millisecond // two stretches of a closed workload
			if o.Rate > 0 {
				o.Budget = 400 * time.Millisecond
			}
			r, d := makeRound(t, o, c.edit)
			assert.Zero(t, twice.Load())
			assert.Equal(t, seen.Load(), reached(d), "the control is apart")
			require.NotNil(t, d.Warmup)
			assert.Equal(t, max(o.Warmup, clearWarmup), d.Warmup.Duration)
			assert.Positive(t, d.Warmup.Sent)
			control := r.control.arm.seen
			assert.GreaterOrEqual(t, d.Took, d.Warmup.Duration+d.Elapsed+control.Elapsed, "the control takes time too")
			assert.Equal(t, control.Due, control.Succeeded)
			assert.Equal(t, control.Due, d.Generator.Control.Count)
			if o.Rate > 0 {
				assert.Equal(t, controlFor/40+controlLeast, control.Course(), "before and after: 5 % of 2 s, and the least")
			}
			if name == "open" {
				assert.Equal(t, int64(120), d.Requests.Due)
			}
		})
	}
}

// Connections last from one stretch to the next, those opened ahead too.
func TestClearKeepsItsConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		_, d := makeRound(t, RunOptions{
			Target: Target{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(time.Millisecond)
				if n.Add(1)%2 == 0 {
					w.WriteHeader(http.StatusInternalServerError)
				}
			})},
			Settings: Settings{Load: Load{Concurrency: 8}, Budget: 1100 * time.Millisecond, Virtual: true},
			Limits:   limits(t, "errors<=50%"),
		})
		assert.Equal(t, int64(8), d.Generator.ConnectionsOpened)
		assert.Equal(t, int64(8*1100), d.Requests.Due)
	})
}

// However few arrivals there are, they are due when the rate says.
func TestClearAtALowRate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, d := makeRound(t, RunOptions{
			Target:   Target{Func: lasting(time.Millisecond)},
			Settings: Settings{Load: Load{Rate: 2}, Budget: time.Second, Virtual: true},
			Limits:   limits(t, "p99<=10s"),
		})
		assert.Equal(t, int64(2), d.Requests.Due, "at 0.5 s, the end of the warm-up, and at 1 s")
	})
}

// A target that cannot keep up has no breaks to catch up in: it answers ever
// later, and what it still owes at a look is no reason to pass.
func TestClearSeesThatATargetFallsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, d := makeRound(t, RunOptions{
			Target:   Target{Func: oneByOne(10 * time.Millisecond)},
			Settings: Settings{Load: Load{Rate: 200}, Budget: 3 * time.Second, Virtual: true},
			Limits:   limits(t, "p90<=700ms", "goodput>=190"),
		})
		assert.NotEqual(t, verdict.Pass, d.Verdict, "%+v", d.Limits)
		assert.Equal(t, int64(600), d.Requests.Due)
		assert.Zero(t, d.Requests.Unsent)
		assert.InDelta(t, 92, d.Rate.Goodput, 1, "a hundred a second, and at first those of the warm-up")
	})
}

// A run that is ended by a clear verdict is no interrupted one, and sends what
// was due.
func TestClearEndsAnOpenRun(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		_, d := makeRound(t, RunOptions{
			Target:   Target{Handler: healthy},
			Settings: Settings{Load: Load{Rate: 400}, Portable: portable, Budget: 20 * time.Second},
			Limits:   limits(t, "p50<=10s", "errors<=0"),
		}, func(p *armPlan) { p.overTCP = !portable })
		assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Limits)
		assert.False(t, d.Interrupted)
		assert.Zero(t, d.Requests.Unsent)
		assert.Less(t, d.Elapsed, 15*time.Second)
		assert.InDelta(t, 400, *d.Rate.Offered, 4)
	})
	synctest.Test(t, func(t *testing.T) {
		_, d := makeRound(t, RunOptions{
			Target:   Target{Func: lasting(time.Millisecond)},
			Settings: Settings{Load: Load{Rate: 350}, Budget: 20 * time.Second, Virtual: true},
			Limits:   limits(t, "p50<=10s", "errors<=0"),
		})
		assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Limits)
		assert.False(t, d.Interrupted)
		assert.Equal(t, report.Requests{Due: 438, Sent: 438, Completed: 438, Succeeded: 438}, d.Requests, "until the first look, at 1.25 s")
		assert.InDelta(t, 350, *d.Rate.Offered, 1)
	})
}

// A target that refuses every connection ends as any other: its permits rest
// for most of each stretch.
func TestClearOfARefusingTarget(t *testing.T) {
	t.Parallel()
	s := rawPassing(t, nil)
	var once sync.Once
	p := newRun(t, RunOptions{
		Target:   Target{URL: s.URL},
		Settings: Settings{Load: Load{Concurrency: 2}, Budget: 1100 * time.Millisecond},
		Limits:   limits(t, "p50<=1s"),
	})
	d, err := p.Run(t.Context(), t.Context(), func(p Progress) {
		if p.Succeeded > 0 {
			once.Do(func() { s.Close() })
		}
	})
	require.NoError(t, err)
	checkDocument(t, d)
	assert.Positive(t, kinds(d)[record.ConnectRefused.String()])
}

// A cancelled run without an end says so, wherever it was.
func TestClearInterrupted(t *testing.T) {
	for _, cuts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cut, cancelCut := context.WithCancel(t.Context())
			defer cancelCut()
			var n atomic.Int64
			d := runUntil(t, ctx, cut, RunOptions{
				Target: Target{Func: func(ctx context.Context) error {
					if n.Add(1) < 300 {
						return nil
					}
					cancel()
					if cuts {
						cancelCut()
						<-ctx.Done()
					}
					return ctx.Err()
				}},
				Settings: Settings{Load: Load{Rate: 500}, Budget: time.Minute, Timeout: time.Minute, Confirm: true, Virtual: true},
				Limits:   limits(t, "p99<=10s"),
			})
			assert.True(t, d.Interrupted)
			assert.Equal(t, int64(250), d.Warmup.Sent, "in half a second")
			assert.Equal(t, int64(300), n.Load())
			assert.Equal(t, n.Load(), reached(d))
			assert.Equal(t, cuts, d.Requests.Unfinished > 0)
			assert.Nil(t, d.Repeat)
		})
	}
}

// Stages with limits are one run from their beginning to their end.
func TestStagesAreTheirOwnEnd(t *testing.T) {
	t.Parallel()
	r, d := makeRound(t, RunOptions{
		Target:   Target{Handler: healthy},
		Settings: Settings{Load: Load{Stages: []load.Stage{{For: 200 * time.Millisecond, From: 0, To: 200}, {For: 300 * time.Millisecond, From: 200, To: 200}}}},
		Limits:   limits(t, "errors<=0"), Control: true,
	})
	assert.Equal(t, int64(80), d.Requests.Due)
	assert.Equal(t, verdict.Pass, d.Verdict)
	assert.Nil(t, d.Warmup)
	assert.Equal(t, 200*time.Millisecond, r.control.arm.seen.Course(), "on either side what a run of 4 s gets")
}

// A call that never returns is given up with its run.
func TestClearOfAStuckFunction(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		defer close(free)
		began := time.Now()
		_, d := makeRound(t, RunOptions{
			Target: Target{Func: func(context.Context) error { <-free; return nil }},
			Settings: Settings{
				Load: Load{Concurrency: 2}, Timeout: 50 * time.Millisecond, Grace: 50 * time.Millisecond, Budget: time.Second, Virtual: true,
			},
			Limits: limits(t, "errors<=0"),
		})
		assert.NotEqual(t, verdict.Pass, d.Verdict)
		assert.Positive(t, d.Requests.Unfinished+d.Requests.Failed+d.Warmup.Sent)
		assert.Less(t, time.Since(began), 5*time.Second)
	})
}

// What is due at a look and not over may yet be in time, or never: for a pass it
// is missed, for a fail it is not.
func TestSettledSoFar(t *testing.T) {
	check := func(done, late int, want bool, why string) {
		t.Helper()
		p := newRun(t, RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Rate: 1000}}, Limits: limits(t, "p90<=100ms", "errors<=0")})
		seen := p.arm.newRecord()
		seen.Offering, seen.Until = 10*time.Second, 10*time.Second
		for k := range done {
			due, took := seen.Offering*time.Duration(k)/time.Duration(done), time.Millisecond
			if k%10 < late {
				took = time.Second
			} else {
				seen.Within[0]++
			}
			seen.Response.Record(int64(took))
			seen.Series.Due(due)
			seen.Series.Response(due, took)
		}
		seen.Succeeded, seen.Sent, seen.Due = int64(done), int64(done), int64(done)
		r := &round{runPlan: p, to: &arm{armPlan: p.arm}}
		assert.Equal(t, want, r.settledSoFar(seen, verdict.DefaultStandard), why)
		if !want {
			assert.Equal(t, verdict.Inconclusive, r.settled[0].Verdict, "%s: no pass that could stand at the end", why)
		}
	}
	check(10_000, 0, true, "all is over and in time")
	check(9_950, 0, true, "a few are on their way, and no reason to fail a limit on errors")
	check(8_000, 0, false, "a fifth is still owed")
	check(10_000, 5, true, "half of them were late")
	check(8_000, 5, true, "what is owed cannot mend that")
	check(8_000, 1, false, "a tenth was late, which may be too many or not")
}

// A limit that no request comes near needs neither 3000 requests nor a look.
func TestClearOfASlowHandler(t *testing.T) {
	t.Parallel()
	for _, texts := range [][]string{{"p99<=1s"}, {"p50<=500ms", "p99<=1s", "errors<=0"}} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			r, d := makeRound(t, RunOptions{
				Target:   Target{Func: lasting(100 * time.Millisecond)},
				Settings: Settings{Virtual: true},
				Limits:   limits(t, texts...),
			})
			assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Limits)
			assert.Equal(t, int64(600), d.Requests.Due, "6 beyond the quantile")
			assert.Equal(t, 6*time.Second, r.to.seen.Course())
			assert.Less(t, time.Since(began), 8*time.Second)
			assert.Equal(t, 0.95, *d.Limits[len(texts)/2].Confidence)
		})
	}
}

// One that some requests come near needs more, and a run that cannot have them ends
// at once.
func TestClearEndsWhereItsBudgetCannotDo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		load  Load
		took  time.Duration
		limit string
		want  string // of the reason; "" if it goes on
		ends  time.Duration
	}{
		{Load{Concurrency: 10}, 500 * time.Millisecond, "p99<=600ms", "ended early, as 30s would bring about 600", 2 * time.Second},
		{Load{Concurrency: 1}, 500 * time.Millisecond, "p99<=10s", "ended early, as 30s would bring about 60", 2 * time.Second},
		{Load{Rate: 8}, time.Millisecond, "p99<=1s", "ended early, as 30s would bring about 240", 2 * time.Second},
		{Load{Rate: 12}, time.Millisecond, "p99<=1s", "ended early, as 30s would bring about 360", 15 * time.Second},
		{Load{Rate: 10}, time.Millisecond, "p50<=1s", "", 30 * time.Second},
		{Load{Concurrency: 10}, 500 * time.Millisecond, "p99<=400ms", "", 30 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, d := makeRound(t, RunOptions{
				Target:   Target{Func: lasting(tc.took)},
				Settings: Settings{Load: tc.load, Virtual: true},
				Limits:   limits(t, tc.limit),
			})
			assert.LessOrEqual(t, r.to.seen.Course(), tc.ends+tc.took, "%s", tc.limit)
			assert.True(t, d.Ended(), "it was not given up: what was seen counts")
			if tc.want == "" {
				assert.NotEqual(t, verdict.Inconclusive, d.Verdict, "%s: %s", tc.limit, d.Limits[0].Reason)
				return
			}
			assert.Equal(t, verdict.Inconclusive, d.Verdict, "%s: %s", tc.limit, d.Limits[0].Reason)
			assert.Contains(t, d.Limits[0].Reason, tc.want)
			assert.Contains(t, d.Limits[0].Basis, tc.want)
		})
	}
}

// What was settled at a look stays so when a little more comes in until the run has
// ended, unless what was counted says otherwise.
func TestVerdictOfALookStands(t *testing.T) {
	settled := verdict.Finding{Verdict: verdict.Pass, Reason: "at the look"}
	failed := verdict.Finding{Verdict: verdict.Fail, Reason: "at the look"}
	for _, tc := range []struct {
		look, end verdict.Finding
		want      verdict.Verdict
		why       string
	}{
		{settled, verdict.Finding{Verdict: verdict.Inconclusive, Holds: true}, verdict.Pass, "nothing new"},
		{settled, verdict.Finding{Verdict: verdict.Inconclusive}, verdict.Inconclusive, "by what was counted in all it does not hold"},
		{settled, verdict.Finding{Verdict: verdict.Fail}, verdict.Fail, "what came in decides"},
		{failed, verdict.Finding{Verdict: verdict.Inconclusive}, verdict.Fail, "nothing new"},
		{failed, verdict.Finding{Verdict: verdict.Inconclusive, Holds: true}, verdict.Inconclusive, "what came in mends it"},
		{verdict.Finding{Verdict: verdict.Inconclusive}, verdict.Finding{Verdict: verdict.Inconclusive, Holds: true}, verdict.Inconclusive, "nothing was settled"},
	} {
		r := &round{settled: []verdict.Finding{tc.look}}
		assert.Equal(t, tc.want, r.keep([]verdict.Finding{tc.end})[0].Verdict, tc.why)
	}
}
