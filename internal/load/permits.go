package load

import (
	"sync"
	"sync/atomic"
	"time"
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
	n     atomic.Int64  // which arrival it is of
	due   time.Duration // when that was due; for cut alone, which no exchange follows
	done  time.Duration // when the last exchange ended
}

const (
	timedOut = -1 // its own goroutine records a timeout
	cutOff   = -2 // it is unfinished and not recorded
)

// begin marks an exchange as under way.
func (p *permit) begin(a Arrival, sent time.Duration) {
	p.due = a.Due
	p.n.Store(a.N)
	p.began.Store(int64(sent) + 1)
}

// end marks the exchange as over and returns what began said until now.
func (p *permit) end() int64 { return p.began.Swap(0) }

// expire ends the exchange under way if it began at or before the offset.
func (p *permit) expire(before time.Duration) {
	b, n := p.began.Load(), p.n.Load()
	if b > 0 && b-1 <= int64(before) && p.began.CompareAndSwap(b, timedOut) {
		p.sender.Expire(n)
	}
}

// cut ends the exchange under way and reports whether it is thereby unfinished,
// and when it was due. With late, that holds for one that is timing out too.
func (p *permit) cut(late bool) (due time.Duration, unfinished bool) {
	b, n := p.began.Load(), p.n.Load()
	if (b > 0 || late && b == timedOut) && p.began.CompareAndSwap(b, cutOff) {
		due, unfinished = p.due, true
	}
	p.sender.Expire(n)
	return due, unfinished
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
	fullSince time.Duration // since when there has been one waiting
	full      time.Duration // how long there has been one waiting, before that
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
