package load

import (
	"context"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A Driver makes volleys: a few requests at a time on one Mux, with nothing in flight
// in between. It is for stretches of load that are too short for a [Loop], whose
// memory takes longer to get than they last. All volleys share one record. In steady
// state a request allocates nothing.
//
// A Driver belongs to one goroutine, except that Progress may be called from any.
type Driver struct {
	cfg      Workload
	ctx, cut context.Context
	mux      Mux
	timed    *senderMux // mux, if its goroutines read the clock; else nil
	base     time.Time  // of the instants below
	shard    shard
	slots    []driverSlot
	free     []int // slots; a stack
	finish   func(int, *record.Result)
	unwatch  []func() bool

	issued  int64         // requests, over all volleys
	apart   int64         // those of them that are counted in warm
	course  time.Duration // where in the course of the run the current volley begins, or the next
	warm    record.Totals // what was counted before Restart, and what the deadline of cut ended
	pause   time.Duration // until when nothing is sent, because connecting keeps failing
	sweepAt time.Duration
	freed   time.Duration // when a slot with a connection was last left without a request
	peak    int
	over    bool // exchanges were cut off, so that the mux can send no more

	volley   Volley
	began    time.Duration
	first    time.Duration // when the first request was sent; -1 before
	left     int           // of the volley's requests, those yet to be sent
	permits  int
	inFlight int
	each     func(time.Duration, bool)
}

// A driverSlot is the exchange in a slot of the Mux.
type driverSlot struct {
	n       int64
	sent    time.Duration
	state   state
	expired time.Duration // when it timed out
}

// A Volley is how some requests ended that were sent together.
type Volley struct {
	Took   time.Duration // from the first sent to the last done
	Failed int
	Ended  int // requests, those that failed included; fewer than asked for if the Driver was stopped
}

// NewDriver returns a Driver of the permits of cfg on mux, which has a slot for each
// and which the caller closes after it. Of cfg it uses Concurrency, Timeout, Grace,
// First, Origin, Before, Thresholds, Clock and OnFailed; of Schedule only that it is
// set. When ctx is cancelled, the Driver sends nothing more and lets what is in flight
// finish within the grace period; when cut is cancelled, it ends at once. Requests that
// are in flight when the deadline of cut passes count as warm-up: they did not fail, the
// time was up.
func NewDriver(ctx, cut context.Context, cfg Workload, mux Mux) *Driver {
	d := &Driver{
		cfg: cfg, ctx: ctx, cut: cut, mux: mux, course: cfg.Origin,
		base: cfg.Clock.Now(), slots: make([]driverSlot, cfg.Concurrency), free: make([]int, cfg.Concurrency),
	}
	if d.timed, _ = mux.(*senderMux); d.timed != nil {
		d.timed.base = d.base
	}
	for i := range d.free {
		d.free[i] = len(d.free) - 1 - i // so that slot 0 is the first taken
	}
	d.shard.seen = d.newRecord()
	d.finish = d.finished
	d.unwatch = []func() bool{context.AfterFunc(ctx, mux.Wake), context.AfterFunc(cut, mux.Wake)}
	return d
}

func (d *Driver) newRecord() *record.Record {
	r := record.New(d.cfg.Schedule != nil, d.cfg.Thresholds)
	r.From = time.Now()
	return r
}

// Close ends the Driver. It does not close its Mux.
func (d *Driver) Close() {
	for _, stop := range d.unwatch {
		stop()
	}
}

// Volley sends n requests, at most permits of them at a time, and waits for their
// ends. It calls each for every request that ends, with its response time and whether
// it succeeded. each may be nil.
func (d *Driver) Volley(n, permits int, each func(took time.Duration, ok bool)) Volley {
	d.volley, d.left, d.permits, d.each = Volley{}, n, min(permits, len(d.slots)), each
	for !d.mux.Wait(0, d.finish) { // connections may have ended since the last volley
	}
	cutAt := forever
	d.began, d.first = d.now(), -1
	for !d.over {
		now := d.now()
		if d.cut.Err() != nil || now >= cutAt {
			d.cutOff(now)
			break
		}
		if d.ctx.Err() != nil && cutAt == forever {
			cutAt = now + d.cfg.Grace
		}
		d.sendFree(now)
		if d.inFlight == 0 && (d.left == 0 || d.halted()) {
			break
		}
		if now >= d.sweepAt {
			d.sweepAt = now + d.cfg.sweepEvery()
			d.sweep(now)
			continue
		}
		until := min(d.sweepAt, cutAt)
		if d.left > 0 && d.pause > now {
			until = min(until, d.pause)
		}
		d.mux.Wait(until-now, d.finish)
	}
	d.course += d.now() - d.began
	return d.volley
}

// Next returns the number of the first arrival after those of the Driver.
func (d *Driver) Next() int64 { return d.cfg.First + d.issued }

// Permits returns how many requests can be in flight at once.
func (d *Driver) Permits() int { return len(d.slots) }

// Over reports whether the Driver can send no more, since it was stopped or a request
// ignored its timeout.
func (d *Driver) Over() bool { return d.over || d.halted() }

func (d *Driver) halted() bool { return d.ctx.Err() != nil || d.cut.Err() != nil }

func (d *Driver) now() time.Duration { return d.cfg.Clock.Since(d.base) }

// sendFree sends requests of the volley as far as permits are free.
func (d *Driver) sendFree(now time.Duration) {
	for d.left > 0 && d.inFlight < d.permits && len(d.free) > 0 && now >= d.pause && !d.halted() {
		i := d.free[len(d.free)-1]
		d.free = d.free[:len(d.free)-1]
		d.slots[i] = driverSlot{n: d.cfg.First + d.issued, sent: now, state: inFlight}
		if d.first < 0 {
			d.first = now
		}
		d.issued++
		d.left--
		d.inFlight++
		d.peak = max(d.peak, d.inFlight)
		d.mux.Start(i, d.slots[i].n)
		now = d.now()
	}
}

// finished ends the exchange in a slot with the result r and sends the next.
func (d *Driver) finished(i int, r *record.Result) {
	slot, now := &d.slots[i], d.now()
	if slot.state == cutOff {
		return
	}
	s := record.Sample{N: slot.n, Due: slot.sent, Sent: slot.sent, Done: now, Result: *r}
	if d.timed != nil {
		s.Due, s.Done = d.timed.span(i)
		s.Sent = s.Due
	}
	s.Done -= r.Checked
	s.Unanswered = s.Unanswered && d.freed > s.Sent
	d.cfg.endLate(&s, slot.state)
	slot.state = idle
	d.inFlight--
	d.free = append(d.free, i)
	if !r.Disconnected {
		d.freed = now
	}
	if r.Pause > 0 {
		d.pause = max(d.pause, s.Sent+r.Pause)
	}
	d.count(s)
	d.sendFree(now)
}

// count records a request that ended.
func (d *Driver) count(s record.Sample) {
	d.volley.Ended++
	d.volley.Took = max(d.volley.Took, s.Done-d.first)
	took, ok := s.ResponseTime(), s.Succeeded()
	if !ok {
		d.volley.Failed++
	}
	s = d.inCourse(s)
	d.shard.mu.Lock()
	d.shard.seen.Add(&s)
	d.shard.mu.Unlock()
	if !ok && d.cfg.OnFailed != nil {
		d.cfg.OnFailed(s)
	}
	if d.each != nil {
		d.each(took, ok)
	}
}

// inCourse returns s with its instants in the course of the run.
func (d *Driver) inCourse(s record.Sample) record.Sample {
	shift := d.course - d.began
	s.Due, s.Sent, s.Done = s.Due+shift, s.Sent+shift, s.Done+shift
	return s
}

// sweep ends exchanges that have reached their timeout; see [table.sweep]. If none is
// left except those that ignore it for the grace period, they are cut off.
func (d *Driver) sweep(now time.Duration) {
	hung := 0
	for i := range d.slots {
		s := &d.slots[i]
		if s.state == inFlight && now-s.sent >= d.cfg.Timeout {
			s.state, s.expired = timedOut, now
		}
		if s.state == timedOut {
			if now-s.expired > d.cfg.Grace {
				hung++
			}
			d.mux.Expire(i)
		}
	}
	if hung > 0 && hung == d.inFlight {
		d.cutOff(now)
	}
}

// cutOff leaves the exchanges in flight unfinished.
func (d *Driver) cutOff(now time.Duration) {
	d.shard.mu.Lock()
	defer d.shard.mu.Unlock()
	for i := range d.slots {
		s := &d.slots[i]
		if s.state == idle {
			continue
		}
		s.state = cutOff
		d.countUnfinished(s.sent)
		d.mux.Expire(i)
		d.over = true
	}
	if !d.over {
		return
	}
	d.shard.seen.Elapsed = max(d.shard.seen.Elapsed, d.inCourse(record.Sample{Done: now}).Done)
	if d.timed != nil {
		d.shard.seen.Abandoned += d.timed.await(abandonAfter)
	}
}

// countUnfinished records a request that was cut off. The shard must be locked.
func (d *Driver) countUnfinished(sent time.Duration) {
	if d.cut.Err() == context.DeadlineExceeded {
		d.apart++
		d.warm.Due++
		d.warm.Sent++
		d.warm.Unfinished++
		return
	}
	at := d.inCourse(record.Sample{Sent: sent}).Sent
	d.shard.seen.AddUnfinished(at, at)
}

// Restart makes all requests until now the warm-up.
func (d *Driver) Restart() {
	d.shard.mu.Lock()
	defer d.shard.mu.Unlock()
	d.warm.Add(d.Record().Totals)
	d.issued, d.apart, d.cfg.First = 0, 0, d.cfg.First+d.issued
	d.course = d.cfg.Origin
	d.shard.seen = d.newRecord()
}

// Record returns the record of all volleys since the last Restart, those before as
// its warm-up. It is the Driver's own until the last volley.
func (d *Driver) Record() *record.Record {
	r := d.shard.seen
	r.Warmup = d.warm
	r.Due, r.Sent = d.issued-d.apart, d.issued-d.apart // counted when they were sent, so that Record.Check finds one that was lost
	r.Interrupted = d.halted()
	r.PeakInFlight = d.peak
	if d.timed == nil {
		r.Loops = 1
	}
	r.Until = d.course
	r.Offering = r.Until - d.cfg.Origin + d.cfg.Before
	return r
}

// Progress returns how far the Driver has come, the warm-up included: it would go back
// at Restart. It may be called from any goroutine.
func (d *Driver) Progress() Tally {
	d.shard.mu.Lock()
	defer d.shard.mu.Unlock()
	p := Tally{Elapsed: d.now(), Response: hist.New(tallyBits)}
	p.count(d.shard.seen)
	p.Succeeded += d.warm.Succeeded
	p.Failed += d.warm.Failed
	return p
}
