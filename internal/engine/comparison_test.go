package engine

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"slices"
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
// tests: allocations are counted on one processor.
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

// claimed returns the claim with a name, and the quantile of the tail's.
func claimed(t testing.TB, d *report.Document, name string) report.ClaimResult {
	t.Helper()
	i := slices.IndexFunc(d.Claims, func(c report.ClaimResult) bool { return c.Claim == name })
	require.GreaterOrEqual(t, i, 0, "no claim %s in %+v", name, d.Claims)
	return d.Claims[i]
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
		require.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Claims)
		require.Len(t, d.Ratios, 1)
		assert.Equal(t, verdict.NotJudged, d.Ratios[0].Verdict, "not measured any more")
		assert.Greater(t, *claimed(t, d, verdict.Alone).Ratio, 1.2)
		assert.Greater(t, *d.ResponseTime.P50, *d.Base.ResponseTime.P50)
		assert.Nil(t, d.AllocsPerRequest, "those of a server elsewhere cannot be counted")
		assert.Equal(t, base.URL, d.Base.Target)
		assert.Equal(t, head.URL, d.Target)
	})
}

// If asked for, it fails twice: at once, but with another order and other targets.
// Only what failed is examined again.
func TestComparisonIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		d := compareFuncs(t, CompareOptions{
			Settings:   Settings{Confirm: true},
			Tolerances: append(within(0.5, 1.2), within(0.99, 3)...),
		}, lasting(time.Millisecond), lasting(2*time.Millisecond))
		require.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Claims)
		require.NotNil(t, d.Repeat)
		quick, again := claimed(t, d, verdict.Quick), claimed(t, d.Repeat, verdict.Quick)
		assert.Equal(t, verdict.Fail, quick.Verdict)
		assert.Equal(t, verdict.Fail, again.Verdict)
		assert.InDelta(t, 2, *quick.Ratio, 0.01)
		assert.Contains(t, quick.Reason, again.Reason)
		assert.Empty(t, d.Repeat.Ratios, "they were not judged")
		for _, c := range d.Repeat.Claims {
			assert.NotEqual(t, verdict.Tail, c.Claim, "it had not failed")
		}
		assert.Equal(t, d.Pairs.Seed+1, d.Repeat.Pairs.Seed)
		assert.NotEqual(t, d.RunID, d.Repeat.RunID)
		assert.Equal(t, time.Since(began), d.Took+d.Repeat.Took)
	})
}

// Equal targets pass, and then sustained load is looked at.
func TestComparisonPassesEqualTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := compareFuncs(t, CompareOptions{Settings: Settings{Warmup: time.Second}}, lasting(time.Millisecond), lasting(time.Millisecond))
		assert.Equal(t, verdict.LeastPairs, d.Pairs.Judged)
		assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Claims)
		require.Len(t, d.Ratios, 2, "the default tolerances")
		assert.Equal(t, 1.0, *d.Ratios[0].Ratio)
		for _, name := range []string{verdict.Quick, verdict.Alone, verdict.Burst, verdict.Tail} {
			assert.Equal(t, verdict.Pass, claimed(t, d, name).Verdict, name)
		}
	})
}

// A failed request is a fact, and yet the claim that fails with it is repeated:
// here it does not fail again.
func TestConfirmAClaimBesideAFact(t *testing.T) {
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
		assert.Equal(t, verdict.Inconclusive, claimed(t, d, verdict.Quick).Verdict, "%+v", d.Claims)
		assert.Equal(t, verdict.Fail, d.Limits[0].Verdict)
		assert.Equal(t, verdict.Fail, d.Verdict)
	})
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
		quick := claimed(t, d, verdict.Quick)
		assert.Equal(t, verdict.Inconclusive, quick.Verdict, "though no limit on errors were given")
		assert.Nil(t, d.Base.AllocsPerRequest, "of requests that fail")
		assert.Contains(t, quick.Reason, "base's own requests failed")
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
		assert.Contains(t, d.Limits[0].Reason, "; a second run: ")
	})
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
		{`round ([2-9]|\d\d)`, true, false},
		{`sustained load, pair ([2-9]|\d\d)`, true, true},
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
				Settings: Settings{Load: Load{Rate: 1000}, Warmup: time.Second, Waive: "a test", Confirm: true, Virtual: true},
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
			assert.Equal(t, tc.while != "trying both", d.AllocsPerRequest != nil)
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

// contending makes the target of a run ready for a contest, with one request sent.
func contending(t *testing.T, o RunOptions) *contender {
	t.Helper()
	o.Requests = 1 // as a run needs an end
	a, err := newRun(t, o, overTCP).arm.open(t.Context())
	require.NoError(t, err)
	d, err := a.openDriver(t.Context(), t.Context(), volleyMost)
	require.NoError(t, err)
	c := new(contest).newContender(a, d)
	t.Cleanup(func() { a.closeDriver(d); assert.NoError(t, a.close()) })
	c.takes = c.tryFor(0, 1, 1)
	return c
}

// counted counts what a request allocates.
func counted(t *testing.T, o RunOptions) float64 {
	t.Helper()
	n := contending(t, o).countAllocations()
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
	o := RunOptions{Target: Target{Func: func(context.Context) error {
		if runtime.GOMAXPROCS(0) != 1 {
			elsewhere.Add(1)
		}
		return nil
	}}}
	targets := []*contender{contending(t, o), contending(t, o)}
	elsewhere.Store(0)
	var counts sync.WaitGroup
	for _, c := range targets {
		counts.Go(func() { assert.NotNil(t, c.countAllocations()) })
	}
	counts.Wait()
	assert.Zero(t, elsewhere.Load())
	assert.Equal(t, 3, runtime.GOMAXPROCS(0))
}

// What takes too long to be counted is not.
func TestAllocationsOfASlowTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := contending(t, RunOptions{Target: Target{Func: lasting(time.Minute)}, Settings: Settings{Timeout: time.Hour, Virtual: true}})
		began := time.Now()
		assert.Nil(t, c.countAllocations())
		assert.Zero(t, time.Since(began))
	})
}

func TestHandlersAreComparedOverTCP(t *testing.T) {
	p := newComparison(t, CompareOptions{Base: Target{Handler: healthy}, Head: Target{Handler: healthy}})
	assert.False(t, p.base.inMemory())
	assert.False(t, p.head.inMemory())
}
