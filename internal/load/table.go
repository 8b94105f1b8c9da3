package load

import (
	"errors"
	"math"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

var (
	// errTimeout is the cause of a failure when an exchange ended too late.
	errTimeout = errors.New("no complete response within the timeout")
	// errEnded is the cause when code under test ended its goroutine.
	errEnded = errors.New("the function ended its goroutine, as t.Fatal and t.FailNow do; return an error instead")
)

// A permit is the right to have one exchange in flight, over a connection of
// its own. The zero permit is idle.
type permit struct {
	slot   int           // index in its table, which is also its slot in a Mux
	sender Sender        // nil until first needed; always nil with a Mux
	wake   chan struct{} // tells its goroutine to try again; nil until it starts

	Arrival               // of the exchange in flight, or else of the last one
	sent    time.Duration // when it was sent
	waited  time.Duration // the part of sent - Due spent waiting for a permit
	idled   time.Duration // time since the end of the exchange before; 0 if there was none
	state   state
	expired time.Duration // when it timed out
	done    time.Duration // when the last exchange ended; 0 if there was none
	exited  bool          // its goroutine has exited
	bare    bool          // its last exchange left it without an idle connection
}

// A state is how far a permit's exchange has come.
type state uint8

const (
	idle     state = iota // no exchange
	inFlight              // it was sent
	timedOut              // it was told to end, and will fail with a timeout
	cutOff                // it was told to end, and is counted as unfinished
)

// sample returns what is known about an exchange in flight.
func (p *permit) sample() record.Sample {
	return record.Sample{N: p.N, Due: p.Due, Sent: p.sent, Waited: p.waited}
}

// A table gives arrivals to permits and records the results. It starts no goroutines
// and never waits. That is up to its driver: goroutines that hold mu for each step,
// see [Loop.runSenders], or an event loop that has the table to itself and needs no
// lock, see [Loop.runMuxes].
type table struct {
	*Loop
	index    int // among the tables of the loop
	mu       sync.Mutex
	shard    *shard
	permits  []permit // those from index used on have never been needed
	used     int
	free     []*permit     // a stack: the one used last is taken first, so that few connections are kept busy
	bare     []*permit     // those that are free and have no connection; a stack
	freed    time.Duration // when one with a connection was last left without an arrival
	resting  int           // permits that rest because connecting failed
	activate func(*permit) // makes an idle permit take an arrival, soon or at once
	expire   func(*permit) // makes an exchange end soon, if it can be ended

	inFlight, peak int
	unfinished     []record.Sample // cut off
	noMore         bool            // nothing more will become due

	// Open workload: the arrivals that become due. Those that are due and not yet
	// sent stand in line, in order. The line is not stored: front walks the
	// schedule behind next. Arrivals at its front are promised to permits that
	// were activated; those behind them wait for a permit to become free.
	next                   Cursor  // after coming
	coming                 Arrival // the first arrival that is not yet due
	gather                 gatherer
	released, releasedWarm int64         // arrivals that have become due after and in the warm-up
	offered                time.Duration // until when arrivals became due
	front                  Cursor
	promised, waiting      int64
	exhausted              bool          // arrivals are waiting because no permit is free
	exhaustedSince         time.Duration // since when, or since they were last counted; warm-up left out
	exhaustedFor           time.Duration // how long arrivals waited so in all, before that
	restedFor              time.Duration // the part of it in which permits rested
}

// newTable returns table i of a loop, with n permits, that records in h.
func newTable(l *Loop, i, n int, h *shard) *table {
	t := &table{Loop: l, index: i, shard: h, permits: make([]permit, n)}
	if l.cfg.Schedule != nil {
		t.next = l.cfg.Schedule.Cursor()
		t.next.first = l.cfg.First
		t.front = t.next
	}
	return t
}

// begins returns when the next permit that was never needed may begin: those of all
// tables take turns, the last table first, which has the most.
func (t *table) begins() time.Duration {
	i := t.used*len(t.tables) + len(t.tables) - 1 - t.index
	return time.Duration(float64(t.cfg.Spread) * float64(i) / float64(t.cfg.Permits()))
}

// acquire takes a free permit, if possible one with a connection; nil if all are out.
func (t *table) acquire() (p *permit) {
	for _, stack := range []*[]*permit{&t.free, &t.bare} {
		if n := len(*stack); n > 0 {
			p, *stack = (*stack)[n-1], (*stack)[:n-1]
			return p
		}
	}
	if t.used == len(t.permits) {
		return nil
	}
	p = &t.permits[t.used]
	p.slot = t.used // set only now: a million permits that no arrival needs cost nothing
	t.used++
	return p
}

// park makes p free, as there is no arrival for it.
func (t *table) park(p *permit, now time.Duration) {
	if p.bare {
		t.bare = append(t.bare, p)
		return
	}
	t.free, t.freed = append(t.free, p), now
}

// take gives p the next arrival, which is sent now; ok is false if there is none yet
// or, with noMore set, none any more.
func (t *table) take(p *permit, now time.Duration) (ok bool) {
	var a Arrival
	var waited time.Duration
	if t.cfg.Schedule == nil {
		if a.N, ok = t.issue(now); !ok {
			t.noMore = true
			return false
		}
		a.Due = now
	} else if a, waited, ok = t.dequeue(now); !ok {
		return false
	}
	p.Arrival, p.sent, p.waited, p.state = a, now, waited, inFlight
	if p.done > 0 {
		p.idled = now - p.done
	}
	t.inFlight++
	t.peak = max(t.peak, t.inFlight)
	return true
}

// finish ends p's exchange with the result r and records it. It returns the sample
// if Workload.OnFailed is to be called with it, as report says. The driver makes that
// call, because it may take a while.
func (t *table) finish(p *permit, r *record.Result, now time.Duration) (failed record.Sample, report bool) {
	state := p.state
	p.state, p.done, p.bare = idle, now, r.Disconnected
	t.inFlight--
	if state == cutOff {
		return failed, false
	}
	s := p.sample()
	s.Result, s.Done = *r, now-r.Checked
	s.Unanswered = s.Unanswered && t.freed > p.sent
	t.cfg.endLate(&s, state)
	t.shard.record(&s, &t.cfg)
	if t.cfg.OnFailed == nil || s.Due < t.cfg.Warmup || s.Succeeded() {
		return failed, false
	}
	return t.cfg.inCourse(s), true
}

// endLate makes s, of an exchange that ended in the given state, a timeout if it took
// longer than that.
func (c *Workload) endLate(s *record.Sample, state state) {
	if s.Kind != record.Timeout && s.Kind != record.ConnectTimeout && (state == timedOut || s.ServiceTime() > c.Timeout) {
		s.Status, s.Unexpected, s.Kind, s.Err = 0, false, record.Timeout, errTimeout
	}
}

// sweepEvery returns how often a driver must look for timeouts.
func (c *Workload) sweepEvery() time.Duration {
	return max(c.Timeout/20, 500*time.Microsecond)
}

// sweep ends exchanges that have reached their timeout, so that none needs a timer of
// its own. It repeats that for those that were told to end before: they may have been
// where they could not, such as between connecting and sending. It returns how many
// have ignored their timeout for the grace period, and whether any other permit may
// still send.
func (t *table) sweep(now time.Duration) (hung int, alive bool) {
	alive = t.cfg.Schedule != nil && !t.noMore
	for i := range t.permits[:t.used] {
		p := &t.permits[i]
		if p.state == inFlight && now-p.sent >= t.cfg.Timeout {
			p.state, p.expired = timedOut, now
		}
		if p.state > inFlight {
			t.expire(p)
		}
		if p.state == timedOut && now-p.expired > t.cfg.Grace {
			hung++
		} else if !p.exited {
			alive = true
		}
	}
	return hung, alive
}

// cutOff counts the exchanges in flight as unfinished, and with late set also those
// that are timing out.
func (t *table) cutOff(late bool) {
	for i := range t.permits[:t.used] {
		if p := &t.permits[i]; p.state == inFlight || late && p.state == timedOut {
			p.state = cutOff
			t.unfinished = append(t.unfinished, p.sample())
		}
	}
}

// release puts the arrivals that are due now in line, each with its own due time,
// and activates permits for them while some are free. Once the loop is halted, the
// arrivals due by then are the last.
func (t *table) release(now time.Duration) {
	t.bound(true) // End may have been called
	t.releaseUntil(now)
	if t.halted() && !t.noMore {
		now = t.now() // activating permits may have taken a while
		t.releaseUntil(now)
		t.noMore, t.offered = true, now
	}
}

func (t *table) releaseUntil(now time.Duration) {
	for !t.noMore && t.coming.Due <= now {
		t.gather.released(t.coming.Due, now)
		if t.coming.Due < t.cfg.Warmup {
			t.releasedWarm++
		} else {
			t.released++
		}
		t.advance()
		t.enqueue()
		t.lineUp(now)
	}
}

// lineUp puts the arrivals that are due now at the end of the line, if there is one:
// they have nothing to do but wait. It counts them without a look at each, so that no
// rate keeps the driver from everything else.
func (t *table) lineUp(now time.Duration) {
	for t.waiting > 0 && !t.noMore && t.coming.Due <= now {
		before, most := now+1, int64(math.MaxInt64)
		if end, bounded := t.end(); bounded {
			before = min(before, end)
		}
		counted := &t.released
		if t.coming.Due < t.cfg.Warmup {
			counted, before = &t.releasedWarm, min(before, t.cfg.Warmup)
		} else if t.cfg.Requests > 0 {
			most = t.cfg.Requests - t.released
		}
		n := 1 + t.next.Skip(before, most-1)
		*counted += n
		t.waiting += n
		t.gather.passed(n, now)
		t.advance()
	}
}

// advance moves on to the next arrival.
func (t *table) advance() {
	var ok bool
	t.coming, ok = t.next.Next()
	t.bound(ok)
}

// bound sets noMore if the next arrival will not become due. ok reports that the
// schedule has one.
func (t *table) bound(ok bool) {
	end, bounded := t.end()
	switch {
	case t.noMore:
		return
	case !ok:
		t.offered = t.cfg.Schedule.Length()
	case bounded && t.coming.Due >= end:
		t.offered = end
	case t.cfg.Requests > 0 && t.released == t.cfg.Requests:
		t.offered = t.coming.Due
	default:
		return
	}
	t.noMore = true
}

// enqueue puts the arrival that has become due at the end of the line, and
// activates a permit for it if one is free.
func (t *table) enqueue() {
	if t.halted() {
		t.waiting++ // it was due, and will not be sent
		return
	}
	if t.waiting == 0 {
		if p := t.acquire(); p != nil {
			t.promised++
			t.activate(p)
			return
		}
	}
	t.waiting++
	if !t.exhausted {
		t.exhausted, t.exhaustedSince = true, max(t.now(), t.cfg.Warmup)
	}
}

// dequeue takes the arrival at the front of the line.
func (t *table) dequeue(now time.Duration) (a Arrival, waited time.Duration, ok bool) {
	if t.promised+t.waiting == 0 || t.halted() {
		return a, 0, false
	}
	a, _ = t.front.Next()
	if t.promised > 0 {
		t.promised--
	} else {
		// Every permit was out when it was due, so how late it was released
		// did not matter.
		waited = now - a.Due
		if t.waiting--; t.waiting == 0 {
			t.relieve(now)
		}
	}
	if a.Due < t.cfg.Warmup {
		t.warm.Add(1)
	}
	t.issued.Add(1)
	return a, waited, true
}

// addTo adds to r what was never recorded in the shard: requests that were not sent,
// and those that did not end. After it, the only calls allowed on t end exchanges
// that were cut off.
func (t *table) addTo(r *record.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for left := t.promised + t.waiting; left > 0; {
		a, _ := t.front.Next()
		if a.Due < t.cfg.Warmup {
			n := 1 + t.front.Skip(t.cfg.Warmup, left-1)
			r.Warmup.Unsent += n
			left -= n
			continue
		}
		due := a.Due + t.cfg.shift()
		n := 1 + t.front.Skip(r.Series.EndOf(due)-t.cfg.shift(), left-1)
		r.AddUnsent(due, n)
		left -= n
	}
	for _, s := range t.unfinished {
		if s.Due < t.cfg.Warmup {
			r.Warmup.Unfinished++
		} else {
			s = t.cfg.inCourse(s)
			r.AddUnfinished(s.Due, s.Sent)
		}
	}
	if at := time.Duration(t.stopped.Load()); at > 0 {
		t.relieve(at)
	}
	r.Exhausted += t.exhaustedFor
	r.Rested += t.restedFor
	r.PeakInFlight += t.peak
}
