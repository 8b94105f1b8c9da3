package load

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Mux performs the exchanges of many places from one goroutine. A place is a
// permit's: it has at most one exchange under way, and a connection of its own.
// Only Wake may be called from another goroutine.
type Mux interface {
	// Start begins the exchange of arrival n in a place; idled is how long ago
	// the one before ended there, 0 if there was none. It does not wait, and
	// tells of the end only through Wait.
	Start(place int, n int64, idled time.Duration)
	// Wait tells done of exchanges as they end, which may start others, until
	// some have or d has passed or Wake is called. expired says that nothing
	// but time has passed, at most d and what waking takes. d <= 0 looks
	// without waiting, which may be at a part of what there is.
	Wait(d time.Duration, done func(place int, r *record.Result)) (expired bool)
	// Expire makes the exchange under way in a place end soon, with the kind
	// Timeout.
	Expire(place int)
	// Connect opens the connections of the first n places, as far as they can
	// be within ctx.
	Connect(ctx context.Context, n int)
	// Wake ends the Wait under way, or else the next one.
	Wake()
	// Close frees everything, what is under way too. After a Loop that left
	// something unfinished nothing else may follow.
	Close()
}

// A place is one permit of a muxLoop.
type place struct {
	Arrival
	sent, waited time.Duration
	done         time.Duration // when its last exchange ended, 0 if there was none
	busy         bool          // an exchange is under way
	expired      bool          // which has been told to end
}

// sample is what is known of the exchange under way.
func (p *place) sample() record.Sample {
	return record.Sample{N: p.N, Due: p.Due, Sent: p.sent, Waited: p.waited}
}

// A rest is the pause of a place whose connections keep failing.
type rest struct {
	place int
	until time.Duration
}

// A muxLoop serves some of a Loop's permits from one goroutine: it releases
// arrivals when they are due, sweeps for timeouts and records, all between two
// Waits.
type muxLoop struct {
	*Loop
	mux     Mux
	shard   *shard
	places  []place
	unused  int   // places from here on have never been used
	free    []int // a stack: most recently used first
	resting []rest
	busy    int // exchanges under way
	peak    int // most of them at once

	next    Cursor  // open: after coming
	coming  Arrival // open: the first that is not yet due
	noMore  bool    // nothing more will become due
	gather  gatherer
	lead    lead
	awake   bool // woken early for what is coming
	sweepAt time.Duration
	told    func(int, *record.Result) // done, bound once: each binding allocates
	cutAt   time.Duration

	interrupted bool
	unfinished  []record.Sample // what it had to cut off
}

// startsAtOnce is how many places of a closed workload are started between two
// looks at what has come back: each start takes tens of microseconds. Chosen.
const startsAtOnce = 16

const forever = time.Duration(math.MaxInt64)

// runMuxes makes the load on cfg.Muxes, each with its part of the permits and a
// goroutine of its own. It returns the requests that it had to cut off.
func (l *Loop) runMuxes(ctx, cut context.Context) (interrupted bool, unfinished []record.Sample) {
	loops := l.muxLoops()
	for _, m := range loops {
		defer context.AfterFunc(ctx, m.mux.Wake)()
		defer context.AfterFunc(cut, m.mux.Wake)()
		m.connect(ctx)
	}
	l.begin()
	var serving sync.WaitGroup
	for _, m := range loops {
		serving.Go(func() { m.serve(ctx, cut) })
	}
	serving.Wait()
	for _, m := range loops {
		interrupted = interrupted || m.interrupted
		unfinished = append(unfinished, m.unfinished...)
		// Each at its own peak, which in a closed workload is all the time.
		l.permits.peak += m.peak
	}
	return interrupted, unfinished
}

// muxLoops gives out the permits.
func (l *Loop) muxLoops() (loops []*muxLoop) {
	n := l.cfg.loops()
	for i := range n {
		places := (l.cfg.Permits() + i) / n // which add up to all
		m := &muxLoop{Loop: l, mux: l.cfg.Muxes[i], shard: l.shards[i], places: make([]place, places), cutAt: forever}
		m.told = m.done
		loops = append(loops, m)
	}
	return loops
}

// connect makes the loop's connections ready.
func (m *muxLoop) connect(ctx context.Context) {
	if ahead := min(m.cfg.Ahead, len(m.places)); ahead > 0 {
		m.mux.Connect(ctx, ahead)
	}
	for !m.mux.Wait(0, m.told) { // see what became of connections since the stretch before
	}
}

// serve makes the loop's part of the load.
func (m *muxLoop) serve(ctx, cut context.Context) {
	m.cutAt = m.untilCutOff()
	if m.cfg.Schedule != nil {
		m.next = m.cfg.cursor()
		m.permits.claims = m.next
		m.advance()
	}
	for {
		now := m.now()
		if cut.Err() != nil || now >= m.cutAt {
			m.stop()
			m.issue(now) // what is due counts, sent or not
			m.interrupted = m.interrupted || cut.Err() != nil
			m.cutOff()
			return
		}
		if ctx.Err() != nil && !m.interrupted {
			m.interrupted = true
			m.stop()
			m.cutAt = min(m.cutAt, now+m.cfg.Grace)
		}
		m.issue(now)
		if m.noMore && m.busy == 0 && (m.permits.waiting == 0 || m.halted()) {
			m.interrupted = m.interrupted || ctx.Err() != nil
			return
		}
		m.sweep(now)
		m.wait(now)
	}
}

// wait waits for the next thing to do.
func (m *muxLoop) wait(now time.Duration) {
	if m.startable() {
		m.mux.Wait(0, m.told)
		return
	}
	until := min(m.sweepAt, m.cutAt)
	for _, r := range m.resting {
		until = min(until, r.until)
	}
	if m.cfg.Schedule == nil || m.noMore || m.coming.Due > until {
		m.mux.Wait(until-now, m.told)
		return
	}
	left := m.gather.until(m.coming.Due) - now
	if m.awake && left <= spinMost && !m.gather.gathers() {
		m.mux.Wait(0, m.told)
		return
	}
	asked, early := m.lead.ask(left)
	m.awake = m.mux.Wait(asked, m.told) && early
	if late := m.now() - now - asked; m.awake && late >= 0 {
		m.lead.learn(late)
	}
}

// issue starts what can be started now.
func (m *muxLoop) issue(now time.Duration) {
	m.endRests(now)
	if m.cfg.Schedule != nil {
		if !m.noMore {
			m.bound(true) // End may have been called
		}
		m.releaseUntil(now)
		if m.halted() && !m.noMore {
			m.releaseUntil(m.now()) // sending may have taken its time
		}
		if m.halted() && !m.noMore {
			m.noMore, m.offered = true, m.now()
		}
		return
	}
	for range startsAtOnce {
		if m.noMore {
			return
		}
		i, ok := m.acquire()
		if !ok {
			return
		}
		m.startClosed(i, m.now())
	}
}

// releaseUntil releases what is due at the offset.
func (m *muxLoop) releaseUntil(now time.Duration) {
	for !m.noMore && m.coming.Due <= now {
		m.gather.released(m.coming.Due, now)
		m.release()
	}
}

// startable reports whether a closed workload has places that it has yet to
// start.
func (m *muxLoop) startable() bool {
	return m.cfg.Schedule == nil && !m.noMore && (len(m.free) > 0 || m.unused < len(m.places))
}

// endRests frees the places that have rested long enough.
func (m *muxLoop) endRests(now time.Duration) {
	kept := m.resting[:0]
	for _, r := range m.resting {
		if now >= r.until || m.halted() {
			m.freed(r.place)
		} else {
			kept = append(kept, r)
		}
	}
	m.resting = kept
}

// acquire takes a free place.
func (m *muxLoop) acquire() (i int, ok bool) {
	if n := len(m.free); n > 0 {
		i, m.free = m.free[n-1], m.free[:n-1]
		return i, true
	}
	if m.unused == len(m.places) {
		return 0, false
	}
	m.unused++
	return m.unused - 1, true
}

// freed gives place i its next arrival, or keeps it free.
func (m *muxLoop) freed(i int) {
	s := &m.permits
	switch {
	case m.cfg.Schedule == nil:
		m.startClosed(i, m.now())
	case s.waiting > 0 && !m.halted():
		now := m.now()
		a := s.dequeue(now)
		m.startOpen(i, a, now, now-a.Due)
	default:
		m.free = append(m.free, i)
	}
}

// startClosed gives place i the next arrival of a closed workload, if there is
// one.
func (m *muxLoop) startClosed(i int, now time.Duration) {
	n, ok := m.take(now)
	if !ok {
		m.noMore = true
		return
	}
	m.start(i, Arrival{n, now}, now, 0)
}

// release gives the arrival that has become due to a free place or lets it wait
// for one.
func (m *muxLoop) release() {
	a := m.coming
	if a.Due < m.cfg.Warmup {
		m.releasedWarm++
	} else {
		m.released++
	}
	m.advance()
	s := &m.permits
	if m.halted() {
		s.waiting++ // it was due, and will not be sent
		return
	}
	if s.waiting == 0 {
		if i, ok := m.acquire(); ok {
			s.claims.Next()
			m.startOpen(i, a, m.now(), 0)
			return
		}
	}
	s.enqueue(m.now(), m.cfg.Warmup)
}

// advance finds out which arrival comes next, if any does.
func (m *muxLoop) advance() {
	m.awake = false
	var ok bool
	m.coming, ok = m.next.Next()
	m.bound(ok)
}

// bound finds out whether what comes next does not become due any more; ok says
// that something comes.
func (m *muxLoop) bound(ok bool) {
	if at, over := m.offeredUntil(m.coming, ok); over {
		m.noMore, m.offered = true, at
	}
}

func (m *muxLoop) startOpen(i int, a Arrival, now, waited time.Duration) {
	if a.Due < m.cfg.Warmup {
		m.warm.Add(1)
	}
	m.issued.Add(1)
	m.start(i, a, now, waited)
}

func (m *muxLoop) start(i int, a Arrival, sent, waited time.Duration) {
	p := &m.places[i]
	var idled time.Duration
	if p.done > 0 {
		idled = sent - p.done
	}
	p.Arrival, p.sent, p.waited, p.busy = a, sent, waited, true
	m.busy++
	m.peak = max(m.peak, m.busy)
	m.mux.Start(i, a.N, idled)
}

// done records the exchange that has ended in place i, and starts the next.
func (m *muxLoop) done(i int, r *record.Result) {
	p := &m.places[i]
	s := p.sample()
	s.Result, s.Done = *r, m.now()
	expired := p.expired
	p.done, p.busy, p.expired = s.Done, false, false
	m.busy--
	m.record(m.shard, &s, expired)
	switch {
	case s.Pause > s.ServiceTime() && !m.halted():
		m.resting = append(m.resting, rest{i, s.Sent + s.Pause})
	case m.cfg.Schedule == nil:
		m.startClosed(i, s.Done)
	default:
		m.freed(i)
	}
}

// sweep ends exchanges that have reached their timeout, to 5 % of it.
func (m *muxLoop) sweep(now time.Duration) {
	if now < m.sweepAt {
		return
	}
	m.sweepAt = now + m.sweepEvery()
	for i := range m.places[:m.unused] {
		if p := &m.places[i]; p.busy && !p.expired && now-p.sent >= m.cfg.Timeout {
			p.expired = true
			m.mux.Expire(i)
		}
	}
}

// cutOff gives up what is under way.
func (m *muxLoop) cutOff() {
	for i := range m.places[:m.unused] {
		if p := &m.places[i]; p.busy {
			m.unfinished = append(m.unfinished, p.sample())
		}
	}
}
