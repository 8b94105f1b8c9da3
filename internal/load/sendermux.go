package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A senderMux is a Mux whose slots each have a Sender and a goroutine. The goroutine
// reads the clock before and after each exchange, so that handing it over is not part
// of its time.
type senderMux struct {
	clock     clock.Clock
	base      time.Time // of the instants of slots
	newSender func() Sender
	slots     []senderSlot
	ended     chan int // slots whose exchange has ended; never full
	woken     chan struct{}
	timer     *time.Timer
	serving   sync.WaitGroup
	busy      atomic.Int64 // exchanges in flight
}

// A senderSlot belongs to its goroutine from Start until its exchange has ended.
type senderSlot struct {
	sender     Sender     // nil until first needed
	next       chan int64 // arrivals
	n          int64      // the last arrival
	sent, done time.Duration
	result     record.Result
}

// NewSenderMux returns a Mux of n slots with a Sender and a goroutine each, which are
// made when first needed.
func NewSenderMux(n int, newSender func() Sender, c clock.Clock) Mux {
	m := &senderMux{
		clock: c, base: c.Now(), newSender: newSender, slots: make([]senderSlot, n),
		ended: make(chan int, n), woken: make(chan struct{}, 1), timer: time.NewTimer(forever),
	}
	m.timer.Stop()
	return m
}

// Start hands arrival n to a slot's goroutine; see [Mux].
func (m *senderMux) Start(slot int, n int64) {
	s := m.ready(slot)
	s.n = n
	m.busy.Add(1)
	s.next <- n
}

// ready returns a slot that has a Sender and a goroutine.
func (m *senderMux) ready(slot int) *senderSlot {
	s := &m.slots[slot]
	if s.sender == nil {
		s.sender, s.next = m.newSender(), make(chan int64, 1)
		m.serving.Go(func() { m.serve(slot) })
	}
	return s
}

// serve sends a slot's arrivals until there are no more.
func (m *senderMux) serve(slot int) {
	s := &m.slots[slot]
	sending := false
	defer func() {
		if sending { // code under test ended the goroutine; another takes over
			s.result = record.Result{Kind: record.Check, Err: errEnded}
			m.end(slot)
			m.serving.Go(func() { m.serve(slot) })
			return
		}
		s.sender.Close()
	}()
	for n := range s.next {
		var idled time.Duration
		s.sent = m.clock.Since(m.base)
		if s.done > 0 {
			idled = s.sent - s.done
		}
		sending = true
		s.result = s.sender.Send(n, idled)
		sending = false
		m.end(slot)
	}
}

// end leaves a slot's exchange to be reported.
func (m *senderMux) end(slot int) {
	m.slots[slot].done = m.clock.Since(m.base)
	m.busy.Add(-1)
	m.ended <- slot
}

// span returns when the last exchange of a slot was sent and done.
func (m *senderMux) span(slot int) (sent, done time.Duration) {
	return m.slots[slot].sent, m.slots[slot].done
}

// Wait reports the exchanges that have ended; see [Mux].
func (m *senderMux) Wait(d time.Duration, done func(int, *record.Result)) (expired bool) {
	if reported := m.report(done); reported || d <= 0 {
		return !reported
	}
	m.timer.Reset(d)
	defer m.timer.Stop()
	select {
	case i := <-m.ended:
		done(i, &m.slots[i].result)
		m.report(done)
	case <-m.woken:
	case <-m.timer.C:
		return true
	}
	return false
}

// report calls done for each exchange that has ended, and reports whether one had.
func (m *senderMux) report(done func(int, *record.Result)) (any bool) {
	for {
		select {
		case i := <-m.ended:
			done(i, &m.slots[i].result)
			any = true
		default:
			return any
		}
	}
}

// Expire ends the exchange of a slot; see [Mux].
func (m *senderMux) Expire(slot int) {
	if s := &m.slots[slot]; s.sender != nil {
		s.sender.Expire(s.n)
	}
}

// Connect opens connections; see [Mux].
func (m *senderMux) Connect(ctx context.Context, n int) {
	var dials sync.WaitGroup
	for i := range min(n, len(m.slots)) {
		if c, ok := m.ready(i).sender.(Connector); ok {
			dials.Go(func() { c.Connect(ctx) })
		}
	}
	dials.Wait()
}

// Wake ends a Wait; see [Mux].
func (m *senderMux) Wake() {
	select {
	case m.woken <- struct{}{}:
	default:
	}
}

// await waits at most d until the exchanges that were told to end have ended, and
// returns how many have not.
func (m *senderMux) await(d time.Duration) (left int64) {
	until := m.clock.Now()
	for m.busy.Load() > 0 && m.clock.Since(until) < d {
		for i := range m.slots {
			m.Expire(i)
		}
		m.Wait(cutEvery, func(int, *record.Result) {})
	}
	return m.busy.Load()
}

// Close ends the goroutines, except those of exchanges that do not end; see [Mux].
func (m *senderMux) Close() {
	for i := range m.slots {
		if s := &m.slots[i]; s.sender != nil {
			close(s.next)
		}
	}
	if m.busy.Load() == 0 {
		m.serving.Wait()
	}
}
