package load

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Mux performs the exchanges of many permits from one goroutine. Each permit has a
// slot with at most one exchange in flight. They share the connections, of which there
// are at most as many as slots. Only Wake may be called from another goroutine.
type Mux interface {
	// Start begins the exchange of arrival n in a slot. It does not wait. Only Wait
	// reports the end of the exchange.
	Start(slot int, n int64)
	// Wait calls done for each exchange that ends, and done may start others. It
	// returns after some have ended, d has passed or Wake was called. expired
	// reports that it returned only because time passed: at most d, plus the time
	// to wake up. With d <= 0 it does not wait, and may report only some of the
	// exchanges that have ended.
	Wait(d time.Duration, done func(slot int, r *record.Result)) (expired bool)
	// Expire makes the exchange in flight in a slot end soon, with the kind
	// Timeout. It may be called again before Wait has reported the end.
	Expire(slot int)
	// Connect opens connections until there are n, as far as it can until ctx ends.
	Connect(ctx context.Context, n int)
	// Wake ends the current Wait, or else the next one.
	Wake()
	// Close releases everything, including exchanges in flight. After a Loop that
	// left exchanges unfinished, the Mux must be closed.
	Close()
}

// A pausedPermit sends nothing for a while because its connections keep failing.
type pausedPermit struct {
	permit *permit
	until  time.Duration
}

// A muxLoop drives a table from one goroutine: it releases arrivals when they
// are due, sweeps for timeouts and records, all between two Waits.
type muxLoop struct {
	*table
	mux     Mux
	paused  []pausedPermit
	lead    lead
	awake   bool // woken early for the next arrival, and spinning until it is due
	sweepAt time.Duration
	cutAt   time.Duration
	done    func(int, *record.Result) // the method finished, bound once because each binding allocates
}

// startBatch is how many permits of a closed workload are started before responses
// are looked for again: each start takes tens of microseconds.
const startBatch = 16

// runMuxes makes the load with cfg.Muxes, each with a table and a goroutine.
func (l *Loop) runMuxes(ctx, cut context.Context) (interrupted bool) {
	loops := make([]*muxLoop, len(l.tables))
	for i, t := range l.tables {
		m := newMuxLoop(t, l.cfg.Muxes[i])
		loops[i] = m
		defer context.AfterFunc(ctx, m.mux.Wake)()
		defer context.AfterFunc(cut, m.mux.Wake)()
		m.connect(ctx)
	}
	l.begin()
	stopped := make([]bool, len(loops))
	var serving sync.WaitGroup
	for i, m := range loops {
		serving.Go(func() { stopped[i] = m.serve(ctx, cut) })
	}
	serving.Wait()
	return slices.Contains(stopped, true)
}

func newMuxLoop(t *table, mux Mux) *muxLoop {
	m := &muxLoop{table: t, mux: mux}
	t.activate = func(p *permit) { m.send(p, m.now()) }
	t.expire = func(p *permit) { mux.Expire(p.slot) }
	m.done = m.finished
	return m
}

// connect opens the connections that are wanted before the start.
func (m *muxLoop) connect(ctx context.Context) {
	if ahead := min(m.cfg.Ahead, len(m.permits)); ahead > 0 {
		m.mux.Connect(ctx, ahead)
	}
	for !m.mux.Wait(0, m.done) { // connections may have ended since the last stretch
	}
}

// serve makes the load of one table.
func (m *muxLoop) serve(ctx, cut context.Context) (interrupted bool) {
	m.cutAt = m.untilCutOff()
	if m.cfg.Schedule != nil {
		m.advance()
	}
	for {
		now := m.now()
		if cut.Err() != nil || now >= m.cutAt {
			m.stop()
			m.issueDue(now) // what is due counts, sent or not
			m.cutOff(true)
			return interrupted || cut.Err() != nil
		}
		if ctx.Err() != nil && !interrupted {
			interrupted = true
			m.stop()
			m.cutAt = min(m.cutAt, now+m.cfg.Grace)
		}
		m.issueDue(now)
		if m.noMore && m.inFlight == 0 && (m.waiting == 0 || m.halted()) {
			return interrupted || ctx.Err() != nil
		}
		if now >= m.sweepAt {
			m.sweepAt = now + m.cfg.sweepEvery()
			m.sweep(now)
		}
		m.wait(now)
	}
}

// wait waits until there is something to do.
func (m *muxLoop) wait(now time.Duration) {
	until := min(m.sweepAt, m.cutAt, m.startable())
	if until <= now {
		m.mux.Wait(0, m.done)
		return
	}
	for _, r := range m.paused {
		until = min(until, r.until)
	}
	if m.cfg.Schedule == nil || m.noMore || m.coming.Due > until {
		m.mux.Wait(until-now, m.done)
		return
	}
	left := m.gather.until(m.coming.Due) - now
	if m.awake && left <= maxSpin && !m.gather.gathers() {
		m.mux.Wait(0, m.done)
		return
	}
	asked, early := m.lead.ask(left)
	m.awake = m.mux.Wait(asked, m.done) && early
	if late := m.now() - now - asked; m.awake && late >= 0 {
		m.lead.learn(late)
	}
}

// startable returns from when on a closed workload has a permit to be started.
func (m *muxLoop) startable() time.Duration {
	switch {
	case m.cfg.Schedule != nil || m.noMore:
		return forever
	case len(m.free)+len(m.bare) > 0:
		return 0
	case m.used < len(m.permits):
		return m.begins()
	}
	return forever
}

// issueDue sends the requests that are due now.
func (m *muxLoop) issueDue(now time.Duration) {
	m.resume(now)
	if m.cfg.Schedule != nil {
		coming := m.coming
		if m.release(now); m.coming != coming {
			m.awake = false
		}
		return
	}
	for range startBatch {
		if m.startable() > now {
			return
		}
		m.activate(m.acquire())
	}
}

// resume makes the permits whose pause is over send again.
func (m *muxLoop) resume(now time.Duration) {
	kept := m.paused[:0]
	for _, r := range m.paused {
		if now >= r.until || m.halted() {
			m.endRest(now)
			m.activate(r.permit)
		} else {
			kept = append(kept, r)
		}
	}
	m.paused = kept
}

// send makes p send the next arrival, or frees it if there is none.
func (m *muxLoop) send(p *permit, now time.Duration) {
	if m.take(p, now) {
		m.mux.Start(p.slot, p.N)
	} else {
		m.park(p, now)
	}
}

// finished ends the exchange in a slot with the result r and starts the next.
func (m *muxLoop) finished(slot int, r *record.Result) {
	p := &m.permits[slot]
	now := m.now()
	m.report(m.finish(p, r, now))
	if until := p.sent + r.Pause; until > now && !m.halted() {
		m.rest(now)
		m.paused = append(m.paused, pausedPermit{p, until})
	} else {
		m.send(p, now)
	}
}
