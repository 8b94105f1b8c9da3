package load

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Sender performs exchanges for one permit, one at a time.
type Sender interface {
	// Send performs the exchange of arrival n and returns its result. It sends a
	// request again only if it provably was not processed, and once. idled is how
	// long ago the Sender's last exchange ended, 0 for its first.
	Send(n int64, idled time.Duration) record.Result
	// Expire ends the exchange of arrival n as soon as possible, if that is the
	// one in flight. It may be called from any goroutine.
	Expire(n int64)
	// Close releases what the Sender holds. It is called once, after the last Send.
	Close()
}

// A Connector is a Sender that can open its connection before it is needed. If that
// fails, the first Send tries again.
type Connector interface {
	Connect(ctx context.Context)
}

const (
	// abandonAfter is how long a run waits for requests that it has cut off. Only Go
	// code under test that ignores its context takes longer.
	abandonAfter = time.Second
	// cutEvery is how often it asks the rest again to end.
	cutEvery = 5 * time.Millisecond
)

// runSenders makes the load with a Sender and a goroutine for each permit.
func (l *Loop) runSenders(ctx, cut context.Context) (interrupted bool) {
	for _, t := range l.tables {
		t.activate = func(p *permit) { l.wake(t, p) }
		t.expire = func(p *permit) { p.sender.Expire(p.N) }
	}
	l.connectAhead(ctx)
	l.begin()
	for _, t := range l.tables {
		if l.cfg.Schedule != nil {
			t.advance()
			l.serving.Go(func() { l.pace(t) })
			continue
		}
		l.startAt(t, t.begins(), t.acquire())
	}
	served := make(chan struct{})
	go func() { l.serving.Wait(); close(served) }()
	return l.await(ctx, cut, served)
}

// startAt starts p, the only permit of its table in a closed workload, at an offset
// from the start of the loop.
func (l *Loop) startAt(t *table, at time.Duration, p *permit) {
	if at == 0 {
		t.activate(p)
		return
	}
	p.sender = l.cfg.NewSender()
	l.serving.Go(func() {
		l.pause(at - l.now())
		t.activate(p)
	})
}

// connectAhead opens the connections that are wanted before the start.
func (l *Loop) connectAhead(ctx context.Context) {
	var dials sync.WaitGroup
	for _, t := range l.tables {
		var ready []*permit
		for range min(l.cfg.Ahead, len(t.permits)) {
			p := t.acquire()
			p.sender = l.cfg.NewSender()
			if c, ok := p.sender.(Connector); ok {
				dials.Go(func() { c.Connect(ctx) })
			}
			ready = append(ready, p)
		}
		t.free = ready
	}
	dials.Wait()
}

// pace releases arrivals when they are due. When there are no more, it lets the
// permits that wait for one exit.
func (l *Loop) pace(t *table) {
	for {
		t.mu.Lock()
		t.release(l.now())
		until, over := t.gather.until(t.coming.Due), t.noMore
		if over {
			for _, p := range slices.Concat(t.free, t.bare) {
				t.activate(p)
			}
		}
		t.mu.Unlock()
		if over {
			return
		}
		if d := until - l.now(); d > 0 {
			l.cfg.Sleeper.Sleep(d)
		}
	}
}

// wake makes p's goroutine look for an arrival.
func (l *Loop) wake(t *table, p *permit) {
	if p.wake != nil {
		p.wake <- struct{}{}
		return
	}
	p.wake = make(chan struct{}, 1)
	if p.sender == nil {
		p.sender = l.cfg.NewSender()
	}
	l.serving.Go(func() { l.serve(t, p) })
}

// serve sends the arrivals that p takes until there are no more.
func (l *Loop) serve(t *table, p *permit) {
	defer l.exit(t, p)
	t.mu.Lock()
	for l.next(t, p) {
		t.mu.Unlock()
		r := p.sender.Send(p.N, p.idled)
		now := l.now()
		t.mu.Lock()
		if failed, report := t.finish(p, &r, now); report {
			t.mu.Unlock()
			l.cfg.OnFailed(failed)
			t.mu.Lock()
		}
		if rest := p.sent + r.Pause - now; rest > 0 {
			t.rest(l.now())
			t.mu.Unlock()
			l.pause(rest)
			t.mu.Lock()
			t.endRest(l.now())
		}
	}
	t.mu.Unlock()
}

// next gives p its next arrival, and waits for one if necessary. t.mu must be held;
// it is released while waiting. It returns false when there are no more.
func (l *Loop) next(t *table, p *permit) bool {
	for !t.take(p, l.now()) {
		if t.noMore {
			return false
		}
		t.park(p, l.now())
		t.mu.Unlock()
		<-p.wake
		t.mu.Lock()
	}
	return true
}

// exit runs when p's goroutine exits. If code under test ended it, the request
// has failed and another goroutine takes over.
func (l *Loop) exit(t *table, p *permit) {
	t.mu.Lock()
	if p.state != idle {
		failed, report := t.finish(p, &record.Result{Kind: record.Check, Err: errEnded}, l.now())
		t.mu.Unlock()
		l.report(failed, report)
		l.serving.Go(func() { l.serve(t, p) })
		return
	}
	p.exited = true
	t.mu.Unlock()
	p.sender.Close()
}

// report calls OnFailed with s, if it is to be.
func (l *Loop) report(s record.Sample, wanted bool) {
	if wanted {
		l.cfg.OnFailed(s)
	}
}

// pause waits for d, or until the loop is stopped.
func (l *Loop) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.stopping:
	}
}

// await waits until all requests have ended, and ends those that take too long.
func (l *Loop) await(ctx, cut context.Context, served <-chan struct{}) (interrupted bool) {
	last := time.NewTimer(l.untilCutOff())
	defer last.Stop()
	sweep := time.NewTicker(l.cfg.sweepEvery())
	defer sweep.Stop()
	cancelled := ctx.Done()
	for {
		select {
		case <-served:
			return interrupted || ctx.Err() != nil
		case <-sweep.C:
			if !l.stuck() {
				continue
			}
			// Requests that hang may have kept others from being issued.
			end, ok := l.end()
			kept := l.cfg.Schedule == nil && l.tickets.Load() < l.cfg.Requests && !(ok && l.now() >= end)
			interrupted = interrupted || kept
		case <-cancelled:
			cancelled = nil // a closed channel would always be ready
			interrupted = true
			l.stop()
			last.Reset(min(l.cfg.Grace, l.untilCutOff()))
			continue
		case <-last.C:
		case <-cut.Done():
			interrupted = true
		}
		l.stop()
		l.cutOff(served)
		return interrupted
	}
}

// stuck sweeps, and reports whether only exchanges are left that have ignored their
// timeout for the grace period.
func (l *Loop) stuck() bool {
	hung, alive := 0, false
	for _, t := range l.tables {
		t.mu.Lock()
		h, a := t.sweep(l.now())
		t.mu.Unlock()
		hung, alive = hung+h, alive || a
	}
	return hung > 0 && !alive
}

// cutOff ends the exchanges in flight, and abandons those that take too long to end.
func (l *Loop) cutOff(served <-chan struct{}) {
	again := time.NewTicker(cutEvery)
	defer again.Stop()
	giveUp := time.NewTimer(abandonAfter)
	defer giveUp.Stop()
	for late := false; ; {
		for _, t := range l.tables {
			t.mu.Lock()
			t.cutOff(late)
			t.sweep(l.now())
			if late {
				l.abandoned += int64(t.inFlight)
			}
			t.mu.Unlock()
		}
		if late {
			return
		}
		select {
		case <-served:
			return
		case <-again.C:
		case <-giveUp.C:
			late = true // also cut off those that are timing out
		}
	}
}
