package load

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Mux performs the exchanges of many places from one goroutine. A place is a
// permit's: it has at most one exchange in flight, and a connection of its own.
// Only Wake may be called from another goroutine.
type Mux interface {
	// Start begins the exchange of arrival n in a place; idled is how long ago
	// the one before ended there, 0 if there was none. It does not wait, and
	// the end of the exchange is reported by Wait alone.
	Start(place int, n int64, idled time.Duration)
	// Wait calls done for exchanges as they end, which may start others, until
	// some have or d has passed or Wake is called. expired says that only time
	// has passed: at most d and what waking takes. d <= 0 looks without
	// waiting, perhaps at only a part of what there is.
	Wait(d time.Duration, done func(place int, r *record.Result)) (expired bool)
	// Expire makes the exchange in flight in a place end soon, with the kind
	// Timeout. It may be called again before Wait has reported the end.
	Expire(place int)
	// Connect opens the connections of the first n places, as far as possible
	// within ctx.
	Connect(ctx context.Context, n int)
	// Wake ends the present Wait, or else the next one.
	Wake()
	// Close frees everything, exchanges in flight included. It must follow a
	// Loop that left something unfinished.
	Close()
}

// A rest is the pause of a permit whose connections keep failing.
type rest struct {
	permit *permit
	until  time.Duration
}

// A muxLoop drives a table from one goroutine: it releases arrivals when they
// are due, sweeps for timeouts and records, all between two Waits.
type muxLoop struct {
	*table
	mux     Mux
	resting []rest
	lead    lead
	awake   bool // woken early for the next arrival
	sweepAt time.Duration
	cutAt   time.Duration
	done    func(int, *record.Result) // finished, bound once: each binding allocates
}

// startsAtOnce is how many permits of a closed workload are started between two
// looks at what has come back: each start takes tens of microseconds.
const startsAtOnce = 16

// runMuxes makes the load on cfg.Muxes, each with a table and a goroutine.
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
	t.expire = func(p *permit) { mux.Expire(p.place) }
	m.done = m.finished
	return m
}

// connect makes the loop's connections ready.
func (m *muxLoop) connect(ctx context.Context) {
	if ahead := min(m.cfg.Ahead, len(m.permits)); ahead > 0 {
		m.mux.Connect(ctx, ahead)
	}
	for !m.mux.Wait(0, m.done) { // connections may have ended since the stretch before
	}
}

// serve makes the table's part of the load.
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
			m.sweepAt = now + m.sweepEvery()
			m.sweep(now)
		}
		m.wait(now)
	}
}

// wait waits for the next thing to do.
func (m *muxLoop) wait(now time.Duration) {
	if m.startable() {
		m.mux.Wait(0, m.done)
		return
	}
	until := min(m.sweepAt, m.cutAt)
	for _, r := range m.resting {
		until = min(until, r.until)
	}
	if m.cfg.Schedule == nil || m.noMore || m.coming.Due > until {
		m.mux.Wait(until-now, m.done)
		return
	}
	left := m.gather.until(m.coming.Due) - now
	if m.awake && left <= spinMost && !m.gather.gathers() {
		m.mux.Wait(0, m.done)
		return
	}
	asked, early := m.lead.ask(left)
	m.awake = m.mux.Wait(asked, m.done) && early
	if late := m.now() - now - asked; m.awake && late >= 0 {
		m.lead.learn(late)
	}
}

// startable reports whether a closed workload has permits that it has yet to
// start.
func (m *muxLoop) startable() bool {
	return m.cfg.Schedule == nil && !m.noMore && (len(m.free) > 0 || m.used < len(m.permits))
}

// issueDue starts what can be started now.
func (m *muxLoop) issueDue(now time.Duration) {
	m.endRests(now)
	if m.cfg.Schedule != nil {
		coming := m.coming
		if m.release(now); m.coming != coming {
			m.awake = false
		}
		return
	}
	for range startsAtOnce {
		if m.noMore {
			return
		}
		p := m.acquire()
		if p == nil {
			return
		}
		m.activate(p)
	}
}

// endRests makes the permits that have rested long enough send again.
func (m *muxLoop) endRests(now time.Duration) {
	kept := m.resting[:0]
	for _, r := range m.resting {
		if now >= r.until || m.halted() {
			m.activate(r.permit)
		} else {
			kept = append(kept, r)
		}
	}
	m.resting = kept
}

// send makes p send the next arrival, or keeps it free.
func (m *muxLoop) send(p *permit, now time.Duration) {
	if m.take(p, now) {
		m.mux.Start(p.place, p.N, p.idled)
	} else {
		m.free = append(m.free, p)
	}
}

// finished ends the exchange in a place with the result r, and starts the next.
func (m *muxLoop) finished(place int, r *record.Result) {
	p := &m.permits[place]
	now := m.now()
	m.report(m.finish(p, r, now))
	if until := p.sent + r.Pause; until > now && !m.halted() {
		m.resting = append(m.resting, rest{p, until})
	} else {
		m.send(p, now)
	}
}
