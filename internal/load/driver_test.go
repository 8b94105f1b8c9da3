package load

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A scripted sender performs exchanges as its function says.
type scripted struct {
	send    func(n int64, expired <-chan struct{}) record.Result
	expired chan struct{}
	once    *sync.Once
	closed  *atomic.Int64
}

func (s *scripted) Send(n int64, _ time.Duration) record.Result { return s.send(n, s.expired) }
func (s *scripted) Expire(int64)                                { s.once.Do(func() { close(s.expired) }) }
func (s *scripted) Close()                                      { s.closed.Add(1) }

// drive returns a driver of permits that send as a function says, in a bubble, and
// whose closing is checked.
func drive(t *testing.T, ctx, cut context.Context, permits int, send func(n int64, expired <-chan struct{}) record.Result) *Driver {
	t.Helper()
	made, closed := 0, new(atomic.Int64)
	mux := NewSenderMux(permits, func() Sender {
		made++
		return &scripted{send: send, expired: make(chan struct{}), once: new(sync.Once), closed: closed}
	}, clock.Bubble)
	d := NewDriver(ctx, cut, Workload{Concurrency: permits, Timeout: time.Second, Grace: 2 * time.Second, First: 100, Clock: clock.Bubble}, mux)
	t.Cleanup(func() {
		d.Close()
		mux.Close()
		synctest.Wait()
		assert.EqualValues(t, made, closed.Load(), "senders")
	})
	return d
}

// lasting returns what takes some time and succeeds.
func lasting(d time.Duration) func(int64, <-chan struct{}) record.Result {
	return func(int64, <-chan struct{}) record.Result { time.Sleep(d); return record.Result{} }
}

func checked(t *testing.T, d *Driver) *record.Record {
	t.Helper()
	r := d.Record()
	require.NoError(t, r.Check())
	return r
}

// A volley sends its requests as permits become free, and ends with the last.
func TestVolley(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var numbers []int64
		var mu sync.Mutex
		d := drive(t, t.Context(), t.Context(), 4, func(n int64, _ <-chan struct{}) record.Result {
			mu.Lock()
			numbers = append(numbers, n)
			mu.Unlock()
			time.Sleep(10 * time.Millisecond)
			return record.Result{}
		})
		var times []time.Duration
		v := d.Volley(10, 4, func(took time.Duration, ok bool) {
			assert.True(t, ok)
			times = append(times, took)
		})
		assert.Equal(t, Volley{Took: 30 * time.Millisecond, Ended: 10}, v, "4, 4 and 2 at once")
		assert.Len(t, times, 10)
		for _, took := range times {
			assert.Equal(t, 10*time.Millisecond, took, "a request is due when a permit is free")
		}
		time.Sleep(time.Second) // a break is no part of the course
		v = d.Volley(2, 1, nil)
		assert.Equal(t, Volley{Took: 20 * time.Millisecond, Ended: 2}, v)
		r := checked(t, d)
		assert.EqualValues(t, 12, r.Succeeded)
		assert.Equal(t, 50*time.Millisecond, r.Until)
		assert.Equal(t, 50*time.Millisecond, r.Elapsed)
		assert.Equal(t, 4, r.PeakInFlight)
		assert.ElementsMatch(t, []int64{100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111}, numbers)
		assert.EqualValues(t, 112, d.Next())
	})
}

// What was before Restart is a warm-up: it is counted apart, and the course begins.
func TestDriverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drive(t, t.Context(), t.Context(), 2, lasting(time.Millisecond))
		d.Volley(5, 2, nil)
		d.Restart()
		d.Volley(3, 1, nil)
		assert.EqualValues(t, 8, d.Progress().Succeeded)
		r := checked(t, d)
		assert.EqualValues(t, 3, r.Sent)
		assert.EqualValues(t, 5, r.Warmup.Sent)
		assert.EqualValues(t, 5, r.Warmup.Succeeded)
		assert.Equal(t, 3*time.Millisecond, r.Until)
		assert.EqualValues(t, 108, d.Next())
	})
}

// A request that takes longer than the timeout fails with it.
func TestVolleyTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed []record.Sample
		d := drive(t, t.Context(), t.Context(), 2, func(n int64, expired <-chan struct{}) record.Result {
			if n == 100 {
				<-expired
			}
			return record.Result{}
		})
		d.cfg.OnFailed = func(s record.Sample) { failed = append(failed, s) }
		v := d.Volley(2, 2, nil)
		assert.Equal(t, 1, v.Failed)
		assert.Equal(t, 2, v.Ended)
		assert.InDelta(t, 1.0, v.Took.Seconds(), 0.06, "the timeout, and how often it is looked for")
		assert.EqualValues(t, 1, checked(t, d).Kinds[record.Timeout])
		require.Len(t, failed, 1)
		assert.EqualValues(t, 100, failed[0].N)
	})
}

// After a failed connect nothing is sent for the pause.
func TestVolleyPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drive(t, t.Context(), t.Context(), 1, func(n int64, _ <-chan struct{}) record.Result {
			if n == 100 {
				return record.Result{Kind: record.ConnectRefused, Err: errors.New("no"), Pause: 300 * time.Millisecond}
			}
			return record.Result{}
		})
		began := time.Now()
		assert.Equal(t, Volley{Failed: 1, Ended: 1}, d.Volley(1, 1, nil))
		assert.Zero(t, time.Since(began))
		assert.Equal(t, Volley{Ended: 1}, d.Volley(1, 1, nil), "the pause is not part of the volley")
		assert.Equal(t, 300*time.Millisecond, time.Since(began))
		checked(t, d)
	})
}

// When ctx ends nothing more is sent, and what is in flight finishes. When cut ends,
// or the grace period, it is unfinished.
func TestDriverStops(t *testing.T) {
	for name, tc := range map[string]struct {
		lasts               time.Duration
		cut                 bool
		succeeded, cutShort int64
		until               time.Duration
	}{
		"in flight finishes": {lasts: 800 * time.Millisecond, succeeded: 2, until: 800 * time.Millisecond},
		"cut":                {lasts: 800 * time.Millisecond, cut: true, cutShort: 2, until: 100 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cut, cancelCut := context.WithCancel(t.Context())
			defer cancelCut()
			d := drive(t, ctx, cut, 2, func(_ int64, expired <-chan struct{}) record.Result {
				select {
				case <-expired:
				case <-time.After(tc.lasts):
				}
				return record.Result{}
			})
			began := time.Now()
			time.AfterFunc(100*time.Millisecond, func() {
				cancel()
				if tc.cut {
					cancelCut()
				}
			})
			v := d.Volley(10, 2, nil)
			assert.Equal(t, tc.until, time.Since(began), name)
			assert.EqualValues(t, tc.succeeded, v.Ended, name)
			assert.True(t, d.Over())
			assert.Zero(t, d.Volley(10, 2, nil).Ended, "nothing after it")
			r := checked(t, d)
			assert.True(t, r.Interrupted)
			assert.EqualValues(t, 2, r.Sent, name)
			assert.Equal(t, tc.cutShort, r.Unfinished, name)
			assert.Zero(t, r.Abandoned)
		})
	}
}

// What is in flight when the time is up is no failure.
func TestDriverDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut, cancel := context.WithTimeout(t.Context(), 15*time.Millisecond)
		defer cancel()
		d := drive(t, t.Context(), cut, 2, lasting(10*time.Millisecond))
		d.Volley(10, 2, nil)
		r := checked(t, d)
		assert.EqualValues(t, 2, r.Sent)
		assert.Zero(t, r.Unfinished)
		assert.EqualValues(t, 2, r.Warmup.Unfinished)
		assert.EqualValues(t, 104, d.Next())
	})
}

// Requests that ignore their timeout for the grace period are abandoned.
func TestDriverAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		d := drive(t, t.Context(), t.Context(), 2, func(n int64, _ <-chan struct{}) record.Result {
			if n == 100 {
				<-free
			}
			return record.Result{}
		})
		v := d.Volley(3, 2, nil)
		assert.Equal(t, 2, v.Ended)
		assert.True(t, d.Over())
		r := checked(t, d)
		assert.EqualValues(t, 1, r.Unfinished)
		assert.EqualValues(t, 1, r.Abandoned)
		assert.InDelta(t, 3, r.Elapsed.Seconds(), 0.2, "the timeout and the grace period")
		close(free)
	})
}

// A function that ends its goroutine has failed, and another goroutine goes on.
func TestVolleyOfGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := drive(t, t.Context(), t.Context(), 1, func(n int64, _ <-chan struct{}) record.Result {
			if n == 100 {
				runtime.Goexit()
			}
			return record.Result{}
		})
		assert.Equal(t, Volley{Failed: 1, Ended: 2}, d.Volley(2, 1, nil))
		assert.EqualValues(t, 1, checked(t, d).Kinds[record.Check])
	})
}

// Requests of an open workload are due when they are sent, so none is late.
func TestVolleyOfAnOpenWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Constant(10)
		mux := NewSenderMux(2, func() Sender {
			return &scripted{send: lasting(time.Millisecond), expired: make(chan struct{}), once: new(sync.Once), closed: new(atomic.Int64)}
		}, clock.Bubble)
		d := NewDriver(t.Context(), t.Context(), Workload{Schedule: &s, Concurrency: 2, Timeout: time.Second, Clock: clock.Bubble}, mux)
		defer mux.Close()
		defer d.Close()
		d.Volley(6, 2, nil)
		r := checked(t, d)
		assert.True(t, r.Open)
		assert.EqualValues(t, 6, r.Lateness.Count())
		assert.Zero(t, r.Lateness.Max())
		sum := record.New(true, nil)
		sum.Merge(r)
		require.NoError(t, sum.Check())
	})
}

// In steady state a request allocates nothing.
func TestDriverAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	mux := NewSenderMux(4, func() Sender {
		return &scripted{send: func(int64, <-chan struct{}) record.Result { return record.Result{} }, expired: make(chan struct{}), once: new(sync.Once), closed: new(atomic.Int64)}
	}, clock.System)
	defer mux.Close()
	d := NewDriver(t.Context(), t.Context(), Workload{Concurrency: 4, Timeout: time.Minute, Clock: clock.System}, mux)
	defer d.Close()
	d.Volley(2000, 4, nil)
	n := testing.AllocsPerRun(20, func() { d.Volley(100, 4, nil) })
	assert.Less(t, n, 5.0, "of 100 requests")
}

// Restart leaves behind what a stopped volley left unfinished.
func TestRestartAfterUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer stop()
		d := drive(t, t.Context(), cut, 2, lasting(time.Second))
		d.Volley(2, 2, nil)
		d.Restart()
		r := checked(t, d)
		assert.Zero(t, r.Due)
		assert.EqualValues(t, 2, r.Warmup.Due)
		assert.EqualValues(t, 2, r.Warmup.Unfinished)
	})
}
