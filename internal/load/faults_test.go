package load

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A sendFunc is a Sender that does nothing except Send.
type sendFunc func(n int64) record.Result

func (f sendFunc) Send(n int64, _ time.Duration) record.Result { return f(n) }
func (f sendFunc) Expire(int64)                                {}
func (f sendFunc) Close()                                      {}

func ok(int64) record.Result { return record.Result{Status: 200} }

// loop returns a Loop whose permits all send with f.
func loop(cfg Workload, f sendFunc) *Loop {
	cfg.NewSender = func() Sender { return f }
	cfg.Sleeper = NewTimerSleeper()
	cfg.Timeout = max(cfg.Timeout, time.Second)
	return inVirtualTime(cfg)
}

func TestProgressCountsEachRequestOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3)) // three shards
	synctest.Test(t, func(t *testing.T) {
		var l *Loop
		l = loop(Workload{Requests: 30, Concurrency: 3}, func(n int64) record.Result {
			time.Sleep(time.Millisecond)
			if n == 15 {
				p := l.Progress()
				assert.InDelta(t, 15, p.Succeeded, 2)
				assert.Equal(t, 6*time.Millisecond, p.Elapsed)
			}
			return ok(n)
		})
		assert.Equal(t, Tally{}, l.Progress(), "connecting ahead takes a while, in which progress may be shown")
		o := l.Run(t.Context(), t.Context())
		require.Equal(t, int64(30), o.Succeeded)
		assert.Equal(t, int64(30), l.Progress().Succeeded, "all shards are added up")
	})
}

// t.FailNow in Go code under test ends its goroutine.
func TestEndedGoroutineIsAFailedRequest(t *testing.T) {
	check := func(cfg Workload, why string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			o := loop(cfg, func(n int64) record.Result {
				time.Sleep(time.Millisecond)
				if n%3 == 0 {
					runtime.Goexit()
				}
				return ok(n)
			}).Run(t.Context(), context.Background())
			assert.Equal(t, record.Totals{Due: 9, Sent: 9, Succeeded: 6, Failed: 3}, o.Totals, why)
			require.Equal(t, int64(3), o.Kinds[record.Check], why)
			assert.Contains(t, o.Samples[record.Check][0].Text, "return an error instead")
			assert.Equal(t, int64(time.Millisecond), o.Failures.Min(), why)
			assert.Zero(t, o.Abandoned, why)
		})
	}
	check(Workload{Requests: 9, Concurrency: 1}, "closed")
	check(Workload{Requests: 9, Concurrency: 4}, "closed, the last ones too")
	check(Workload{Requests: 9, Concurrency: 2, Schedule: rate(100)}, "open")
}

// An inattentive Sender misses the first Expire, as if its exchange could not be
// ended at that point.
type inattentive struct {
	calls   atomic.Int64
	expired chan struct{}
}

func (s *inattentive) Send(int64, time.Duration) record.Result {
	<-s.expired
	return record.Result{Kind: record.Timeout, Err: errors.New("expired")}
}

func (s *inattentive) Expire(int64) {
	if s.calls.Add(1) == 2 {
		close(s.expired)
	}
}

func (s *inattentive) Close() {}

func TestExpireIsRepeated(t *testing.T) {
	check := func(cfg Workload, cutAfter, want time.Duration, totals record.Totals, why string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			s := &inattentive{expired: make(chan struct{})}
			cfg.Requests, cfg.Concurrency, cfg.NewSender = 1, 1, func() Sender { return s }
			cut, cancel := context.WithTimeout(context.Background(), cutAfter)
			defer cancel()
			o := inVirtualTime(cfg).Run(t.Context(), cut)
			assert.Equal(t, totals, o.Totals, why)
			assert.Equal(t, want, o.Elapsed, why)
			assert.Zero(t, o.Abandoned, why)
		})
	}
	check(Workload{Timeout: time.Second, Grace: time.Second}, time.Hour, 1050*time.Millisecond,
		record.Totals{Due: 1, Sent: 1, Failed: 1}, "the next sweep is 5 % later")
	check(Workload{Timeout: time.Minute, Grace: time.Minute}, time.Second, time.Second+cutEvery,
		record.Totals{Due: 1, Sent: 1, Unfinished: 1}, "cut off")
}

// A run that reaches its duration was not interrupted, even if a request hangs and
// fewer were sent than were asked for.
func TestDurationIsNoInterruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		defer close(free)
		o := loop(Workload{Requests: 1 << 40, Duration: 5 * time.Second, Concurrency: 2, Grace: time.Second}, func(n int64) record.Result {
			if n == 3 {
				<-free
			} else {
				time.Sleep(100 * time.Millisecond)
			}
			return ok(n)
		}).Run(t.Context(), t.Context())
		assert.False(t, o.Interrupted)
		assert.Equal(t, int64(1), o.Unfinished)
		assert.Equal(t, int64(51), o.Succeeded)
	})
}

// A loop that has nothing left to wait for is not stuck: a sweep may come just before
// the run notices its end.
func TestFinishedLoopIsNotStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := loop(Workload{Requests: 2, Concurrency: 2}, ok)
		l.Run(t.Context(), t.Context())
		assert.False(t, l.stuck())
	})
}

func TestCancelNeverMakesARunLonger(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		defer cancel()
		p := &peer{mux: mux, delay: func(int64) time.Duration { return never }}
		o := runUntil(t, ctx, context.Background(), p, Workload{Duration: 100 * time.Millisecond, Grace: time.Second})
		assert.Equal(t, 1100*time.Millisecond, o.Elapsed, "the grace period of the run's own end")
		assert.True(t, o.Interrupted)
	})
}

func TestCancelledBeforeTheStartSendsNothing(t *testing.T) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(1000)} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, mux bool) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				o := runUntil(t, ctx, context.Background(), &peer{mux: mux}, Workload{Requests: 10, Schedule: schedule})
				assert.Zero(t, o.Sent)
				assert.True(t, o.Interrupted)
			})
		})
	}
}

func TestStagesBoundTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stages := &Schedule{Stages: []Stage{{For: time.Second, From: 100, To: 100}, {For: time.Second}}}
		p := &peer{delay: func(int64) time.Duration { return never }}
		o := run(t, p, Workload{Schedule: stages, Concurrency: 1, Timeout: 10 * time.Second, Grace: 3 * time.Second})
		assert.Equal(t, 5*time.Second, o.Elapsed, "2 s of stages and the grace period")
		assert.Equal(t, record.Totals{Due: 100, Sent: 1, Unsent: 99, Unfinished: 1}, o.Totals)
	})
}

// Calls that ignore their timeout do not keep a run of n requests going for ever.
func TestRunOfDeafCallsEnds(t *testing.T) {
	check := func(cfg Workload, want record.Totals, why string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			until := make(chan struct{})
			cfg.Timeout, cfg.Grace = time.Second, 2*time.Second
			l := loop(cfg, func(n int64) record.Result {
				if n%5 == 4 {
					<-until
				}
				return ok(n)
			})
			began := time.Now()
			o := l.Run(t.Context(), context.Background())
			assert.Equal(t, want, o.Totals, why)
			assert.Equal(t, o.Unfinished, o.Abandoned, why)
			assert.Equal(t, o.Sent+o.Unsent < cfg.Requests, o.Interrupted, why)
			assert.Less(t, time.Since(began), 5*time.Second, "timeout, grace, and a second for the cut-off")
			close(until)
			l.serving.Wait()
		})
	}
	check(Workload{Requests: 5, Concurrency: 2}, record.Totals{Due: 5, Sent: 5, Succeeded: 4, Unfinished: 1}, "the other permit went on")
	check(Workload{Requests: 50, Concurrency: 2}, record.Totals{Due: 10, Sent: 10, Succeeded: 8, Unfinished: 2}, "no permit is left to go on")
	check(Workload{Requests: 20, Concurrency: 2, Schedule: rate(1000)},
		record.Totals{Due: 20, Sent: 10, Unsent: 10, Succeeded: 8, Unfinished: 2}, "open")
}

func TestTailOfTheWarmupIsNotPartOfTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(n int64) time.Duration {
			if n == 0 {
				return 900 * time.Millisecond
			}
			return 10 * time.Millisecond
		}}
		o := run(t, p, Workload{Requests: 10, Warmup: 100 * time.Millisecond, Concurrency: 2})
		assert.Equal(t, 100*time.Millisecond, o.Elapsed, "ten requests, one after the other")
	})
}

func TestStoppedInTheWarmup(t *testing.T) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(100)} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, mux bool) {
				cut, cancel := context.WithTimeout(t.Context(), 505*time.Millisecond)
				defer cancel()
				p := &peer{mux: mux, delay: func(int64) time.Duration { return never }}
				o := runUntil(t, t.Context(), cut, p, Workload{
					Schedule: schedule, Requests: 1000, Warmup: time.Second, Timeout: time.Minute, Concurrency: 4,
				})
				assert.Zero(t, o.Totals, "nothing was due after the warm-up")
				assert.Zero(t, o.Elapsed)
				assert.Equal(t, int64(4), o.Warmup.Unfinished)
				if schedule != nil {
					assert.Equal(t, int64(51-4), o.Warmup.Unsent)
				}
			})
		})
	}
}

func TestUnfinishedRequestsAreInTheSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(int64) time.Duration { return never }}
		o := run(t, p, Workload{Schedule: rate(100), Duration: time.Second, Timeout: time.Minute, Grace: time.Second, Concurrency: 200})
		require.Equal(t, int64(100), o.Unfinished)
		var sent int64
		for _, i := range o.Series.Intervals() {
			sent += i.Sent
		}
		assert.Equal(t, int64(100), sent)
		assert.Equal(t, 990*time.Millisecond, o.LastSent)
	})
}

func TestBodyOctetsAreOfCompleteResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := loop(Workload{Requests: 10, Concurrency: 1}, func(n int64) record.Result {
			r := record.Result{Status: 200, Octets: record.Octets{Received: 100, Body: 10}}
			if n%2 == 1 {
				r.Kind, r.Err = record.Truncated, errors.New("cut")
			}
			return r
		}).Run(t.Context(), context.Background())
		assert.Equal(t, int64(50), o.Octets.Body)
		assert.Equal(t, int64(1000), o.Octets.Received)
	})
}

func TestPauseCountsFromTheRequest(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, pause: 15 * time.Millisecond, delay: func(n int64) time.Duration {
			return time.Duration(n) * 10 * time.Millisecond
		}}
		o := run(t, p, Workload{Requests: 3, Concurrency: 1})
		// Sent at 0, 15 and 30 ms, since the second one took 10 ms of its 15;
		// the third takes 20 ms.
		assert.Equal(t, 50*time.Millisecond, o.Elapsed)
	})
}
