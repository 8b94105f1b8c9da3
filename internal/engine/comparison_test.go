package engine

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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

// taking is a handler that takes the given time.
func taking(d time.Duration) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { target.Sleep(r.Context(), d) })
}

func failing(context.Context) error {
	time.Sleep(time.Millisecond)
	return errors.New("always")
}

// failingAfterOne is failing with one success before, so that it is not given up.
func failingAfterOne() func(context.Context) error {
	var once sync.Once
	return func(ctx context.Context) (err error) {
		err = failing(ctx)
		once.Do(func() { err = nil })
		return err
	}
}

func newComparison(t testing.TB, o CompareOptions) *comparePlan {
	t.Helper()
	p, err := NewComparison(o)
	require.NoError(t, err)
	return p.(*comparePlan)
}

// compare makes a comparison that nothing stops.
func compare(t testing.TB, o CompareOptions) *report.Document {
	t.Helper()
	d, err := newComparison(t, o).Run(t.Context(), t.Context(), nil)
	require.NoError(t, err)
	checkComparison(t, d)
	return d
}

// compareFuncs is compare for two functions, in virtual time. Not beside other
// tests: to count allocations it collects garbage often, which waits for them.
func compareFuncs(t testing.TB, o CompareOptions, base, head func(context.Context) error) *report.Document {
	t.Helper()
	o.Base.Func, o.Head.Func, o.Virtual = base, head, true
	return compare(t, o)
}

// checkComparison checks that the counts of a comparison add up.
func checkComparison(t testing.TB, d *report.Document) {
	t.Helper()
	checkDocument(t, d)
	require.NotNil(t, d.Base)
	require.NotNil(t, d.Pairs)
	assert.Equal(t, report.Comparison, d.Kind)
	assert.NotEqual(t, d.RunID, d.Base.RunID)
	require.NoError(t, d.Base.Record.Check())
	for _, a := range []*report.Arm{d.Base, &d.Arm} {
		assert.Nil(t, a.Warmup, "the guards of blocks are none")
		for _, s := range a.Slowest {
			assert.True(t, strings.HasPrefix(s.ID, a.RunID+"-"), s.ID)
		}
		assert.Equal(t, a.Requests.Due, a.Requests.Sent+a.Requests.Unsent)
		assert.Equal(t, a.Requests.Sent, a.Requests.Succeeded+a.Requests.Failed+a.Requests.Unfinished)
		assert.Equal(t, a.Requests.Succeeded, a.ResponseTime.Count)
	}
}

func within(q, ratio float64) []verdict.Tolerance { return []verdict.Tolerance{{Q: q, Ratio: ratio}} }

// A head that is slower fails: here over TCP, as everything is compared that is
// no function.
func TestComparisonFindsASlowerHead(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		base, head := httptest.NewServer(taking(500*time.Microsecond)), httptest.NewServer(taking(10*time.Millisecond))
		defer base.Close()
		defer head.Close()
		d := compare(t, CompareOptions{
			Base: Target{URL: base.URL}, Head: Target{URL: head.URL},
			Settings:   Settings{Load: Load{Concurrency: 4}, Budget: time.Minute, Portable: portable},
			Tolerances: within(0.5, 1.2),
		})
		require.Len(t, d.Ratios, 1)
		require.Equal(t, verdict.Fail, d.Ratios[0].Verdict, d.Ratios[0].Reason)
		assert.Equal(t, verdict.Fail, d.Verdict)
		assert.Greater(t, *d.Ratios[0].Ratio, 1.2)
		assert.Greater(t, *d.ResponseTime.P50, *d.Base.ResponseTime.P50)
		assert.Nil(t, d.AllocsPerRequest, "those of a server elsewhere cannot be counted")
		assert.Equal(t, base.URL, d.Base.Target)
		assert.Equal(t, head.URL, d.Target)
	})
}

// If asked for, it fails twice.
func TestComparisonIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := compareFuncs(t, CompareOptions{
			Settings:   Settings{Confirm: true},
			Tolerances: within(0.5, 1.2),
		}, lasting(time.Millisecond), lasting(2*time.Millisecond))
		require.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Ratios)
		assert.InDelta(t, 2, *d.Ratios[0].Ratio, 0.01)
		require.NotNil(t, d.Repeat)
		assert.Contains(t, d.Ratios[0].Reason, "; a second run, after a pause: head is ")
		assert.Equal(t, d.Pairs.Seed+1, d.Repeat.Pairs.Seed)
		assert.NotEqual(t, d.RunID, d.Repeat.RunID)
		assert.GreaterOrEqual(t, time.Since(began), d.Took+pauseLeast+d.Repeat.Took)
	})
}

// Equal targets pass.
func TestComparisonPassesEqualTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := compareFuncs(t, CompareOptions{Settings: Settings{Warmup: time.Second}}, lasting(time.Millisecond), lasting(time.Millisecond))
		assert.GreaterOrEqual(t, d.Pairs.Judged, verdict.LeastPairs)
		assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Ratios)
		require.Len(t, d.Ratios, 2, "the default tolerances")
		assert.Equal(t, 1.0, *d.Ratios[0].Ratio)
	})
}

// A failed request is a fact, and yet the ratio that fails with it is repeated:
// here it does not fail again.
func TestConfirmARatioBesideAFact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, fails := time.Now(), failingAfterOne()
		d := compareFuncs(t, CompareOptions{
			Settings: Settings{Budget: 2 * time.Second, Confirm: true, Pause: time.Minute},
			Limits:   limits(t, "errors<=0"), Tolerances: within(0.5, 1.2),
		}, lasting(time.Millisecond), func(ctx context.Context) error {
			if time.Since(began) < time.Minute { // in the first run
				return fails(ctx)
			}
			return lasting(time.Millisecond)(ctx)
		})
		require.NotNil(t, d.Repeat)
		assert.Equal(t, verdict.Inconclusive, d.Ratios[0].Verdict, d.Ratios[0].Reason)
		assert.Equal(t, verdict.Fail, d.Limits[0].Verdict)
		assert.Equal(t, verdict.Fail, d.Verdict)
	})
}

func TestConfirmRatios(t *testing.T) {
	const pass, fail, doubt = verdict.Pass, verdict.Fail, verdict.Inconclusive
	for _, tc := range []struct {
		first, again, want verdict.Verdict
		fact               bool // of the repeat
		overall            verdict.Verdict
		why                string
	}{
		{fail, fail, fail, false, fail, "twice"},
		{fail, pass, doubt, false, doubt, "not repeated"},
		{fail, doubt, doubt, false, doubt, "nor with doubt"},
		{pass, fail, pass, false, pass, "passed first"},
		{fail, pass, doubt, true, fail, "a fact of the repeat counts"},
	} {
		d := &report.Document{Ratios: []report.RatioResult{{Verdict: tc.first}}, Limits: []report.LimitResult{{Verdict: pass, Exact: true}}}
		d.Repeat = &report.Document{Ratios: []report.RatioResult{{Verdict: tc.again}}}
		if tc.fact {
			base := report.LimitResult{Verdict: doubt, Exact: true} // which only failed then
			d.Repeat.Limits = []report.LimitResult{{Verdict: fail, Exact: true, Summary: "s", Basis: "n", Reason: "b"}, base}
		}
		d.Confirm()
		assert.Equal(t, tc.want, d.Ratios[0].Verdict, tc.why)
		assert.Equal(t, tc.overall, d.Verdict, tc.why)
		if tc.fact {
			assert.Equal(t, report.LimitResult{Verdict: fail, Exact: true, Summary: "in a second run: s", Basis: "n", Reason: "in a second run: b"}, d.Limits[0], tc.why)
		}
	}
}

// What head is compared with has to be right: a base that fails is no reason to
// pass, however slow head is.
func TestComparisonWithABaseThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := compareFuncs(t, CompareOptions{
			Settings: Settings{Load: Load{Rate: 1000}, Budget: 2 * time.Second},
			Limits:   limits(t, "errors<=0"), Tolerances: within(0.5, 5),
		}, failingAfterOne(), lasting(time.Millisecond))
		assert.Equal(t, verdict.Inconclusive, d.Verdict)
		assert.Equal(t, verdict.Inconclusive, d.Ratios[0].Verdict, "though no limit on errors were given")
		assert.Nil(t, d.Base.AllocsPerRequest, "of requests that fail")
		assert.Contains(t, d.Ratios[0].Reason, "base missed too many requests")
		require.Len(t, d.Limits, 2)
		assert.True(t, strings.HasPrefix(d.Limits[1].Limit, "base: "))
	})
}

// A head that fails is slower than any base, however fast it does.
func TestComparisonWithAHeadThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := compareFuncs(t, CompareOptions{Tolerances: within(0.5, 5)}, lasting(time.Millisecond), failingAfterOne())
		assert.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Ratios)
		assert.Nil(t, d.Ratios[0].Ratio, "without bound")
		assert.Zero(t, d.Requests.Succeeded)
	})
}

// How many of head's requests may fail is judged from a sample, unless none may:
// a fail is repeated as one of times is.
func TestComparisonRepeatsALimitOnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := compareFuncs(t, CompareOptions{
			Settings: Settings{Load: Load{Rate: 500}, Budget: 2 * time.Second, Confirm: true, Pause: time.Millisecond},
			Limits:   limits(t, "errors<=10%"), Tolerances: within(0.25, 100),
		}, lasting(time.Millisecond), failingEveryOther(1<<40))
		assert.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Limits)
		require.NotNil(t, d.Repeat)
		assert.Contains(t, d.Limits[0].Reason, "a second run, after a pause")
	})
}

// allocationCalls is how often a target that takes a millisecond is called to
// count its allocations.
const allocationCalls = allocTries * (2*allocLeast + allocMost)

// appendNames adds names to a string that has no name twice in a row.
func appendNames(order, names string) string {
	for _, name := range names {
		if !strings.HasSuffix(order, string(name)) {
			order += string(name)
		}
	}
	return order
}

// blocks makes twelve pairs, as many as there are if nothing is judged, and
// returns which target was called when, as a string without repetitions, and how
// often.
func blocks(t *testing.T, o CompareOptions) (d *report.Document, order string, calls map[string]int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ids := map[string]bool{}
		calls = map[string]int64{}
		arm := func(name string) func(context.Context) error {
			count := func(id string) {
				mu.Lock()
				defer mu.Unlock()
				assert.False(t, ids[id], id)
				ids[id] = true
				order = appendNames(order, name)
				calls[name]++
			}
			return func(ctx context.Context) error {
				count(target.RequestID(ctx))
				time.Sleep(time.Millisecond)
				return nil
			}
		}
		o.Waive = "a test"
		d = compareFuncs(t, o, arm("b"), arm("h"))
	})
	assert.Equal(t, verdict.LeastPairs, d.Pairs.Judged)
	assert.Equal(t, verdict.NotJudged, d.Verdict)
	return d, order, calls
}

// The seed says in which order the blocks come. In an open workload those of a
// pair get the same arrivals, and those of a guard are sent and not counted.
func TestBlocks(t *testing.T) {
	even, first, calls := blocks(t, CompareOptions{Settings: Settings{Load: Load{Rate: 1000}}, Order: 1})
	random, again, _ := blocks(t, CompareOptions{Settings: Settings{Load: Load{Rate: 1000, Poisson: true}}, Order: 1})
	assert.Equal(t, first, again, "the same seed")
	rng, drawn := rand.New(rand.NewPCG(1, 1)), "bh" // the trials
	for range verdict.LeastPairs {
		if rng.Uint64()&1 == 1 {
			drawn = appendNames(drawn, "hb")
		} else {
			drawn = appendNames(drawn, "bh")
		}
		rng.Uint64()
	}
	assert.Equal(t, appendNames(drawn, "bh"), first, "and at last allocations are counted")

	assert.Equal(t, uint64(1), even.Pairs.Seed)
	due := func(d time.Duration) int64 { return int64(math.Ceil(d.Seconds() * 1000)) } // within d, one a millisecond
	counted := verdict.LeastPairs * (due(even.Pairs.Block) - due(even.Pairs.Guard))
	assert.Equal(t, counted, even.Base.Requests.Due)
	assert.Equal(t, counted, even.Requests.Due)
	assert.Equal(t, 300+verdict.LeastPairs*due(even.Pairs.Block)+allocationCalls, calls["b"], "the trial and the guards were sent too")
	assert.Equal(t, random.Base.Requests.Due, random.Requests.Due, "random, but the same")
}

// A target slower than a block, or one that answers nothing within it, is
// compared by what is due at its beginning.
func TestBlocksOfASlowTarget(t *testing.T) {
	for _, slow := range []time.Duration{450 * time.Millisecond, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			p := newComparison(t, CompareOptions{
				Base: Target{Func: lasting(slow)}, Head: Target{Func: lasting(time.Millisecond)},
				Settings: Settings{Load: Load{Concurrency: 2}, Timeout: 500 * time.Millisecond, Grace: time.Minute, Budget: 10 * time.Second, Virtual: true},
			})
			c := &contest{session: session{ctx: t.Context(), cut: t.Context()}, comparePlan: p, late: t.Context()}
			for i, plan := range []*armPlan{p.base, p.head} {
				var err error
				c.to[i], err = plan.open(t.Context())
				require.NoError(t, err)
			}
			require.NoError(t, c.size())
			assert.Equal(t, blockMost, c.block)
			assert.Zero(t, c.guard)
		})
	}
}

// A target that never answers ends a comparison with its budget, and one that
// ignores its context too.
func TestComparisonKeepsItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		defer close(free)
		began := time.Now()
		d := compareFuncs(t, CompareOptions{Settings: Settings{Load: Load{Concurrency: 2}, Timeout: time.Hour, Budget: 300 * time.Millisecond}},
			func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
			func(context.Context) error { <-free; return nil })
		assert.False(t, d.Interrupted)
		assert.Equal(t, verdict.Inconclusive, d.Verdict)
		assert.Zero(t, d.Pairs.Judged)
		assert.Contains(t, d.Ratios[0].Reason, "p50: 0 pairs to compare, 12 needed")
		assert.Less(t, time.Since(began), 10*time.Second)
	})
}

func TestComparisonSaysWhichTargetIsNotThere(t *testing.T) {
	there, gone := raw(t, nil), "http://"+closedPort
	for _, tc := range []struct{ base, head, want string }{
		{gone, there.URL, "base: connecting to"},
		{there.URL, gone, "head: connecting to"},
	} {
		p := newComparison(t, CompareOptions{Base: Target{URL: tc.base}, Head: Target{URL: tc.head}})
		_, err := p.Run(t.Context(), t.Context(), nil)
		assert.ErrorContains(t, err, tc.want)
	}
	assert.Zero(t, there.Seen())
}

func TestComparisonRefuses(t *testing.T) {
	for _, tc := range []struct {
		field, want string
		edit        func(*CompareOptions)
	}{
		{"Base", "is missing", func(o *CompareOptions) { o.Base.Func = nil }},
		{"Head", "exactly one", func(o *CompareOptions) { o.Head.URL = "http://h/" }},
		{"Base", `scheme "ftp"`, func(o *CompareOptions) { o.Base = Target{URL: "ftp://h/"} }},
		{"Head", "not a token", func(o *CompareOptions) {
			o.Head = Target{URL: "http://h/", RequestOptions: RequestOptions{Method: "a b"}}
		}},
		{"Timeout", "out of range", func(o *CompareOptions) { o.Timeout = -1 }},
		{"Stages", "short blocks", func(o *CompareOptions) { o.Stages = []load.Stage{{For: time.Second, From: 1, To: 1}} }},
		{"Limits", "by Tolerances", func(o *CompareOptions) { o.Limits = limits(t, "p99<=1s") }},
		{"Tolerances", "want at least 1", func(o *CompareOptions) { o.Tolerances = within(0.5, 0.9) }},
		{"Tolerances", "between 0 and 1", func(o *CompareOptions) { o.Tolerances = within(1, 2) }},
		{"Tolerances", "0.5 has two", func(o *CompareOptions) { o.Tolerances = append(within(0.5, 2), within(0.5, 3)...) }},
	} {
		o := CompareOptions{Base: Target{Func: lasting(0)}, Head: Target{Func: lasting(0)}}
		tc.edit(&o)
		_, err := NewComparison(o)
		require.Error(t, err, tc.want)
		fs := faultsOf(t, err)
		require.Len(t, fs, 1, "%v", err)
		assert.Equal(t, tc.field, fs[0].Field)
		assert.Contains(t, fs[0].Want, tc.want)
	}
}

// A comparison can be stopped wherever it is, and reports what it has.
func TestComparisonInterrupted(t *testing.T) {
	for _, tc := range []struct {
		while string // it is doing this, an expression
		cut   bool
		pairs bool // there are some
	}{
		{"trying both", false, false},
		{`pair ([2-9]|\d\d)`, true, true},
		{"counting", true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			while := regexp.MustCompile("^" + tc.while)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cut, cancelCut := context.WithCancel(t.Context())
			defer cancelCut()
			var stopped atomic.Bool
			p := newComparison(t, CompareOptions{
				Base: Target{Func: lasting(2 * time.Millisecond)}, Head: Target{Func: lasting(2 * time.Millisecond)},
				Settings: Settings{Load: Load{Rate: 1000}, Waive: "a test", Confirm: true, Virtual: true},
			})
			d, err := p.Run(ctx, cut, func(p Progress) {
				if while.MatchString(p.Doing) && !stopped.Swap(true) {
					cancel()
					if tc.cut {
						cancelCut()
					}
				}
			})
			require.NoError(t, err)
			checkComparison(t, d)
			assert.True(t, d.Interrupted, tc.while)
			assert.Equal(t, tc.pairs, d.Pairs.Judged > 0, tc.while)
			assert.Nil(t, d.AllocsPerRequest)
			assert.Nil(t, d.Repeat)
		})
	}
}

var sink atomic.Pointer[[16]byte]

// allocating allocates the given number of objects for each request.
func allocating(objects int) http.Handler {
	return http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		allocate(objects)
	})
}

func allocate(objects int) {
	for range objects {
		sink.Store(new([16]byte))
	}
}

// openArm opens the target of a run of which one request has taken d.
func openArm(t *testing.T, o RunOptions, d time.Duration) *arm {
	t.Helper()
	o.Requests = 1
	a, err := newRun(t, o, overTCP).arm.open(t.Context())
	require.NoError(t, err)
	a.seen.Succeeded = 1
	a.seen.Service.Merge(took(1, d))
	return a
}

// counted counts what a request allocates.
func counted(t *testing.T, o RunOptions) float64 {
	t.Helper()
	a := openArm(t, o, 2*time.Millisecond) // for 150 requests
	defer a.close()
	n, err := a.measureAllocations(t.Context(), t.Context())
	require.NoError(t, err)
	require.NotNil(t, n)
	return n.objects
}

// Allocations are exact: what one target allocates more is the difference.
func TestAllocations(t *testing.T) {
	for name, o := range map[string]RunOptions{
		"over TCP": {}, "over TLS": {Target: Target{TLS: true}, Settings: Settings{Portable: true}},
	} {
		with := func(objects int) RunOptions {
			o.Target.Handler = allocating(objects)
			return o
		}
		more := counted(t, with(40)) - counted(t, with(3))
		if raceEnabled { // pools forget at random then
			assert.InDelta(t, 37, more, 3, name)
			continue
		}
		assert.Equal(t, 37.0, more, name)
	}
	f := func(objects int) RunOptions {
		return RunOptions{Target: Target{Func: func(context.Context) error { allocate(objects); return nil }}}
	}
	assert.Equal(t, 7.0, counted(t, f(7))-counted(t, f(0)))
}

// They are counted on one processor, by one comparison at a time, and then the
// process has its processors again.
func TestAllocationsAreCountedOnOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	var elsewhere atomic.Int64
	var counts sync.WaitGroup
	for range 2 {
		counts.Go(func() {
			counted(t, RunOptions{
				Target: Target{Func: func(context.Context) error {
					if runtime.GOMAXPROCS(0) != 1 {
						elsewhere.Add(1)
					}
					return nil
				}},
			})
		})
	}
	counts.Wait()
	assert.Zero(t, elsewhere.Load())
	assert.Equal(t, 3, runtime.GOMAXPROCS(0))
}

// What takes too long to be counted is not.
func TestAllocationsOfASlowTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		a := openArm(t, RunOptions{Target: Target{Func: lasting(time.Minute)}, Settings: Settings{Timeout: time.Hour, Virtual: true}}, time.Minute)
		n, err := a.measureAllocations(t.Context(), t.Context())
		require.NoError(t, err)
		assert.Nil(t, n)
		assert.Equal(t, allocPatience, time.Since(began))
	})
}

func TestHandlersAreComparedOverTCP(t *testing.T) {
	p := newComparison(t, CompareOptions{Base: Target{Handler: healthy}, Head: Target{Handler: healthy}})
	assert.False(t, p.base.inMemory())
	assert.False(t, p.head.inMemory())
}
