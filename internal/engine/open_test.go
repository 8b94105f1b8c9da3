package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// latenessAt returns how long after it was due each request arrived at s, by
// request number.
func latenessAt(t *testing.T, s *targettest.Raw, r *report.Document, rate float64) []time.Duration {
	late := make([]time.Duration, r.Requests.Due)
	seen := make([]bool, len(late))
	for _, a := range s.Arrivals() {
		n, err := strconv.Atoi(strings.TrimPrefix(a.ID, r.RunID+"-"))
		require.NoError(t, err)
		require.False(t, seen[n], "request %d arrived twice", n)
		seen[n] = true
		due := time.Duration(float64(n) / rate * float64(time.Second))
		late[n] = s.Start.Add(a.At).Sub(r.StartedAt) - due
	}
	require.NotContains(t, seen, false, "a request never arrived")
	return late
}

// nearest is the value at rank ceil(q*n).
func nearest(ds []time.Duration, q float64) time.Duration {
	ds = slices.Sorted(slices.Values(ds))
	return ds[stat.Rank(q, int64(len(ds)))-1]
}

// The server sees each request when it was due. What is printed are this
// machine's figures of the moment; only nonsense fails.
func TestServerSeesRequestsWhenTheyAreDue(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		const rate, n = 1000, 500
		s := rawWith(t, target.RawOptions{Log: n})
		r := run(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Rate: rate}, Portable: portable}, Duration: n * time.Second / rate})
		require.Equal(t, report.Requests{Due: n, Sent: n, Completed: n, Succeeded: n}, r.Requests)
		require.Equal(t, int64(n), s.Seen())
		late := latenessAt(t, s, r, rate)
		gaps := make([]time.Duration, 0, len(late))
		for i, a := range s.Arrivals()[1:] {
			gaps = append(gaps, a.At-s.Arrivals()[i].At)
		}
		t.Logf("late at the server: p50 %v, p99 %v, max %v; median gap %v",
			nearest(late, 0.5), nearest(late, 0.99), nearest(late, 1), nearest(gaps, 0.5))
		assert.GreaterOrEqual(t, nearest(late, 1e-9), time.Duration(0), "none before it was due")
		assert.Less(t, nearest(late, 0.5), 50*time.Millisecond)
		assert.InDelta(t, rate, *r.Rate.Offered, 0.001)
		// What the generator says of itself is not better than what the server saw.
		require.NotNil(t, r.Lateness.P50)
		assert.LessOrEqual(t, *r.Lateness.P50, nearest(late, 0.5)+20*time.Millisecond)
	})
}

// numberOf is the number of the request that a function is called for.
func numberOf(ctx context.Context) int64 {
	id := target.RequestID(ctx)
	n, _ := strconv.ParseInt(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
	return n
}

// frozen is a function that behaves as timing says, from now on.
func frozen(timing target.Timing) func(context.Context) error {
	began := time.Now()
	return func(ctx context.Context) error {
		time.Sleep(timing.Delay(time.Since(began), numberOf(ctx)))
		return nil
	}
}

// A target that freezes for 300 ms of 600: response times are what users
// who arrived on schedule would have seen.
func TestFreezeIsSeen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const rate, n = 1000, 600
		timing := target.Timing{Freezes: []target.Freeze{{At: 200 * time.Millisecond, For: 300 * time.Millisecond}}}
		r := run(t, RunOptions{Target: Target{Func: frozen(timing)}, Settings: Settings{Load: Load{Rate: rate}, Virtual: true}, Requests: n})
		require.Equal(t, int64(n), r.Requests.Succeeded)
		truth := make([]time.Duration, n)
		for i := range truth {
			truth[i] = timing.Delay(time.Duration(i)*time.Second/rate, int64(i))
		}
		for q, got := range map[float64]*time.Duration{
			0.5: r.ResponseTime.P50, 0.75: r.ResponseTime.P75, 0.9: r.ResponseTime.P90, 0.95: r.ResponseTime.P95,
			1: r.ResponseTime.Max,
		} {
			want := float64(nearest(truth, q))
			assert.InDelta(t, want, *got, want/1000, "p%v", q*100)
		}
		assert.Zero(t, *r.Lateness.Max)
	})
}

// With one permit a frozen target cannot hide behind a client that waits.
func TestFewPermitsHideNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		freeze := target.Freeze{At: 100 * time.Millisecond, For: 600 * time.Millisecond}
		r := run(t, RunOptions{
			Target:   Target{Func: frozen(target.Timing{Freezes: []target.Freeze{freeze}})},
			Settings: Settings{Load: Load{Rate: 1000, Concurrency: 1}, Virtual: true},
			Requests: 1000,
		})
		assert.InEpsilon(t, 350*time.Millisecond, *r.ResponseTime.P75, 0.01, "of 1000, 600 met the freeze")
		assert.InEpsilon(t, 599*time.Millisecond, *r.PermitWait.Max, 0.001, "and all of those except one waited for the permit")
		assert.Equal(t, 599*time.Millisecond, r.Generator.PermitsExhausted)
		assert.Zero(t, *r.ServiceTime.P75)
	})
}

// Nothing looks empty or fast when a target never answers.
func TestNeverAnsweringTargetMissesEveryLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := run(t, RunOptions{
			Target: Target{Func: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }},
			Settings: Settings{
				Load: Load{Rate: 1000, Concurrency: 50}, Timeout: 400 * time.Millisecond, Grace: 20 * time.Millisecond, Virtual: true,
			},
			Duration: 1500 * time.Millisecond,
			Limits:   limits(t, "p50<=1h", "mean<=1h", "max<=1h", "errors<=50%", "throughput>=0.001", "goodput>=0.001"),
		})
		assert.Equal(t, report.Requests{Due: 1500, Sent: 200, Failed: 150, Unsent: 1300, Unfinished: 50}, r.Requests, "50 at once, for 400 ms each")
		assert.Equal(t, map[string]int64{"timeout": 150}, kinds(r))
		assert.Nil(t, r.ResponseTime.P50, "no response, no quantile")
		for _, l := range r.Limits {
			assert.Equal(t, verdict.Fail, l.Verdict, "%s: %s", l.Limit, l.Reason)
		}
		assert.Equal(t, verdict.Fail, r.Verdict)
	})
}

func TestPoissonRunsRepeat(t *testing.T) {
	p := newRun(t, RunOptions{Target: Target{URL: "http://h/"}, Settings: Settings{Load: Load{Rate: 20_000, Poisson: true, Seed: 7}}, Requests: 200}).arm
	all := map[time.Duration]bool{}
	for c := p.schedule.Cursor(); len(all) < 200; {
		a, _ := c.Next()
		all[a.Due] = true
	}
	check := func(o RunOptions, why string) {
		t.Helper()
		o.Rate, o.Poisson, o.Seed, o.Requests = 20_000, true, 7, 200
		r := run(t, o)
		assert.Equal(t, "poisson", r.Config.Arrivals, why)
		assert.Equal(t, uint64(7), r.Config.Seed, why)
		assert.NotEmpty(t, r.Slowest, why)
		for _, s := range r.Slowest {
			assert.True(t, all[s.Due], "%s: %v is an arrival of seed 7", why, s.Due)
		}
	}
	check(RunOptions{Target: Target{Func: func(context.Context) error { return nil }}}, "a function")
	check(RunOptions{Target: Target{URL: raw(t, nil).URL}}, "a server")
	check(RunOptions{Target: Target{URL: raw(t, nil).URL}, Settings: Settings{Portable: true}}, "a server, from goroutines")
}
