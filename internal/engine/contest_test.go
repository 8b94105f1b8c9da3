package engine

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// openContest opens the targets of a comparison, tries them and makes them ready for
// rounds.
func openContest(t *testing.T, o CompareOptions) *contest {
	t.Helper()
	p := newComparison(t, o)
	c := &contest{session: session{ctx: t.Context(), cut: t.Context()}, comparePlan: p, late: t.Context(), rng: p.rng(), volleys: hist.New(roundBits)}
	for i, plan := range []*armPlan{p.base, p.head} {
		a, err := plan.open(t.Context())
		require.NoError(t, err)
		d, err := a.openDriver(t.Context(), t.Context(), volleyMost)
		require.NoError(t, err)
		c.to[i] = c.newContender(a, d)
		t.Cleanup(func() { a.closeDriver(d); assert.NoError(t, a.close()) })
	}
	c.try()
	c.inquire()
	for _, to := range c.to {
		to.driver.Restart()
	}
	return c
}

// called records the ids of requests to two functions that take a millisecond.
type called struct {
	mu    sync.Mutex
	order string // b or h for each
	ids   map[string]bool
}

func (c *called) as(name string) func(context.Context) error {
	return func(ctx context.Context) error {
		c.mu.Lock()
		c.order += name
		c.ids[target.RequestID(ctx)] = true
		c.mu.Unlock()
		time.Sleep(time.Millisecond)
		return nil
	}
}

// The seed says in which order everything comes: the requests of a stratum are
// shuffled, and of volleys either target's is the first.
func TestOrderOfRounds(t *testing.T) {
	drawn, strata, first := map[string]bool{}, map[string]bool{}, map[byte]bool{}
	for _, seed := range []uint64{1, 1, 2, 3} {
		var calls called
		synctest.Test(t, func(t *testing.T) {
			calls.ids = map[string]bool{}
			c := openContest(t, CompareOptions{
				Base: Target{Func: calls.as("b")}, Head: Target{Func: calls.as("h")}, Order: seed, Settings: Settings{Virtual: true},
			})
			calls.order = ""
			c.round()
			c.round()
		})
		assert.Len(t, calls.order, 2*2*2*(stratumMost+10))
		drawn[calls.order] = true
		strata[calls.order[:2*stratumMost]] = true
		for volleys := 4 * stratumMost; volleys < 4*stratumMost+2*2*10; volleys += 2 * 10 {
			first[calls.order[volleys]] = true
		}
	}
	assert.Len(t, drawn, 3, "one for each seed")
	assert.Greater(t, len(strata), 1, "shuffled")
	assert.Len(t, first, 2, "by a coin")
}

// Only what is open is measured: no strata for claims about volleys, and the other
// way round.
func TestOnlyOpenClaimsAreMeasured(t *testing.T) {
	for claim, want := range map[string]int64{
		verdict.Quick: 2 * stratumMost, verdict.Alone: 2 * stratumMost,
		verdict.Burst: 2 * 10, verdict.Tail: 2 * 10,
	} {
		synctest.Test(t, func(t *testing.T) {
			lasts := Target{Func: lasting(time.Millisecond)}
			c := openContest(t, CompareOptions{Base: lasts, Head: lasts, Claims: []string{claim}, Settings: Settings{Virtual: true}})
			c.round()
			for _, to := range c.to {
				assert.Equal(t, want, to.driver.Record().Sent, claim)
			}
		})
	}
}

// Slow targets get fewer requests in a stratum, and very slow ones fewer strata and
// volleys too.
func TestRoundsOfSlowTargets(t *testing.T) {
	for takes, want := range map[time.Duration][2]int{
		time.Millisecond: {4, 2}, 30 * time.Millisecond: {2, 2}, 150 * time.Millisecond: {1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := openContest(t, CompareOptions{
				Base: Target{Func: lasting(time.Millisecond)}, Head: Target{Func: lasting(takes)}, Settings: Settings{Virtual: true},
			})
			assert.Equal(t, want, [2]int{c.perStratum, c.perRound}, takes)
		})
	}
}

// A volley has what the load has in flight: of an open one what its rate keeps there.
func TestVolleySizes(t *testing.T) {
	for _, tc := range []struct {
		load Load
		want int
	}{
		{Load{Concurrency: 1}, volleyLeast},
		{Load{Concurrency: 20}, 20},
		{Load{Concurrency: 500}, volleyMost},
		{Load{Rate: 100}, volleyLeast},
		{Load{Rate: 2000}, 20},
		{Load{Rate: 1e5}, volleyMost},
	} {
		synctest.Test(t, func(t *testing.T) {
			lasts := Target{Func: lasting(10 * time.Millisecond)}
			c := openContest(t, CompareOptions{Base: lasts, Head: lasts, Settings: Settings{Load: tc.load, Virtual: true}})
			assert.Equal(t, tc.want, c.perVolley, "%+v", tc.load)
			c.volley()
			for _, to := range c.to {
				assert.EqualValues(t, tc.want, to.driver.Record().Succeeded)
			}
		})
	}
}

// A target that takes half a second still gets a verdict within the overtime.
func TestComparisonOfSlowTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := lasting(500 * time.Millisecond)
		began := time.Now()
		d := compareFuncs(t, CompareOptions{Tolerances: within(0.5, 1.05)}, slow, slow)
		assert.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Claims)
		assert.LessOrEqual(t, time.Since(began), overtime*comparisonBudget+3*time.Second)
		assert.Zero(t, d.Requests.Unfinished, "those that the end met are not held against it")
	})
}

// Every request that a target gets is in its record: counted, or as warm-up.
func TestComparisonCountsAllRequests(t *testing.T) {
	for _, load := range []Load{{}, {Rate: 300}} {
		synctest.Test(t, func(t *testing.T) {
			var calls [2]atomic.Int64
			counting := func(i int) func(context.Context) error {
				return func(ctx context.Context) error {
					calls[i].Add(1)
					return lasting(time.Millisecond)(ctx)
				}
			}
			d := compareFuncs(t, CompareOptions{Settings: Settings{Load: load}}, counting(0), counting(1))
			require.Equal(t, verdict.Pass, d.Verdict, "%+v", d.Claims)
			require.Positive(t, d.Pairs.Judged)
			for i, r := range []*record.Record{d.Base.Record, d.Record} {
				assert.Equal(t, calls[i].Load(), r.Sent+r.Warmup.Sent)
			}
		})
	}
}

// What a request allocates beyond the tolerance is a fact: the comparison ends before
// its first round, and is not repeated.
func TestComparisonOfAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("with the race detector sync.Pool drops at random what is put into it")
	}
	d := compare(t, CompareOptions{
		Base: Target{Handler: allocating(0)}, Head: Target{Handler: allocating(40)},
		Settings: Settings{Confirm: true}, Allocs: 20,
	})
	allocs := claimed(t, d, verdict.Allocs)
	require.Equal(t, verdict.Fail, allocs.Verdict, allocs.Reason)
	assert.True(t, allocs.Exact)
	assert.Equal(t, verdict.Fail, d.Verdict)
	assert.Zero(t, d.Pairs.Rounds)
	assert.Nil(t, d.Repeat)
	assert.Positive(t, d.Requests.Succeeded)
	assert.InDelta(t, 40, *d.AllocsPerRequest-*d.Base.AllocsPerRequest, 3)
}

// The repeat gets servers of its own.
func TestRepeatHasFreshServers(t *testing.T) {
	for _, tls := range []bool{false, true} {
		var mu sync.Mutex
		hosts := map[string]bool{}
		head := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			hosts[r.Host] = true
			mu.Unlock()
			target.Sleep(r.Context(), 2*time.Millisecond)
		})
		d := compare(t, CompareOptions{
			Base: Target{Handler: healthy, TLS: tls}, Head: Target{Handler: head, TLS: tls},
			Settings: Settings{Confirm: true, Budget: time.Minute}, Tolerances: within(0.5, 1.2),
		})
		require.Equal(t, verdict.Fail, d.Verdict, "%+v", d.Claims)
		require.NotNil(t, d.Repeat)
		assert.Len(t, hosts, 2)
		assert.Equal(t, "servers", d.Pairs.Renewed)
	}
}

// Large bodies and a connection for each request go the same way.
func TestComparisonOfHeavyRequests(t *testing.T) {
	for name, request := range map[string]RequestOptions{
		"large": {Body: make([]byte, 1<<20)}, "no keep-alive": {NoKeepAlive: true},
	} {
		var read atomic.Int64
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			read.Add(n)
		})
		d := compare(t, CompareOptions{
			Base: Target{Handler: h, RequestOptions: request}, Head: Target{Handler: h, RequestOptions: request},
			Settings: Settings{Load: Load{Concurrency: 3}, Waive: "a test"}, Claims: []string{verdict.Quick, verdict.Burst},
		})
		assert.Equal(t, verdict.NotJudged, d.Verdict)
		assert.GreaterOrEqual(t, d.Pairs.Rounds, 7, name)
		assert.Zero(t, d.Requests.Failed+d.Base.Requests.Failed, "%s: %+v", name, d.Errors)
		if sent := d.Record.Sent + d.Record.Warmup.Sent + d.Base.Record.Sent + d.Base.Record.Warmup.Sent; request.Body != nil {
			assert.Equal(t, sent<<20, read.Load())
		} else {
			assert.GreaterOrEqual(t, d.Record.Connections, d.Record.Sent)
		}
	}
}
