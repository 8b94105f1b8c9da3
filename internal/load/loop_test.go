package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A peer is what fake senders talk to. It takes delay(n) to answer request n with
// status(n); if that is never, only Expire ends the request.
type peer struct {
	delay  func(n int64) time.Duration
	status func(n int64) int
	pause  time.Duration
	mux    bool // send to it with a Mux

	seen   atomic.Int64
	closed atomic.Int64
	mu     sync.Mutex
	order  []int64
}

func (p *peer) sender() Sender { return &fakeSender{peer: p, expired: make(chan struct{}, 1)} }

type fakeSender struct {
	peer    *peer
	expired chan struct{}
}

// answer returns how long the peer takes for request n, and its result.
func (p *peer) answer(n int64) (d time.Duration, r record.Result) {
	p.seen.Add(1)
	p.mu.Lock()
	p.order = append(p.order, n)
	p.mu.Unlock()
	if p.delay != nil {
		d = p.delay(n)
	}
	status := 200
	if p.status != nil {
		status = p.status(n)
	}
	return d, record.Result{Status: status, Unexpected: status != 200, Pause: p.pause, Octets: record.Octets{Sent: 10, Received: 20, Body: 5}}
}

func (s *fakeSender) Send(n int64, _ time.Duration) record.Result {
	d, r := s.peer.answer(n)
	if d > 0 {
		select {
		case <-time.After(d):
		case <-s.expired:
			return record.Result{Kind: record.Timeout, Err: errors.New("expired")}
		}
	}
	return r
}

func (s *fakeSender) Expire(int64) {
	select {
	case s.expired <- struct{}{}:
	default:
	}
}

func (s *fakeSender) Close() { s.peer.closed.Add(1) }

const never = time.Hour

// A fakeMux talks to a peer like many fakeSenders.
type fakeMux struct {
	*peer
	ended  chan ended // of all slots; its buffer is as large as a test needs
	woken  chan struct{}
	timers map[int]*time.Timer
}

type ended struct {
	slot int
	record.Result
}

func newFakeMux(p *peer) *fakeMux {
	return &fakeMux{peer: p, ended: make(chan ended, 1<<11), woken: make(chan struct{}, 1), timers: map[int]*time.Timer{}}
}

func (m *fakeMux) Start(slot int, n int64) {
	d, r := m.answer(n)
	if d == 0 {
		m.ended <- ended{slot, r}
		return
	}
	m.timers[slot] = time.AfterFunc(d, func() { m.ended <- ended{slot, r} })
}

func (m *fakeMux) Wait(d time.Duration, done func(int, *record.Result)) (expired bool) {
	switch {
	case m.report(done):
		return false
	case d <= 0:
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case e := <-m.ended:
		done(e.slot, &e.Result)
		m.report(done)
	case <-m.woken:
	case <-t.C:
		return true
	}
	return false
}

// report calls done for the exchanges that have ended by now.
func (m *fakeMux) report(done func(int, *record.Result)) (any bool) {
	for n := len(m.ended); n > 0; n-- {
		e := <-m.ended
		done(e.slot, &e.Result)
		any = true
	}
	return any
}

func (m *fakeMux) Expire(slot int) {
	if m.timers[slot].Stop() {
		m.ended <- ended{slot, record.Result{Kind: record.Timeout, Err: errors.New("expired")}}
	}
}

func (m *fakeMux) Connect(context.Context, int) { time.Sleep(time.Millisecond) }

func (m *fakeMux) Wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

func (m *fakeMux) Close() {
	for _, t := range m.timers {
		t.Stop()
	}
}

// inBoth runs f in a bubble with each of the two drivers. Tests of what the table does
// need only one of them.
func inBoth(t *testing.T, f func(t *testing.T, mux bool)) {
	t.Helper()
	for name, mux := range map[string]bool{"goroutines": false, "mux": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, mux) })
		})
	}
}

// A closed workload divides the permits among all Muxes. An open one, whose arrivals
// wait in one line, gives all of them to the first.
func TestPermitsAreSharedAmongMuxes(t *testing.T) {
	check := func(cfg Workload, want ...int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			p := &peer{delay: func(int64) time.Duration { return time.Second }}
			cfg.Concurrency, cfg.Timeout, cfg.Grace = 7, time.Minute, time.Minute
			cfg.Muxes = []Mux{newFakeMux(p), newFakeMux(p), newFakeMux(p)}
			o := inVirtualTime(cfg).Run(t.Context(), t.Context())
			assert.Equal(t, len(want), o.Loops)
			assert.Equal(t, int64(20), o.Succeeded)
			assert.Equal(t, 7, o.PeakInFlight)
			for i, m := range cfg.Muxes {
				used := len(m.(*fakeMux).timers) // by slot
				if i < len(want) {
					assert.Equal(t, want[i], used)
				} else {
					assert.Zero(t, used)
				}
				m.Close()
			}
		})
	}
	check(Workload{Requests: 20}, 2, 2, 3)
	check(Workload{Requests: 20, Schedule: rate(1000)}, 7)
}

// run runs cfg in the current bubble, with defaults for most tests.
func run(t *testing.T, p *peer, cfg Workload) *record.Record {
	return runUntil(t, context.Background(), context.Background(), p, cfg)
}

// inVirtualTime returns a loop by the clock of the bubble that it runs in.
func inVirtualTime(cfg Workload) *Loop {
	cfg.Clock = clock.Bubble
	return New(cfg)
}

func runUntil(t *testing.T, ctx, cut context.Context, p *peer, cfg Workload) *record.Record {
	t.Helper()
	if cfg.Concurrency == 0 {
		cfg.Concurrency = 10
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Grace == 0 {
		cfg.Grace = cfg.Timeout
	}
	if p.mux {
		cfg.Muxes = []Mux{newFakeMux(p), newFakeMux(p), newFakeMux(p)}
	} else {
		cfg.NewSender = p.sender
		cfg.Sleeper = NewTimerSleeper()
	}
	l := inVirtualTime(cfg)
	o := l.Run(ctx, cut)
	for _, tot := range []record.Totals{o.Totals, o.Warmup} {
		require.Equal(t, tot.Due, tot.Sent+tot.Unsent, "due = sent + unsent: %+v", tot)
		require.Equal(t, tot.Sent, tot.Succeeded+tot.Failed+tot.Unfinished, "sent = succeeded + failed + unfinished: %+v", tot)
	}
	require.Equal(t, p.seen.Load(), o.Sent+o.Warmup.Sent, "sent is what the peer saw")
	if p.mux {
		for _, m := range cfg.Muxes {
			m.Close()
		}
	} else {
		var used int
		for _, t := range l.tables {
			used += t.used
		}
		require.Equal(t, int64(used), p.closed.Load(), "every sender is closed")
	}
	assert.LessOrEqual(t, o.PeakInFlight, cfg.Concurrency)
	assert.Zero(t, o.Abandoned)
	var due, succeeded, failed, missed int64
	for _, i := range o.Series.Intervals() {
		due += i.Due
		succeeded += i.Succeeded
		failed += i.Failed
		missed += i.Missed
	}
	assert.Equal(t, o.Due, due, "due in the series")
	assert.Equal(t, o.Succeeded, succeeded, "succeeded in the series")
	assert.Equal(t, o.Failed, failed, "failed in the series")
	assert.Equal(t, o.Failed+o.Unsent+o.Unfinished, missed, "missed in the series")
	return o
}

func rate(perSecond float64) *Schedule {
	s := Constant(perSecond)
	return &s
}

func quantile(t *testing.T, o *record.Record, q float64) time.Duration {
	t.Helper()
	v, ok := o.Response.Quantile(q)
	require.True(t, ok)
	return time.Duration(v)
}

func TestClosedSendsExactlyN(t *testing.T) {
	check := func(n int64, c int, why string) {
		t.Helper()
		inBoth(t, func(t *testing.T, mux bool) {
			p := &peer{mux: mux, delay: func(n int64) time.Duration { return time.Duration(1+n%3) * time.Millisecond }}
			o := run(t, p, Workload{Requests: n, Concurrency: c})
			assert.Equal(t, record.Totals{Due: n, Sent: n, Succeeded: n}, o.Totals, why)
			assert.LessOrEqual(t, int64(o.PeakInFlight), n, "no more permits than requests")
		})
	}
	check(7, 10_000, "fewer requests than permits")
	check(1, 1, "the smallest run")
	check(1000, 7, "not divisible by the permits")
	check(1000, 1000, "one each")
}

func TestClosedIsDueWhenSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(int64) time.Duration { return 5 * time.Millisecond }}
		o := run(t, p, Workload{Requests: 40, Concurrency: 4})
		assert.Equal(t, 50*time.Millisecond, o.Elapsed, "ten rounds of four")
		assert.Equal(t, int64(5*time.Millisecond), o.Response.Min())
		assert.Equal(t, int64(5*time.Millisecond), o.Response.Max())
		assert.Zero(t, o.Lateness.Count())
		assert.Equal(t, 4, o.PeakInFlight)
		assert.Equal(t, []int64{400, 800, 200}, []int64{o.Octets.Sent, o.Octets.Received, o.Octets.Body})
	})
}

func TestDurationStopsIssuingAndDrains(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(int64) time.Duration { return 30 * time.Millisecond }}
		o := run(t, p, Workload{Duration: 100 * time.Millisecond, Concurrency: 2})
		// Sent at 0, 30, 60 and 90 ms; the last ends at 120 ms.
		assert.Equal(t, record.Totals{Due: 8, Sent: 8, Succeeded: 8}, o.Totals)
		assert.Equal(t, 120*time.Millisecond, o.Elapsed)
		assert.False(t, o.Interrupted)
	})
}

func TestWarmupIsCountedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(n int64) time.Duration {
			if n < 10 {
				return 100 * time.Millisecond
			}
			return 10 * time.Millisecond
		}}
		o := run(t, p, Workload{Requests: 50, Warmup: time.Second, Concurrency: 1})
		// The first ten, which are slow, fill the warm-up and are not reported.
		assert.Equal(t, record.Totals{Due: 10, Sent: 10, Succeeded: 10}, o.Warmup)
		assert.Equal(t, record.Totals{Due: 50, Sent: 50, Succeeded: 50}, o.Totals)
		assert.Equal(t, 10*time.Millisecond, quantile(t, o, 1))
		assert.Equal(t, 500*time.Millisecond, o.Elapsed)
	})
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(n int64) time.Duration { return time.Millisecond }}
		o := run(t, p, Workload{Schedule: rate(100), Duration: time.Second, Warmup: 500 * time.Millisecond})
		assert.Equal(t, record.Totals{Due: 50, Sent: 50, Succeeded: 50}, o.Warmup)
		assert.Equal(t, record.Totals{Due: 100, Sent: 100, Succeeded: 100}, o.Totals)
	})
	synctest.Test(t, func(t *testing.T) {
		p := &peer{}
		o := run(t, p, Workload{Schedule: rate(100), Requests: 30, Warmup: 500 * time.Millisecond})
		assert.Equal(t, int64(50), o.Warmup.Due, "the warm-up is at full schedule")
		assert.Equal(t, int64(30), o.Due, "and not among the requests asked for")
	})
}

// One permit, 100 arrivals/s for 2 s; the peer freezes for 1 s on arrival 50.
// Arrivals 50 to 149 then wait 1000, 990, ... 10 ms; the 198th of 200 sorted is
// 980 ms.
func TestOpenCountsTheStall(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(n int64) time.Duration {
			if n == 50 {
				return time.Second
			}
			return 0
		}}
		o := run(t, p, Workload{Schedule: rate(100), Requests: 200, Concurrency: 1})
		require.Equal(t, int64(200), o.Response.Count())
		assert.InEpsilon(t, 980*time.Millisecond, quantile(t, o, 0.99), 0.001)
		assert.Equal(t, int64(time.Second), o.Response.Max())
		service, _ := o.Service.Quantile(0.99)
		assert.Zero(t, service, "service time alone hides the stall; that is the point")
		assert.Zero(t, o.Lateness.Max(), "the generator was on time")
		assert.Equal(t, int64(990*time.Millisecond), o.Waited.Max(), "arrival 51 waited longest for the permit")
		// Arrivals wait from the 51st on, until the permit is free at 1.5 s and has
		// taken all that were due by then.
		assert.Equal(t, 990*time.Millisecond, o.Exhausted)
		assert.Equal(t, 1, o.PeakInFlight)
	})
}

// A rate beyond any machine ends on time, and each of its arrivals is counted.
func TestAnyRateEndsOnTime(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(int64) time.Duration { return 300 * time.Millisecond }}
		began := time.Now()
		o := run(t, p, Workload{
			Schedule: rate(1e9), Duration: time.Second, Warmup: 100 * time.Millisecond, Concurrency: 2,
			Timeout: time.Second, Grace: 500 * time.Millisecond,
		})
		assert.Equal(t, 1600*time.Millisecond, time.Since(began))
		assert.Equal(t, record.Totals{Due: 1e8, Sent: 12, Succeeded: 10, Unfinished: 2, Unsent: 1e8 - 12}, o.Warmup)
		assert.Equal(t, record.Totals{Due: 1e9, Unsent: 1e9}, o.Totals)
		assert.NoError(t, o.Check())
		for _, i := range o.Series.Intervals() {
			if i.Start+i.Width < time.Second {
				assert.Equal(t, int64(i.Width), i.Due, "one a nanosecond")
			}
		}
	})
}

func TestOpenKeepsArrivalsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(n int64) time.Duration { return 35 * time.Millisecond }}
		o := run(t, p, Workload{Schedule: rate(1000), Requests: 50, Concurrency: 3})
		assert.Equal(t, int64(50), o.Succeeded)
		for i, n := range p.order {
			// Three permits that become free at the same instant take arrivals in any order.
			assert.InDelta(t, i, n, 2)
		}
	})
}

func TestOpenUsesAsFewPermitsAsWillDo(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(n int64) time.Duration { return 25 * time.Millisecond }}
		o := run(t, p, Workload{Schedule: rate(100), Requests: 100, Concurrency: 1000})
		assert.Equal(t, 3, o.PeakInFlight, "requests of 25 ms, one every 10 ms")
		if !mux {
			assert.Equal(t, int64(3), p.closed.Load(), "no more senders were made")
		}
	})
}

func TestOpenSchedulesToTheNanosecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var start time.Time
		var at []time.Duration
		p := &peer{}
		p.delay = func(n int64) time.Duration {
			if n == 0 {
				start = time.Now()
			}
			at = append(at, time.Since(start))
			return 0
		}
		stages := &Schedule{Stages: []Stage{
			{For: time.Second, From: 10, To: 10},
			{For: time.Second},
			{For: time.Second, From: 0, To: 40},
		}}
		o := run(t, p, Workload{Schedule: stages, Concurrency: 1})
		require.Equal(t, int64(30), o.Due, "10 + 0 + 20")
		next := stages.Cursor()
		for i := range at {
			a, _ := next.Next()
			assert.Equal(t, a.Due, at[i], "arrival %d", i)
		}
	})
}

func TestTimeout(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(n int64) time.Duration {
			if n%2 == 1 {
				return never
			}
			return 0
		}}
		o := run(t, p, Workload{Requests: 10, Concurrency: 1, Timeout: time.Second})
		assert.Equal(t, record.Totals{Due: 10, Sent: 10, Succeeded: 5, Failed: 5}, o.Totals)
		assert.Equal(t, int64(5), o.Kinds[record.Timeout])
		require.Len(t, o.Samples[record.Timeout], 5)
		assert.Equal(t, int64(1), o.Samples[record.Timeout][0].N)
		assert.InEpsilon(t, time.Second, o.Failures.Max(), 0.051)
		assert.Zero(t, o.Response.Max(), "a timeout is not a response time")
	})
}

func TestLateSuccessIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Between two sweeps, which are 50 ms apart.
		p := &peer{delay: func(n int64) time.Duration { return 1001 * time.Millisecond }}
		o := run(t, p, Workload{Requests: 1, Timeout: time.Second})
		assert.Equal(t, int64(1), o.Kinds[record.Timeout])
		assert.Empty(t, o.Statuses)
	})
}

func TestNeverAnsweringTargetMissesEverything(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(n int64) time.Duration { return never }}
		o := run(t, p, Workload{
			Schedule: rate(100), Duration: 5 * time.Second, Concurrency: 100,
			Timeout: 2 * time.Second, Grace: 2 * time.Second, Thresholds: []time.Duration{time.Hour},
		})
		assert.Equal(t, int64(500), o.Due)
		assert.Zero(t, o.Succeeded)
		assert.Equal(t, []int64{0}, o.Within)
		assert.Positive(t, o.Failed)
		assert.Positive(t, o.Unfinished)
		assert.Positive(t, o.Unsent)
		assert.InEpsilon(t, 7*time.Second, o.Elapsed, 0.001, "the end of the grace period")
	})
}

func TestCancelDrains(t *testing.T) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(1000)} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, mux bool) {
				ctx, cancel := context.WithTimeout(t.Context(), 55*time.Millisecond)
				defer cancel()
				p := &peer{mux: mux, delay: func(n int64) time.Duration { return 10 * time.Millisecond }}
				o := runUntil(t, ctx, context.Background(), p, Workload{Schedule: schedule, Requests: 10_000, Concurrency: 4})
				assert.True(t, o.Interrupted)
				assert.Equal(t, o.Succeeded, o.Sent, "what was in flight has finished")
				assert.Equal(t, int64(24), o.Sent, "four at 0, 10, ... 50 ms")
				if schedule != nil {
					assert.Equal(t, int64(56-24), o.Unsent, "56 were due")
				}
			})
		})
	}
}

func TestGraceEnds(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		p := &peer{mux: mux, delay: func(n int64) time.Duration { return never }}
		o := runUntil(t, ctx, context.Background(), p, Workload{Requests: 100, Concurrency: 4, Grace: time.Second})
		assert.Equal(t, record.Totals{Due: 4, Sent: 4, Unfinished: 4}, o.Totals)
		assert.Equal(t, 1050*time.Millisecond, o.Elapsed)
	})
}

func TestSecondCancelCutsOff(t *testing.T) {
	for name, schedule := range map[string]*Schedule{"closed": nil, "open": rate(1000)} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, mux bool) {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				cut, cancelCut := context.WithTimeout(t.Context(), 60*time.Millisecond)
				defer cancelCut()
				p := &peer{mux: mux, delay: func(n int64) time.Duration { return never }}
				o := runUntil(t, ctx, cut, p, Workload{Schedule: schedule, Requests: 100, Concurrency: 4})
				assert.Equal(t, int64(4), o.Unfinished)
				assert.Equal(t, 60*time.Millisecond, o.Elapsed)
				assert.True(t, o.Interrupted)
			})
		})
	}
}

// A deaf sender ignores Expire, as Go code under test may.
type deaf struct{ until chan struct{} }

func (d deaf) Send(int64, time.Duration) record.Result { <-d.until; return record.Result{} }
func (d deaf) Expire(int64)                            {}
func (d deaf) Close()                                  {}

func TestAbandonsWhatDoesNotEnd(t *testing.T) {
	check := func(timeout time.Duration, why string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			until := make(chan struct{})
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			l := inVirtualTime(Workload{
				Requests: 10, Concurrency: 3, Timeout: timeout, Grace: time.Second,
				NewSender: func() Sender { return deaf{until} },
			})
			o := l.Run(ctx, context.Background())
			assert.Equal(t, record.Totals{Due: 3, Sent: 3, Unfinished: 3}, o.Totals, why)
			assert.Equal(t, int64(3), o.Abandoned, why)
			close(until)
			l.serving.Wait()
			assert.Equal(t, Tally{Elapsed: l.now(), Response: hist.New(tallyBits)}, l.Progress(), "what ends after the report is not recorded")
		})
	}
	check(time.Minute, "in flight when cut off")
	check(100*time.Millisecond, "timing out when cut off")
}

func TestPauseAfterFailuresEndsWithTheRun(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		start := time.Now()
		o := runUntil(t, ctx, context.Background(), &peer{mux: mux, pause: time.Hour}, Workload{Requests: 100, Concurrency: 4})
		assert.Equal(t, int64(4), o.Sent)
		assert.Equal(t, 10*time.Millisecond, time.Since(start))
	})
}

func TestFailedRequestsAreCountedApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged []int64
		p := &peer{
			delay: func(n int64) time.Duration { return time.Duration(n) * time.Millisecond },
			status: func(n int64) int {
				if n%4 == 0 {
					return 503
				}
				return 200
			},
		}
		o := run(t, p, Workload{
			Requests: 16, Concurrency: 1, Thresholds: []time.Duration{5 * time.Millisecond, 0},
			OnFailed: func(s record.Sample) { logged = append(logged, s.N) },
		})
		assert.Equal(t, record.Totals{Due: 16, Sent: 16, Succeeded: 12, Failed: 4}, o.Totals)
		assert.Equal(t, map[int]int64{200: 12, 503: 4}, o.Statuses)
		assert.Equal(t, []int64{0, 4, 8, 12}, logged)
		assert.Equal(t, int64(12*time.Millisecond), o.Failures.Max())
		assert.Equal(t, int64(4), o.Failures.Count())
		assert.Equal(t, []int64{4, 0}, o.Within, "1, 2, 3 and 5 ms; at the threshold is within it")
		require.Len(t, o.Slowest, 16)
		for i := range o.Slowest {
			assert.Equal(t, int64(15-i), o.Slowest[i].N)
		}
	})
}

func TestAheadConnectsBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connected atomic.Int64
		p := &peer{}
		l := inVirtualTime(Workload{
			Schedule: rate(1000), Requests: 10, Concurrency: 500, Ahead: 300, Timeout: time.Second,
			NewSender: func() Sender { return connector{p.sender(), &connected} },
			Sleeper:   NewTimerSleeper(),
		})
		o := l.Run(t.Context(), context.Background())
		assert.Equal(t, int64(300), connected.Load())
		assert.Equal(t, int64(10), o.Succeeded)
		assert.Zero(t, o.Lateness.Max(), "connecting is not part of the run")
		assert.Equal(t, int64(300), p.closed.Load())
		assert.Equal(t, 1, o.PeakInFlight)
	})
}

type connector struct {
	Sender
	connected *atomic.Int64
}

func (c connector) Connect(context.Context) { time.Sleep(time.Millisecond); c.connected.Add(1) }

// Arrivals that became due while one was being sent just before the stop count as due.
func TestStopCountsWhatIsDue(t *testing.T) {
	for name, cuts := range map[string]bool{"cancelled": false, "cut": true} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, mux bool) {
				stopped, stop := context.WithCancel(t.Context())
				defer stop()
				p := &peer{mux: mux, delay: func(n int64) time.Duration {
					if n == 4 { // due at 4 ms
						time.Sleep(5500 * time.Microsecond)
						stop()
					}
					return time.Millisecond
				}}
				ctx, cut := stopped, t.Context()
				if cuts {
					ctx, cut = cut, ctx
				}
				o := runUntil(t, ctx, cut, p, Workload{Schedule: rate(1000), Requests: 100})
				assert.Equal(t, int64(10), o.Due, "0 to 9 ms")
			})
		})
	}
}

// Permits that were exhausted only in the warm-up were not exhausted in the run.
func TestExhaustedInTheWarmupAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peer{delay: func(n int64) time.Duration {
			if n == 0 {
				return 900 * time.Millisecond
			}
			return 0
		}}
		o := run(t, p, Workload{Schedule: rate(100), Warmup: time.Second, Duration: time.Second, Concurrency: 1})
		assert.Zero(t, o.Exhausted)
	})
}

// Starting many permits takes a while. A request is charged only with its own start
// and those of a batch or two.
func TestFirstRoundIsTimedOneByOne(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(int64) time.Duration {
			time.Sleep(time.Millisecond)
			return 10 * time.Millisecond
		}}
		o := run(t, p, Workload{Requests: 100, Concurrency: 100})
		assert.LessOrEqual(t, time.Duration(o.Response.Max()), (1+10+3*startBatch)*time.Millisecond)
	})
}

// Permits begin over the spread, one after the other, and those that have not begun when
// the load is stopped never do.
func TestPermitsBeginOutOfStep(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		begun := func(ctx context.Context) (at []time.Duration) {
			start := time.Now()
			var mu sync.Mutex
			p := &peer{mux: mux, delay: func(int64) time.Duration {
				mu.Lock()
				defer mu.Unlock()
				at = append(at, time.Since(start))
				return 100 * time.Millisecond
			}}
			runUntil(t, ctx, t.Context(), p, Workload{Concurrency: 10, Spread: 100 * time.Millisecond, Duration: 95 * time.Millisecond})
			return at
		}
		var want []time.Duration
		for i := range 10 {
			want = append(want, time.Duration(i)*10*time.Millisecond)
		}
		assert.Equal(t, want, begun(t.Context()))
		ctx, stop := context.WithTimeout(t.Context(), 35*time.Millisecond)
		defer stop()
		assert.Equal(t, want[:4], begun(ctx))
	})
}
