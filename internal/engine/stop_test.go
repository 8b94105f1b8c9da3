package engine

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// stuckTargets are targets of requests that never end by themselves, each with
// a function that waits until n requests are there; nil if that cannot be told.
func stuckTargets(t *testing.T) map[string]func(*RunOptions) (await func(n int64)) {
	arrived := func(s *targettest.Raw) func(int64) {
		return func(n int64) { require.NoError(t, s.Await(t.Context(), n)) }
	}
	behaving := func(behave func(int64, *target.RawConn)) func(*RunOptions) func(int64) {
		return func(o *RunOptions) func(int64) {
			s := raw(t, behave)
			o.Target.URL = s.URL
			return arrived(s)
		}
	}
	counting := func(ch chan struct{}) func(int64) {
		return func(n int64) {
			for range n {
				<-ch
			}
		}
	}
	return map[string]func(*RunOptions) func(int64){
		"never answers": behaving(say("")),
		"slow loris":    behaving(drip("HTTP/1.1 200 OK\r\n", "X")),
		"flood":         behaving(flood(ok10, "x")),
		"never reads": func(o *RunOptions) func(int64) {
			o.Target.URL, o.Target.Method, o.Target.Body = "http://"+deafServer(t, ""), "POST", make([]byte, 8<<20)
			return nil
		},
		"never accepts": func(o *RunOptions) func(int64) {
			o.Target.URL = "http://" + targettest.FullServer(t)
			return nil
		},
		"handler": func(o *RunOptions) func(int64) {
			in := make(chan struct{}, 100)
			o.Target.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				in <- struct{}{}
				<-r.Context().Done()
			})
			return counting(in)
		},
		"https handler": func(o *RunOptions) func(int64) {
			in := make(chan struct{}, 100)
			o.Target.TLS = true
			o.Target.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				in <- struct{}{}
				<-r.Context().Done()
			})
			return counting(in)
		},
		"function": func(o *RunOptions) func(int64) {
			in := make(chan struct{}, 100)
			o.Target.Func = func(ctx context.Context) error { in <- struct{}{}; <-ctx.Done(); return ctx.Err() }
			return counting(in)
		},
	}
}

// The first cancel issues nothing more and waits for the grace period; what is
// then still in flight is unfinished.
func TestCancel(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		for name, prepare := range stuckTargets(t) {
			o := RunOptions{Settings: Settings{Load: Load{Concurrency: 5}, Portable: portable, Timeout: time.Minute, Grace: 30 * time.Millisecond}, Requests: 1000}
			await := prepare(&o)
			ctx, cancel := context.WithCancel(t.Context())
			r, took := stopped(t, ctx, context.Background(), o, await, cancel)
			assert.True(t, r.Interrupted, name)
			assert.Equal(t, report.Requests{Due: 5, Sent: 5, Unfinished: 5}, r.Requests, name)
			assert.Less(t, took, 10*time.Second, "%s: well before the timeout", name)
		}
	})
}

// The second cancel ends the run at once, whatever the grace period.
func TestCut(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		for name, prepare := range stuckTargets(t) {
			o := RunOptions{Settings: Settings{Load: Load{Rate: 1e6, Concurrency: 5, ConnectionsAhead: -1}, Portable: portable, Timeout: time.Minute}, Requests: 1000}
			await := prepare(&o)
			ctx, cancel := context.WithCancel(t.Context())
			cut, cancelCut := context.WithCancel(t.Context())
			r, took := stopped(t, ctx, cut, o, await, func() { cancel(); cancelCut() })
			assert.True(t, r.Interrupted, name)
			assert.Zero(t, r.Requests.Completed, name)
			assert.Equal(t, int64(5), r.Requests.Sent, name)
			assert.Equal(t, int64(5), r.Requests.Unfinished, name)
			assert.Positive(t, r.Requests.Unsent, name)
			assert.Less(t, took, 10*time.Second, name)
		}
	})
}

// stopped is a run of o, on which stop is called once five requests are on
// their way, and how long it took.
func stopped(t *testing.T, ctx, cut context.Context, o RunOptions, await func(int64), stop func()) (*report.Document, time.Duration) {
	t.Helper()
	p := newRun(t, o, func(p *armPlan) { p.overTCP = !p.Portable })
	var watch Watch
	if await != nil {
		go func() { await(5); stop() }()
	} else {
		watch = func(p Progress) {
			if p.Elapsed > 300*time.Millisecond { // by then the first five have been started
				stop()
			}
		}
	}
	began := time.Now()
	r, err := p.Run(ctx, cut, watch)
	require.NoError(t, err)
	checkDocument(t, r)
	return r, time.Since(began)
}

// What is in flight at a cancel finishes if it can, and each request is
// accounted for.
func TestCancelDrains(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		for _, rate := range []float64{0, 20_000} {
			ctx, cancel := context.WithCancel(t.Context())
			s := raw(t, func(n int64, c *target.RawConn) {
				if n == 500 {
					cancel()
				}
				c.Answer(200)
			})
			r := runUntil(t, ctx, context.Background(), RunOptions{
				Target:   Target{URL: s.URL},
				Settings: Settings{Load: Load{Concurrency: 16, Rate: rate}, Portable: portable},
				Requests: 1_000_000,
			})
			assert.True(t, r.Interrupted)
			assert.Zero(t, r.Requests.Unfinished)
			assert.Zero(t, r.Requests.Failed)
			assert.Equal(t, s.Seen(), r.Requests.Sent)
			assert.Equal(t, s.Served(), r.Requests.Succeeded)
			assert.GreaterOrEqual(t, s.Seen(), int64(501))
			assert.Less(t, s.Seen(), int64(1_000_000))
		}
	})
}

// A run that is cancelled before it has begun sends nothing.
func TestCancelledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	engines(t, func(t *testing.T, portable bool) {
		s := raw(t, nil)
		p, err := NewRun(RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Portable: portable}, Requests: 10})
		require.NoError(t, err)
		_, err = p.Run(ctx, context.Background(), nil)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, s.Seen())
	})
	r := runUntil(t, ctx, context.Background(), RunOptions{Target: Target{Func: func(context.Context) error { return nil }}, Requests: 10})
	assert.Zero(t, r.Requests.Sent)
}

// A run that ends in its warm-up took as long as it lasted, not as it was to last.
func TestCancelledInTheWarmup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := runUntil(t, ctx, t.Context(), RunOptions{
			Target:   Target{Func: lasting(3 * time.Millisecond)},
			Settings: Settings{Warmup: 10 * time.Second, Virtual: true},
			Requests: 10,
		})
		assert.True(t, r.Interrupted)
		assert.Zero(t, r.Requests.Due)
		assert.Equal(t, 1002*time.Millisecond, r.Took, "until what was in flight at 1 s ended")
	})
}

// The end of a duration bounds the run by the grace period, in an open workload
// on a silent server too.
func TestDurationIsNotOverrun(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		for _, rate := range []float64{0, 5000} {
			s := raw(t, say(""))
			began := time.Now()
			r := run(t, RunOptions{
				Target:   Target{URL: s.URL},
				Settings: Settings{Load: Load{Rate: rate, Concurrency: 50}, Portable: portable, Timeout: time.Minute, Grace: 50 * time.Millisecond},
				Duration: 600 * time.Millisecond,
			})
			assert.Equal(t, int64(50), r.Requests.Unfinished)
			if rate > 0 {
				assert.Equal(t, report.Requests{Due: 3000, Sent: 50, Unsent: 2950, Unfinished: 50}, r.Requests)
			}
			assert.False(t, r.Interrupted)
			sawAll(t, s, r)
			assert.GreaterOrEqual(t, time.Since(began), 650*time.Millisecond)
			assert.Less(t, time.Since(began), 10*time.Second)
		}
	})
}

// With a second to wait for and a timeout before the end of it, what times out
// in a grace period has failed and is not unfinished.
func TestTimeoutWithinGrace(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		r := run(t, RunOptions{
			Target:   Target{URL: raw(t, say("")).URL},
			Settings: Settings{Load: Load{Concurrency: 3}, Portable: portable, Timeout: 400 * time.Millisecond, Grace: time.Minute},
			Duration: 300 * time.Millisecond,
		})
		assert.Positive(t, r.Requests.Sent)
		assert.Equal(t, r.Requests.Sent, kinds(r)[record.Timeout.String()])
		assert.Zero(t, r.Requests.Unfinished)
	})
}
