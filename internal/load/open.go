package load

import (
	"context"
	"sync"
	"time"
)

// A Connector is a Sender that can open its connection before it is needed.
// What goes wrong is found again by the first Send.
type Connector interface {
	Connect(ctx context.Context)
}

// connectAhead makes the permits that are to be connected before the start, and
// leaves them free.
func (l *Loop) connectAhead(ctx context.Context) {
	s := &l.permits
	for range min(l.cfg.Ahead, s.max) {
		s.opened = append(s.opened, l.newPermit())
	}
	var dials sync.WaitGroup
	for _, p := range s.opened {
		if c, ok := p.sender.(Connector); ok {
			dials.Go(func() { c.Connect(ctx) })
		}
	}
	dials.Wait()
	s.free = append(s.free, s.opened...)
}

// startOpen starts the pacer, and the permits that are already connected.
func (l *Loop) startOpen() {
	l.permits.claims = l.cfg.cursor()
	for _, p := range l.permits.free {
		l.serving.Go(func() { l.serveOpen(p, l.handed) })
	}
	l.serving.Go(l.pace)
}

// pace releases arrivals when they are due, in order, until there are no more.
// When it is late it releases all that has become due, each with its own due
// time.
func (l *Loop) pace() {
	defer l.close()
	next := l.cfg.cursor()
	var gather gatherer
	for {
		a, ok := next.Next()
		if at, over := l.offeredUntil(a, ok); over {
			l.offered = at
			return
		}
		for now := l.now(); now < a.Due; now = l.now() {
			if l.halted() {
				l.offered = now
				return
			}
			l.cfg.Sleeper.Sleep(gather.until(a.Due) - now)
			if at, over := l.offeredUntil(a, true); over { // since End was called
				l.offered = at
				return
			}
		}
		gather.released(a.Due, l.now())
		if a.Due >= l.cfg.Warmup {
			l.released++
		} else {
			l.releasedWarm++
		}
		l.release(a, next)
	}
}

// offeredUntil reports whether a, the schedule's next arrival if ok, does not
// become due any more, and until when arrivals did.
func (l *Loop) offeredUntil(a Arrival, ok bool) (at time.Duration, over bool) {
	end, bounded := l.end()
	switch {
	case !ok:
		return l.cfg.Schedule.Length(), true
	case bounded && a.Due >= end:
		return end, true
	case l.cfg.Requests > 0 && l.released == l.cfg.Requests:
		return a.Due, true
	}
	return 0, false
}

// release gives arrival a to a free permit or lets it wait for one. next is the
// schedule after a.
func (l *Loop) release(a Arrival, next Cursor) {
	s := &l.permits
	s.mu.Lock()
	defer s.mu.Unlock()
	var p *permit
	var fresh bool
	if l.halted() {
		s.waiting++ // it was due, and will not be sent
		return
	}
	if s.waiting == 0 {
		p, fresh = s.acquire(l.newPermit)
	}
	switch {
	case p == nil:
		s.enqueue(l.now(), l.cfg.Warmup)
	default:
		s.claims = next
		p.hand <- a
		if fresh {
			l.serving.Go(func() { l.serveOpen(p, l.handed) })
		}
	}
}

// close says that nothing more will be released, to the permits that wait for it.
func (l *Loop) close() {
	s := &l.permits
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, p := range s.free {
		close(p.hand)
	}
	s.free = nil
}

// serveOpen sends what p is given, to the end. from is where the first comes
// from: handed or next.
func (l *Loop) serveOpen(p *permit, from func(*permit) (a Arrival, waited, ok bool)) {
	defer l.leave(p, func() { l.serveOpen(p, l.next) })
	for a, waited, ok := from(p); ok; a, waited, ok = l.next(p) {
		if a.Due < l.cfg.Warmup {
			l.warm.Add(1)
		}
		l.issued.Add(1)
		now := l.now()
		var wait time.Duration
		if waited {
			// Every permit was out when it was due: how late the pacer was
			// then did not matter.
			wait = now - a.Due
		}
		l.exchange(p, a, now, wait)
	}
}

// handed returns what the pacer hands over to p; ok is false when that will be
// nothing more.
func (l *Loop) handed(p *permit) (a Arrival, waited, ok bool) {
	a, ok = <-p.hand
	return a, false, ok
}

// next returns p's next arrival: the one that has waited longest, or else the
// one that the pacer hands over. ok is false when there are no more.
func (l *Loop) next(p *permit) (a Arrival, waited, ok bool) {
	s := &l.permits
	s.mu.Lock()
	stopped := l.halted()
	if s.waiting > 0 && !stopped {
		defer s.mu.Unlock()
		return s.dequeue(l.now()), true, true
	}
	if s.closed || stopped {
		defer s.mu.Unlock()
		return a, false, false
	}
	s.free = append(s.free, p)
	s.mu.Unlock()
	return l.handed(p)
}
