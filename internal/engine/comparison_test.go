package engine

import (
	"context"
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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// taking is a handler that takes so long.
func taking(d time.Duration) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { target.Sleep(r.Context(), d) })
}

func newComparison(t testing.TB, o Options, base, head http.Handler) *Comparison {
	t.Helper()
	b, h := o, o
	b.Handler, h.Handler = base, head
	c, err := NewComparison(b, h)
	require.NoError(t, err)
	return c
}

// compare makes a comparison that nobody stops.
func compare(t testing.TB, o Options, base, head http.Handler) *report.Comparison {
	t.Helper()
	r, err := newComparison(t, o, base, head).Run(t.Context(), t.Context(), nil)
	require.NoError(t, err)
	whole(t, r)
	return r
}

// whole checks that the counts of a comparison add up.
func whole(t testing.TB, r *report.Comparison) {
	t.Helper()
	for _, a := range []report.Arm{r.Base, r.Head} {
		assert.Equal(t, a.Requests.Due, a.Requests.Sent+a.Requests.Unsent)
		assert.Equal(t, a.Requests.Sent, a.Requests.Succeeded+a.Requests.Failed+a.Requests.Unfinished)
		assert.Equal(t, a.Requests.Succeeded, a.ResponseTime.Count)
	}
}

func within(q, ratio float64) []verdict.Tolerance { return []verdict.Tolerance{{Q: q, Ratio: ratio}} }

// elsewhere makes a comparison of URLs, which needs no collections and counts no
// allocations.
func elsewhere(t testing.TB, o Options, base, head http.Handler) *report.Comparison {
	t.Helper()
	b, h := o, o
	for _, arm := range []struct {
		o *Options
		h http.Handler
	}{{&b, base}, {&h, head}} {
		s := httptest.NewServer(arm.h)
		t.Cleanup(s.Close)
		arm.o.URL = s.URL
	}
	c, err := NewComparison(b, h)
	require.NoError(t, err)
	r, err := c.Run(t.Context(), t.Context(), nil)
	require.NoError(t, err)
	whole(t, r)
	assert.Nil(t, r.Head.AllocsPerRequest)
	return r
}

// A head that is slower fails, and if asked for does so twice.
func TestComparisonFindsASlowerHead(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		r := elsewhere(t, Options{
			Concurrency: 4, Tolerances: within(0.5, 1.2), Budget: 20 * time.Second, Portable: portable, Confirm: portable, Pause: time.Millisecond,
		}, taking(500*time.Microsecond), taking(10*time.Millisecond))
		require.Len(t, r.Ratios, 1)
		require.Equal(t, verdict.Fail, r.Ratios[0].Verdict, r.Ratios[0].Reason)
		assert.Equal(t, verdict.Fail, r.Verdict)
		assert.Greater(t, *r.Ratios[0].Ratio, 1.2)
		assert.Greater(t, *r.Head.ResponseTime.P50, *r.Base.ResponseTime.P50)
		if portable {
			require.NotNil(t, r.Repeat)
			assert.Contains(t, r.Ratios[0].Reason, "; a second run, after a pause: head is ")
			assert.Equal(t, r.Seed+1, r.Repeat.Seed)
			assert.NotEqual(t, r.RunID, r.Repeat.RunID)
		}
	})
}

// Equal targets pass.
func TestComparisonPassesEqualTargets(t *testing.T) {
	t.Parallel()
	r := elsewhere(t, Options{Concurrency: 4, Tolerances: within(0.5, 100), Budget: 20 * time.Second},
		taking(time.Millisecond), taking(time.Millisecond))
	assert.GreaterOrEqual(t, r.Pairs, pairsLeast)
	assert.Equal(t, verdict.Pass, r.Verdict, "%+v", r.Ratios)
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
		r := &report.Comparison{Ratios: []report.Ratio{{Verdict: tc.first}}, Limits: []report.LimitResult{{Verdict: pass, Exact: true}}}
		r.Repeat = &report.Comparison{Ratios: []report.Ratio{{Verdict: tc.again}}}
		if tc.fact {
			base := report.LimitResult{Verdict: doubt, Exact: true} // which only failed then
			r.Repeat.Limits = []report.LimitResult{{Verdict: fail, Exact: true, Reason: "b"}, base}
		}
		confirmRatios(r)
		assert.Equal(t, tc.want, r.Ratios[0].Verdict, tc.why)
		assert.Equal(t, tc.overall, r.Verdict, tc.why)
		if tc.fact {
			assert.Equal(t, report.LimitResult{Verdict: fail, Exact: true, Reason: "in a second run: b"}, r.Limits[0], tc.why)
		}
	}
}

var failing = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })

// What head is compared with has to be right: a base that fails is no reason to
// pass, however slow head is.
func TestComparisonWithABaseThatFails(t *testing.T) {
	t.Parallel()
	r := compare(t, Options{Rate: 1000, Limits: limits(t, "errors<=0"), Tolerances: within(0.5, 5), Budget: 2 * time.Second}, failing, healthy)
	assert.Equal(t, verdict.Inconclusive, r.Verdict)
	assert.Equal(t, verdict.Inconclusive, r.Ratios[0].Verdict, "though no limit on errors were given")
	assert.Nil(t, r.Base.AllocsPerRequest, "of requests that fail")
	if r.Pairs < pairsLeast {
		t.Skip("this machine is too slow now")
	}
	assert.Contains(t, r.Ratios[0].Reason, "base missed too many requests")
	require.Len(t, r.Limits, 2)
	assert.True(t, strings.HasPrefix(r.Limits[1].Limit, "base: "))
}

// A head that fails is slower than any base, however fast it does.
func TestComparisonWithAHeadThatFails(t *testing.T) {
	t.Parallel()
	r := elsewhere(t, Options{Concurrency: 4, Tolerances: within(0.5, 5), Budget: 20 * time.Second}, healthy, failing)
	assert.Equal(t, verdict.Fail, r.Verdict, "%+v", r.Ratios)
	assert.Nil(t, r.Ratios[0].Ratio, "without bound")
	assert.Zero(t, r.Head.Requests.Succeeded)
}

// How many of head's requests may fail is judged from a sample, unless none may:
// a fail is repeated as one of times is.
func TestComparisonRepeatsALimitOnErrors(t *testing.T) {
	t.Parallel()
	r := compare(t, Options{
		Rate: 500, Limits: limits(t, "errors<=10%"), Tolerances: within(0.25, 100), Budget: 2 * time.Second, Confirm: true, Pause: time.Millisecond,
	}, healthy, everyOther())
	assert.Equal(t, verdict.Fail, r.Verdict, "%+v", r.Limits)
	require.NotNil(t, r.Repeat)
	assert.Contains(t, r.Limits[0].Reason, "a second run, after a pause")
}

// blocks makes twelve pairs, as many as there are if nothing is judged, and
// returns which target answered when, as a string without repetitions.
func blocks(t *testing.T, o Options) (*report.Comparison, string, map[byte]int64) {
	t.Helper()
	var mu sync.Mutex
	var order []byte
	seen, ids := map[byte]int64{}, map[string]bool{}
	arm := func(name byte) http.Handler {
		return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if seen[name]++; len(order) == 0 || order[len(order)-1] != name {
				order = append(order, name)
			}
			id := r.Header.Get("X-Request-Id")
			assert.False(t, ids[id], id)
			ids[id] = true
		})
	}
	o.Waive, o.Budget = "a test", 20*time.Second
	r := elsewhere(t, o, arm('b'), arm('h'))
	assert.Equal(t, pairsLeast, r.Pairs)
	assert.Equal(t, verdict.NotJudged, r.Verdict)
	return r, string(order), seen
}

// The seed says in which order the blocks come. In an open workload those of a
// pair get the same arrivals, and those of a guard are sent and not counted.
func TestBlocks(t *testing.T) {
	t.Parallel()
	even, first, seen := blocks(t, Options{Rate: 1000, Seed: 1, overTCP: true})
	random, again, _ := blocks(t, Options{Rate: 1000, Seed: 1, Portable: true, Poisson: true})
	assert.Equal(t, first, again, "the same seed")
	rng, drawn := rand.New(rand.NewPCG(1, 1)), "bh" // the trials
	for range pairsLeast {
		pair := "bh"
		if rng.Uint64()&1 == 1 {
			pair = "hb"
		}
		rng.Uint64()
		if drawn[len(drawn)-1] == pair[0] {
			pair = pair[1:]
		}
		drawn += pair
	}
	assert.Equal(t, drawn, first)

	assert.Equal(t, uint64(1), even.Seed)
	due := func(d time.Duration) int64 { return int64(math.Ceil(d.Seconds() * 1000)) } // within d, one a millisecond
	counted := pairsLeast * (due(even.Block) - due(even.Guard))
	assert.Equal(t, counted, even.Base.Requests.Due)
	assert.Equal(t, counted, even.Head.Requests.Due)
	assert.Equal(t, 300+pairsLeast*due(even.Block), seen['b'], "the trial and the guards were sent too")
	assert.Equal(t, random.Base.Requests.Due, random.Head.Requests.Due, "random, but the same")
}

// A target slower than a block, or one that answers nothing within it, is
// compared by what is due at its beginning.
func TestBlocksOfASlowTarget(t *testing.T) {
	t.Parallel()
	for _, slow := range []time.Duration{450 * time.Millisecond, time.Minute} {
		c := newComparison(t, Options{Concurrency: 2, Timeout: 500 * time.Millisecond, Grace: time.Minute, Budget: 10 * time.Second}, taking(slow), healthy)
		x := &contest{Comparison: c, ctx: t.Context(), cut: t.Context(), late: t.Context()}
		var err error
		x.base.arm, err = c.base.open(t.Context())
		require.NoError(t, err)
		x.head.arm, err = c.head.open(t.Context())
		require.NoError(t, err)
		require.NoError(t, x.size())
		assert.Equal(t, blockMost, x.block)
		assert.Zero(t, x.guard)
		x.base.close()
		x.head.close()
	}
}

// A target that takes for ever ends a comparison with its budget, and one that
// does not heed its context too.
func TestComparisonKeepsItsBudget(t *testing.T) {
	t.Parallel()
	free := make(chan struct{})
	defer close(free)
	o := Options{Timeout: time.Hour, Concurrency: 2, Budget: 300 * time.Millisecond}
	base, head := o, o
	base.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	head.Func = func(context.Context) error { <-free; return nil }
	c, err := NewComparison(base, head)
	require.NoError(t, err)
	r, err := c.Run(t.Context(), t.Context(), nil)
	require.NoError(t, err)
	assert.False(t, r.Interrupted)
	assert.Equal(t, verdict.Inconclusive, r.Verdict)
	assert.Zero(t, r.Pairs)
	assert.Contains(t, r.Ratios[0].Reason, "p50: 0 pairs to compare, 12 needed")
}

func TestComparisonSaysWhichTargetIsNotThere(t *testing.T) {
	there, gone := raw(t, nil), "http://"+closedPort
	for _, tc := range []struct{ base, head, want string }{
		{gone, there.URL, "base: connecting to"},
		{there.URL, gone, "head: connecting to"},
	} {
		c, err := NewComparison(Options{URL: tc.base}, Options{URL: tc.head})
		require.NoError(t, err)
		_, err = c.Run(t.Context(), t.Context(), nil)
		assert.ErrorContains(t, err, tc.want)
	}
	assert.Zero(t, there.Seen())
}

// A comparison can be stopped wherever it is, and reports what it has.
func TestComparisonInterrupted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		while   string // it is doing this, an expression
		cut     bool
		overTCP bool
		pairs   bool // there are some
	}{
		{"trying both", false, false, false},
		{`pair ([2-9]|\d\d)`, true, true, true},
		{"counting", true, false, true},
	} {
		while := regexp.MustCompile("^" + tc.while)
		ctx, cancel := context.WithCancel(t.Context())
		cut, cancelCut := context.WithCancel(t.Context())
		o := Options{Rate: 1000, Waive: "a test", Budget: 20 * time.Second, overTCP: tc.overTCP, Confirm: true}
		var stopped atomic.Bool
		r, err := newComparison(t, o, taking(2*time.Millisecond), taking(2*time.Millisecond)).Run(ctx, cut, func(p Progress) {
			if while.MatchString(p.Doing) && !stopped.Swap(true) {
				cancel()
				if tc.cut {
					cancelCut()
				}
			}
		})
		cancel()
		cancelCut()
		require.NoError(t, err)
		whole(t, r)
		assert.True(t, r.Interrupted, tc.while)
		assert.Equal(t, tc.pairs, r.Pairs > 0, tc.while)
		assert.Nil(t, r.Head.AllocsPerRequest)
		assert.Nil(t, r.Repeat)
	}
}

var sink atomic.Pointer[[16]byte]

// allocating allocates so many objects for each request.
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

// counted counts what a request allocates.
func counted(t *testing.T, o Options) float64 {
	t.Helper()
	o.Requests = 1
	p, err := NewPlan(o)
	require.NoError(t, err)
	c := &contestant{}
	c.arm, err = p.open(t.Context())
	require.NoError(t, err)
	defer c.close()
	c.outcome = &record.Record{Service: took(1, 2*time.Millisecond)} // for 150 requests
	a, err := c.measureAllocations(t.Context(), t.Context())
	require.NoError(t, err)
	require.NotNil(t, a)
	return a.objects
}

// Allocations are exact: what one target allocates more is the difference.
func TestAllocations(t *testing.T) {
	for name, o := range map[string]Options{
		"over TCP": {}, "over TLS": {TLS: true, Portable: true},
	} {
		with := func(objects int) Options {
			o.Handler = allocating(objects)
			return o
		}
		more := counted(t, with(40)) - counted(t, with(3))
		if raceEnabled { // pools forget at random then
			assert.InDelta(t, 37, more, 3, name)
			continue
		}
		assert.Equal(t, 37.0, more, name)
	}
	f := func(objects int) Options {
		return Options{Func: func(context.Context) error { allocate(objects); return nil }}
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
			counted(t, Options{Func: func(context.Context) error {
				if runtime.GOMAXPROCS(0) != 1 {
					elsewhere.Add(1)
				}
				return nil
			}})
		})
	}
	counts.Wait()
	assert.Zero(t, elsewhere.Load())
	assert.Equal(t, 3, runtime.GOMAXPROCS(0))
}

// What takes too long to be counted is not.
func TestAllocationsOfASlowTarget(t *testing.T) {
	p, err := NewPlan(Options{Handler: taking(time.Minute), Requests: 1, Timeout: time.Hour})
	require.NoError(t, err)
	c := &contestant{}
	c.arm, err = p.open(t.Context())
	require.NoError(t, err)
	defer c.close()
	c.outcome = c.arm.nothing()
	got, err := c.measureAllocations(t.Context(), t.Context())
	require.NoError(t, err)
	assert.Nil(t, got)
}

func TestHandlersAreComparedOverTCP(t *testing.T) {
	c, err := NewComparison(Options{Handler: healthy}, Options{Handler: healthy})
	require.NoError(t, err)
	assert.False(t, c.base.opts.inMemory())
	assert.False(t, c.head.opts.inMemory())
}
