package load

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A permit is the right to have one request in flight. It owns its Sender, and
// through it the connection. One goroutine serves each permit from when it is
// first needed to the end of the run.
type permit struct {
	sender Sender
	shard  *shard
	hand   chan Arrival // open workload: what the pacer hands over; closed when there will be no more

	// began says when the exchange under way began, as an offset from the
	// start of the run plus 1; 0 if there is none; or, once somebody else has
	// decided how it ends, how. Whoever swaps it owns the outcome.
	began atomic.Int64
	n     atomic.Int64 // which arrival it is of
	left  atomic.Bool  // no goroutine serves it any more

	// Of the exchange under way; written before began, and read by its own
	// goroutine or by cut, which no exchange follows.
	due, sent, waited time.Duration

	done    time.Duration // when the last exchange ended
	expired time.Duration // when the last one that timed out did; of sweep
}

const (
	timedOut = -1 // its own goroutine records a timeout
	cutOff   = -2 // it is unfinished and not recorded
)

// begin marks an exchange as under way.
func (p *permit) begin(a Arrival, sent, waited time.Duration) {
	p.due, p.sent, p.waited = a.Due, sent, waited
	p.n.Store(a.N)
	p.began.Store(int64(sent) + 1)
}

// sample is what is known of the exchange under way.
func (p *permit) sample() record.Sample {
	return record.Sample{N: p.n.Load(), Due: p.due, Sent: p.sent, Waited: p.waited}
}

// end marks the exchange as over and returns what began said until now.
func (p *permit) end() int64 { return p.began.Swap(0) }

// expire ends the exchange under way if it has reached the timeout, and says
// since when. It tries again each time it is called: the exchange may not have
// been where it could be ended, such as between connecting and sending.
func (p *permit) expire(now, timeout time.Duration) (since time.Duration, expired bool) {
	// In this order n is of no later exchange than b, so that Expire cannot
	// hit one that has just begun.
	n, b := p.n.Load(), p.began.Load()
	if b > 0 && time.Duration(b-1)+timeout <= now && p.began.CompareAndSwap(b, timedOut) {
		p.expired = now
		b = timedOut
	}
	if b == timedOut {
		p.sender.Expire(n)
	}
	return p.expired, b == timedOut
}

// cut ends the exchange under way, and returns it if it is thereby unfinished.
// With late, that holds for one that is timing out too. Like expire it may have
// to be called again.
func (p *permit) cut(late bool) (s record.Sample, unfinished bool) {
	n, b := p.n.Load(), p.began.Load()
	if b > 0 || late && b == timedOut {
		if !p.began.CompareAndSwap(b, cutOff) {
			return s, false
		}
		s, unfinished = p.sample(), true
	}
	if b != 0 {
		p.sender.Expire(n)
	}
	return s, unfinished
}

// permits is the counting semaphore that bounds what is in flight: at most max
// permits are out at once. Those that are free are kept most recently used
// first, so that as few connections as will do stay busy.
type permits struct {
	mu     sync.Mutex
	max    int
	opened []*permit // every permit made so far
	free   []*permit // a stack of those that wait for the pacer
	peak   int       // most permits out at once
	closed bool      // nothing more will be released

	// Arrivals that are due while every permit is out wait in order. They are
	// no list: claims walks the schedule behind the pacer.
	claims    Cursor
	waiting   int64
	exhausted bool          // some wait for want of permits
	since     time.Duration // since when, the warm-up left out
	full      time.Duration // how long some have, before that
}

// acquire takes a free permit, or makes one if there may be more; nil when all
// are out.
func (s *permits) acquire(make func() *permit) (p *permit, fresh bool) {
	if n := len(s.free); n > 0 {
		p, s.free = s.free[n-1], s.free[:n-1]
	} else if len(s.opened) < s.max {
		p, fresh = make(), true
		s.opened = append(s.opened, p)
	}
	s.peak = max(s.peak, len(s.opened)-len(s.free))
	return p, fresh
}

// enqueue lets an arrival wait at the given offset.
func (s *permits) enqueue(now, warmup time.Duration) {
	s.waiting++
	if !s.exhausted {
		s.exhausted, s.since = true, max(now, warmup)
	}
}

// dequeue takes the arrival that has waited longest.
func (s *permits) dequeue(now time.Duration) Arrival {
	a, _ := s.claims.Next()
	if s.waiting--; s.waiting == 0 {
		s.relieve(now)
	}
	return a
}

// relieve ends the time in which arrivals wait for want of permits, if it is
// one: they are taken, or wait for nothing any more.
func (s *permits) relieve(now time.Duration) {
	if s.exhausted {
		s.exhausted = false
		s.full += max(0, now-s.since)
	}
}
