package load

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A steppedTable is a table that a test drives step by step.
type steppedTable struct {
	*table
	started []*permit // that activate was called with
	expired []int64   // arrivals that expire was called for
}

// onTable runs f in a bubble with the table of a loop that has begun.
func onTable(t *testing.T, cfg Workload, f func(t *testing.T, s *steppedTable)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Timeout, cfg.Grace = time.Second, 2*time.Second
		l := inVirtualTime(cfg)
		l.ctx = t.Context()
		l.begin()
		s := &steppedTable{table: newTable(l, 0, cfg.Concurrency, &shard{seen: l.newRecord()})}
		s.activate = func(p *permit) { s.started = append(s.started, p) }
		s.expire = func(p *permit) { s.expired = append(s.expired, p.N) }
		if cfg.Schedule != nil {
			s.advance()
		}
		l.tables, l.shards = []*table{s.table}, []*shard{s.shard}
		f(t, s)
	})
}

// send makes a permit take the next arrival.
func (s *steppedTable) send(t *testing.T, p *permit) int64 {
	t.Helper()
	require.True(t, s.take(p, s.now()))
	return p.N
}

func (s *steppedTable) succeed(p *permit) { s.finish(p, &record.Result{Status: 200}, s.now()) }

func TestTableGivesThePermitThatWasFreedLast(t *testing.T) {
	onTable(t, Workload{Concurrency: 3}, func(t *testing.T, s *steppedTable) {
		a, b, c := s.acquire(), s.acquire(), s.acquire()
		assert.Nil(t, s.acquire(), "all are out")
		s.free = append(s.free, b, c, a)
		assert.Equal(t, []*permit{a, c, b}, []*permit{s.acquire(), s.acquire(), s.acquire()})
	})
	onTable(t, Workload{Concurrency: 3}, func(t *testing.T, s *steppedTable) {
		a := s.acquire()
		s.free = append(s.free, a)
		assert.Equal(t, a, s.acquire(), "rather than one that was never needed")
	})
}

// A permit that has lost its connection is used when no other is free, but before one
// that was never needed.
func TestTablePrefersPermitsWithAConnection(t *testing.T) {
	onTable(t, Workload{Concurrency: 4}, func(t *testing.T, s *steppedTable) {
		a, b, c := s.acquire(), s.acquire(), s.acquire()
		for _, p := range []*permit{a, b, c} {
			s.send(t, p)
			s.finish(p, &record.Result{Status: 200, Disconnected: p == c}, s.now())
			s.park(p, s.now())
		}
		assert.Equal(t, []*permit{b, a, c, &s.permits[3]}, []*permit{s.acquire(), s.acquire(), s.acquire(), s.acquire()})
		s.send(t, c)
		s.succeed(c)
		s.park(c, s.now())
		assert.Equal(t, c, s.acquire(), "it has one again")
	})
}

// A timeout on a connection that was never answered on is a sign that the server
// serves too few only if another was idle meanwhile.
func TestTableCountsWhatWaitedBesideAnIdleConnection(t *testing.T) {
	for _, c := range []struct {
		freed, lost bool
		want        int64
	}{{true, false, 1}, {true, true, 0}, {false, false, 0}} {
		onTable(t, Workload{Concurrency: 2}, func(t *testing.T, s *steppedTable) {
			p, other := s.acquire(), s.acquire()
			time.Sleep(time.Millisecond)
			s.send(t, p)
			s.send(t, other)
			time.Sleep(time.Millisecond)
			s.finish(other, &record.Result{Status: 200, Disconnected: c.lost}, s.now())
			if c.freed {
				s.park(other, s.now())
			}
			time.Sleep(time.Second)
			s.finish(p, &record.Result{Kind: record.Timeout, Err: errTimeout, Unanswered: true}, s.now())
			assert.Equal(t, c.want, s.recorded().Unanswered, "%+v", c)
		})
	}
}

// While arrivals wait because permits rest, that is counted apart.
func TestTableCountsRests(t *testing.T) {
	onTable(t, Workload{Schedule: rate(1000), Concurrency: 1}, func(t *testing.T, s *steppedTable) {
		s.release(s.now())
		p := s.started[0]
		s.send(t, p)
		time.Sleep(3 * time.Millisecond)
		s.release(s.now()) // one waits from here on
		s.finish(p, &record.Result{Kind: record.ConnectRefused, Err: errTimeout}, s.now())
		time.Sleep(time.Millisecond)
		s.rest(s.now())
		time.Sleep(5 * time.Millisecond)
		s.endRest(s.now())
		time.Sleep(2 * time.Millisecond)
		s.stop()
		o := s.outcome(false)
		assert.Equal(t, 8*time.Millisecond, o.Exhausted)
		assert.Equal(t, 5*time.Millisecond, o.Rested)
	})
}

func TestTableKeepsArrivalsInLine(t *testing.T) {
	onTable(t, Workload{Schedule: rate(1000), Concurrency: 1}, func(t *testing.T, s *steppedTable) {
		s.release(s.now())
		require.Len(t, s.started, 1)
		p := s.started[0]
		assert.Equal(t, int64(0), s.send(t, p))
		time.Sleep(3500 * time.Microsecond)
		s.release(s.now())
		assert.Len(t, s.started, 1, "there is no other")
		for n := range int64(3) {
			s.succeed(p)
			assert.Equal(t, 1+n, s.send(t, p))
			assert.Equal(t, time.Duration(1+n)*time.Millisecond, p.Due, "it keeps its due time")
			assert.Equal(t, s.now()-p.Due, p.waited)
			time.Sleep(time.Millisecond)
		}
		s.succeed(p)
		assert.False(t, s.take(p, s.now()))
		assert.Equal(t, 2*time.Millisecond, s.exhaustedFor, "released at 3.5 ms, the last of them taken at 5.5 ms")
		assert.Equal(t, 1, s.peak)
	})
}

// An arrival belongs to no permit until one takes it. A permit that becomes free may
// take it before the one that was started for it does.
func TestTableGivesAnArrivalToTheFirstPermit(t *testing.T) {
	onTable(t, Workload{Schedule: rate(1000), Concurrency: 2}, func(t *testing.T, s *steppedTable) {
		s.release(s.now())
		p := s.started[0]
		s.send(t, p)
		time.Sleep(time.Millisecond)
		s.release(s.now())
		require.Len(t, s.started, 2)
		s.succeed(p)
		assert.Equal(t, int64(1), s.send(t, p))
		assert.Zero(t, p.waited, "a permit was free when it was due")
		assert.False(t, s.take(s.started[1], s.now()), "it was taken")
		assert.False(t, s.noMore, "but others will come")
		assert.Zero(t, s.exhaustedFor)
	})
}

func TestTableNumbersArrivalsAndBoundsThem(t *testing.T) {
	check := func(cfg Workload, halt func(s *steppedTable), due int64, offered time.Duration, why string) {
		t.Helper()
		cfg.Concurrency, cfg.First = 1, 100
		if cfg.Schedule == nil {
			cfg.Schedule = rate(1000)
		}
		onTable(t, cfg, func(t *testing.T, s *steppedTable) {
			assert.Equal(t, int64(100), s.coming.N)
			time.Sleep(10500 * time.Microsecond)
			if halt != nil {
				halt(s)
			}
			s.release(s.now())
			assert.Equal(t, due, s.released, why)
			assert.Equal(t, offered > 0, s.noMore, why)
			assert.Equal(t, offered, s.offered, why)
		})
	}
	check(Workload{}, nil, 11, 0, "the load goes on")
	check(Workload{Requests: 4}, nil, 4, 4*time.Millisecond, "the gap after the last is offered too")
	check(Workload{Duration: 7 * time.Millisecond}, nil, 7, 7*time.Millisecond, "what is due at the end is not")
	check(Workload{Schedule: &Schedule{Stages: []Stage{{5 * time.Millisecond, 1000, 1000}}}}, nil, 5, 5*time.Millisecond, "the schedule ends")
	check(Workload{}, func(s *steppedTable) { s.stop() }, 11, 10500*time.Microsecond, "stopped: what was due by then counts")
	check(Workload{}, func(s *steppedTable) { s.End() }, 11, 10500*time.Microsecond, "ended")
}

// Arrivals that were due and not sent are unsent, whether or not a permit was started
// for them.
func TestTableCountsWhatWasNotSent(t *testing.T) {
	onTable(t, Workload{Schedule: rate(1000), Concurrency: 2}, func(t *testing.T, s *steppedTable) {
		time.Sleep(3500 * time.Microsecond)
		s.release(s.now())
		require.Len(t, s.started, 2)
		s.send(t, s.started[0])
		s.stop()
		assert.False(t, s.take(s.started[1], s.now()))
		time.Sleep(time.Millisecond)
		s.release(s.now())
		s.succeed(s.started[0])
		o := s.outcome(true)
		assert.Equal(t, record.Totals{Due: 5, Sent: 1, Succeeded: 1, Unsent: 4}, o.Totals)
		assert.Zero(t, o.Exhausted, "they wait for nothing once the loop is stopped")
	})
}

func TestTableExpiresOverdueExchangesUntilTheyEnd(t *testing.T) {
	onTable(t, Workload{Concurrency: 2}, func(t *testing.T, s *steppedTable) {
		p, q := s.acquire(), s.acquire()
		s.send(t, p)
		check := func(expired []int64, hung int, alive bool, why string) {
			t.Helper()
			h, a := s.sweep(s.now())
			assert.Equal(t, expired, s.expired, why)
			assert.Equal(t, hung, h, why)
			assert.Equal(t, alive, a, why)
		}
		time.Sleep(time.Second - 1)
		check(nil, 0, true, "not yet")
		time.Sleep(time.Nanosecond)
		s.send(t, q)
		check([]int64{0}, 0, true, "at the timeout")
		check([]int64{0, 0}, 0, true, "again")
		s.succeed(q)
		q.exited = true
		time.Sleep(2*time.Second + 1)
		check([]int64{0, 0, 0}, 1, false, "past the grace period, with nothing else left")
		s.succeed(p)
		check([]int64{0, 0, 0}, 0, true, "it has ended")
		assert.Equal(t, int64(1), s.shard.seen.Kinds[record.Timeout], "too late to be a success")
		assert.Equal(t, int64(1), s.shard.seen.Succeeded)
	})
}

// One permit that hangs does not keep others from being started.
func TestTableIsAliveWhileArrivalsComeDue(t *testing.T) {
	onTable(t, Workload{Schedule: rate(1), Requests: 10, Concurrency: 2}, func(t *testing.T, s *steppedTable) {
		s.release(s.now())
		s.send(t, s.started[0])
		for _, alive := range []bool{true, true, false} {
			time.Sleep(4 * time.Second)
			s.release(s.now())
			s.started[1].exited = true
			hung, got := s.sweep(s.now())
			assert.Equal(t, alive, got, "%d hung at %v", hung, s.now())
		}
	})
}

func TestTableKnowsHowLongAPermitIdled(t *testing.T) {
	onTable(t, Workload{Concurrency: 1}, func(t *testing.T, s *steppedTable) {
		p := s.acquire()
		time.Sleep(time.Second)
		s.send(t, p)
		assert.Zero(t, p.idled, "there was no exchange before")
		time.Sleep(time.Second)
		s.succeed(p)
		time.Sleep(3 * time.Second)
		s.send(t, p)
		assert.Equal(t, 3*time.Second, p.idled)
	})
}

func TestTableForgetsWhatItCutOff(t *testing.T) {
	onTable(t, Workload{Concurrency: 3}, func(t *testing.T, s *steppedTable) {
		late, p, over := s.acquire(), s.acquire(), s.acquire()
		s.send(t, late)
		time.Sleep(time.Second)
		s.sweep(s.now())
		s.send(t, p)
		s.send(t, over)
		s.succeed(over)
		s.cutOff(false)
		require.Len(t, s.unfinished, 1, "what is timing out may still do so")
		assert.Equal(t, p.N, s.unfinished[0].N)
		s.cutOff(true)
		require.Len(t, s.unfinished, 2)
		s.expired = nil
		s.sweep(s.now())
		assert.Equal(t, []int64{late.N, p.N}, s.expired)
		s.succeed(p)
		s.succeed(late)
		assert.Zero(t, s.inFlight)
		s.stop()
		assert.Equal(t, record.Totals{Due: 3, Sent: 3, Succeeded: 1, Unfinished: 2}, s.outcome(true).Totals)
	})
}

func TestTableReturnsFailuresForOnFailed(t *testing.T) {
	failed := record.Result{Status: 503, Unexpected: true}
	onTable(t, Workload{Concurrency: 1}, func(t *testing.T, s *steppedTable) {
		p := s.acquire()
		s.send(t, p)
		_, report := s.finish(p, &failed, s.now())
		assert.False(t, report, "without OnFailed")
	})
	onTable(t, Workload{Concurrency: 1, OnFailed: func(record.Sample) {}}, func(t *testing.T, s *steppedTable) {
		p := s.acquire()
		s.send(t, p)
		time.Sleep(time.Millisecond)
		got, report := s.finish(p, &failed, s.now())
		assert.True(t, report)
		assert.Equal(t, record.Sample{Done: time.Millisecond, Result: failed}, got)
		s.send(t, p)
		s.cutOff(false)
		_, report = s.finish(p, &failed, s.now())
		assert.False(t, report, "it was counted as unfinished")
	})
}

// A run with a Sender for each permit can be tested in a bubble's virtual time, from
// its warm-up to the end of the requests that hang.
func TestSendersRunInABubble(t *testing.T) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(100)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &peer{delay: func(n int64) time.Duration {
					if n%100 == 99 {
						return never
					}
					return 50 * time.Millisecond
				}}
				cut, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				o := runUntil(t, t.Context(), cut, p, Workload{Schedule: schedule, Concurrency: 8, Warmup: 10 * time.Second, Duration: time.Hour, Timeout: time.Second})
				assert.Equal(t, 50*time.Second, o.Elapsed)
				assert.Positive(t, o.Warmup.Succeeded)
				assert.Positive(t, o.Kinds[record.Timeout])
				assert.Positive(t, o.Unfinished)
				assert.InDelta(t, time.Second, o.Failures.Min(), float64(50*time.Millisecond))
			})
		})
	}
}

// The time that a check takes once the response is complete is not waited for.
func TestChecksAreNotPartOfTheResponseTime(t *testing.T) {
	onTable(t, Workload{Concurrency: 1, OnFailed: func(record.Sample) {}}, func(t *testing.T, s *steppedTable) {
		p := s.acquire()
		s.send(t, p)
		time.Sleep(5 * time.Millisecond)
		failed, report := s.finish(p, &record.Result{Kind: record.Check, Err: errTimeout, Checked: 3 * time.Millisecond}, s.now())
		require.True(t, report)
		assert.Equal(t, 2*time.Millisecond, failed.ResponseTime())
	})
}
