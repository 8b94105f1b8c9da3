package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
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
func latenessAt(t *testing.T, s *targettest.Raw, r *report.Report, rate float64) []time.Duration {
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
		const rate = 1000
		s := rawWith(t, target.RawOptions{Log: 1000})
		r := run(t, Options{URL: s.URL, Portable: portable, Rate: rate, Duration: time.Second})
		require.Equal(t, report.Requests{Due: rate, Sent: rate, Completed: rate, Succeeded: rate}, r.Requests)
		require.Equal(t, int64(rate), s.Seen())
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

// A server that freezes for 300 ms of 600: response times are what users
// who arrived on schedule would have seen.
func TestFreezeIsSeen(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		const rate, n = 1000, 600
		timing := target.Timing{Freezes: []target.Freeze{{At: 200 * time.Millisecond, For: 300 * time.Millisecond}}}
		s := rawWith(t, target.RawOptions{Timing: timing})
		r := run(t, Options{URL: s.URL, Portable: portable, Rate: rate, Requests: n})
		require.Equal(t, int64(n), r.Requests.Succeeded)
		truth := make([]time.Duration, n)
		for i := range truth {
			truth[i] = timing.Delay(time.Duration(i)*time.Second/rate, int64(i))
		}
		// What the machine took from this process is no fault of the numbers.
		require.NotNil(t, r.Generator.HiccupMax)
		apart := max(150*time.Millisecond, 4**r.Generator.HiccupMax)
		for q, got := range map[float64]*time.Duration{
			0.5: r.ResponseTime.P50, 0.75: r.ResponseTime.P75, 0.9: r.ResponseTime.P90, 0.95: r.ResponseTime.P95,
			0.99: r.ResponseTime.P99, 1: r.ResponseTime.Max,
		} {
			want := nearest(truth, q)
			t.Logf("p%v: %v, truth %v", q*100, *got, want)
			assert.InDelta(t, want, *got, max(float64(want)*0.05, float64(apart)), "p%v", q*100)
		}
	})
}

// With one permit a frozen server cannot hide behind a client that waits.
func TestFewPermitsHideNothing(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		freeze := target.Freeze{At: 100 * time.Millisecond, For: 600 * time.Millisecond}
		s := rawWith(t, target.RawOptions{Timing: target.Timing{Freezes: []target.Freeze{freeze}}})
		r := run(t, Options{URL: s.URL, Portable: portable, Rate: 1000, Requests: 1000, Concurrency: 1})
		assert.Greater(t, *r.ResponseTime.P75, 50*time.Millisecond, "a half met the freeze")
		assert.Greater(t, *r.PermitWait.Max, 150*time.Millisecond, "and waited for the permit")
		assert.Greater(t, r.Generator.PermitsExhausted, 150*time.Millisecond)
		assert.Less(t, *r.ServiceTime.P75, *r.ResponseTime.P75)
	})
}

// Nothing looks empty or fast when a server never answers.
func TestNeverAnsweringServerMissesEveryLimit(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		var limits []verdict.Limit
		for _, text := range []string{"p50<=1h", "mean<=1h", "max<=1h", "errors<=50%", "throughput>=0.001", "goodput>=0.001"} {
			l, err := verdict.Parse(text)
			require.NoError(t, err)
			limits = append(limits, l)
		}
		s := raw(t, say(""))
		r := run(t, Options{
			URL: s.URL, Portable: portable, Rate: 1000, Duration: 1500 * time.Millisecond, Concurrency: 50,
			Timeout: 400 * time.Millisecond, Grace: 20 * time.Millisecond, Limits: limits,
		})
		q := r.Requests
		assert.Equal(t, int64(1500), q.Due)
		assert.Zero(t, q.Succeeded)
		assert.Equal(t, map[string]int64{"timeout": q.Failed}, kinds(r))
		assert.GreaterOrEqual(t, q.Failed, int64(50), "those sent first")
		assert.Positive(t, q.Unfinished)
		assert.Positive(t, q.Unsent)
		_ = s.Await(t.Context(), q.Failed)
		assert.GreaterOrEqual(t, s.Seen(), q.Failed)
		assert.LessOrEqual(t, s.Seen(), reached(r), "what was cut off may not have got so far")
		assert.Nil(t, r.ResponseTime.P50, "no response, no quantile")
		for _, l := range r.Limits {
			if strings.HasSuffix(l.Limit, "put>=0.001") && strings.Contains(l.Reason, "; in doubt: ") {
				continue // on a machine whose processors others took, rates are
			}
			assert.Equal(t, verdict.Fail, l.Verdict, "%s: %s", l.Limit, l.Reason)
		}
		assert.Equal(t, verdict.Fail, r.Verdict)
		var text strings.Builder
		require.NoError(t, report.WriteText(&text, r, report.Style{}))
		for _, want := range []string{"timeout", "Unsent", "Unfinished"} {
			assert.Contains(t, text.String(), want)
		}
	})
}

func TestPoissonRunsRepeat(t *testing.T) {
	p, err := NewPlan(Options{URL: "http://h/", Rate: 20_000, Poisson: true, Seed: 7, Requests: 200})
	require.NoError(t, err)
	all := map[time.Duration]bool{}
	for c := p.schedule.Cursor(); len(all) < 200; {
		a, _ := c.Next()
		all[a.Due] = true
	}
	check := func(o Options, why string) {
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
	check(Options{Func: func(context.Context) error { return nil }}, "a function")
	check(Options{URL: raw(t, nil).URL}, "a server")
	check(Options{URL: raw(t, nil).URL, Portable: true}, "a server, from goroutines")
}
