package wire

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
)

// readSize is the size of the buffer that all connections are read into, one
// after the other. With bodies of 1 MiB, larger reads empty the sockets so fast
// that the server is woken for little each time and sends half as much; smaller
// ones cost more system calls.
const readSize = 64 << 10

// An epollMux sends plain HTTP over raw sockets from one goroutine. A request goes
// to whichever connection is free first: one that falls idle, or the one that is
// opened for it.
type epollMux struct {
	*Pool
	poll
	sockets map[*address]socket // of the addresses that were dialed
	base    time.Time
	now     time.Duration // since base, when the poll last returned

	buf   []byte
	slots []muxSlot
	ended []int // slots whose exchange has ended and is yet to be reported

	// There is a connection for each slot. Those from index used on have never been
	// opened; one that was closed is in unused or, until that is noticed, in idle.
	conns    []muxConn
	used     int
	unused   []*muxConn
	idle     []*muxConn // they have served an exchange; a stack
	unproven []*muxConn // they have not yet; a queue, as servers accept connections in order
	dials    []*muxConn // being opened, the oldest first; there may be more than slots that wait
	limits   []dialLimit
	maxDials int
	waiting  []int // slots whose requests wait for a connection, the first first
	failing  bool  // the last exchange failed
}

// A muxSlot is an exchange, which has a connection or waits for one.
type muxSlot struct {
	n        int64
	conn     *muxConn // nil while it waits
	busy     bool     // an exchange is in flight
	failures int      // connections in a row that failed before their first response
	result   record.Result
}

// NewMux returns a Mux that sends the pool's requests from one goroutine, or nil
// if they need what an event loop cannot do. The permits, and the connections
// that may be opened at once, are shared among the given number of loops. alone
// reports that nothing else in this process has work to do.
func (p *Pool) NewMux(permits, loops int, alone bool) (load.Mux, error) {
	if p.Dialer.TLS != nil || p.Dialer.Connect != nil || p.Follow || p.Check != nil {
		return nil, nil
	}
	share := (permits + loops - 1) / loops
	m := &epollMux{
		Pool: p, buf: make([]byte, readSize), sockets: map[*address]socket{}, base: p.Dialer.Clock.Now(),
		slots: make([]muxSlot, share), conns: make([]muxConn, share), maxDials: max(1, maxDials/loops),
	}
	if err := m.open(alone); err != nil {
		m.Close()
		if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
			return nil, nil // a sandbox refuses timerfd; goroutines need none
		}
		return nil, err
	}
	if c := p.first.Swap(nil); c != nil {
		m.adopt(c)
	}
	return m, nil
}

// Start begins an exchange; see [load.Mux]. An idle connection need not be checked
// first: the poll reports what happened to it.
func (m *epollMux) Start(i int, n int64) {
	s := &m.slots[i]
	s.n, s.busy, s.result = n, true, record.Result{}
	if c := m.takeIdle(); c != nil {
		c.idled = m.now - c.since
		m.begin(c, i)
		return
	}
	m.waiting = append(m.waiting, i)
	m.dialWaiting()
}

// begin sends the request of slot i on c.
func (m *epollMux) begin(c *muxConn, i int) {
	m.prepare(c, i)
	m.bind(c, i)
	m.send(c)
}

// prepare makes c ready to send the request of slot i.
func (m *epollMux) prepare(c *muxConn, i int) {
	if c.request == nil {
		c.request = m.Request.Bytes()
		c.parser = http1.NewParser(m.Request)
	}
	c.firstAt = time.Time{}
	c.outcome = http1.Outcome{Kept: c.served}
	c.parser.Reset(m.Request.Head())
	m.Request.Patch(c.request, m.slots[i].n)
	c.unsent, c.body = c.request, m.Request.Rest()
}

func (m *epollMux) bind(c *muxConn, i int) { c.slot, m.slots[i].conn = i, c }

// Wait serves the connections that are ready; see [load.Mux].
func (m *epollMux) Wait(d time.Duration, done func(int, *record.Result)) (expired bool) {
	m.dialWaiting()
	m.endDials()
	reported := m.report(done)
	if reported {
		d = 0 // the caller may have something else to wait for now
	}
	events, expired := m.wait(d)
	m.now = m.Dialer.Clock.Since(m.base)
	for _, e := range events {
		if e.Fd >= 0 {
			m.serve(&m.conns[e.Fd], e.Events)
			m.report(done) // at once: serving the next may take a while
		}
	}
	return expired && !reported
}

// serve handles the events on a connection. Some may be of a connection before it
// that was closed since.
func (m *epollMux) serve(c *muxConn, events uint32) {
	switch {
	case c.state == closed:
	case c.state == connecting:
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
			m.finishDial(c)
		}
	case events&^unix.EPOLLOUT != 0:
		m.receive(c)
	default:
		m.send(c)
	}
}

// send writes as much of the request as the socket takes.
func (m *epollMux) send(c *muxConn) {
	for len(c.unsent) > 0 || len(c.body) > 0 {
		b := &c.unsent
		if len(*b) == 0 {
			b = &c.body
		}
		n, errno := send(c.fd, *b)
		switch errno {
		case 0:
			*b = (*b)[n:]
			m.slots[c.slot].result.Octets.Sent += int64(n)
		case unix.EINTR:
		case unix.EAGAIN:
			m.setWantWrite(c, true)
			return
		default:
			// A response may have arrived all the same: reading will show.
			c.outcome.SendErr = os.NewSyscallError("write", errno)
			c.unsent, c.body = nil, nil
		}
	}
	m.setWantWrite(c, false)
}

// receive reads what has arrived on a connection.
func (m *epollMux) receive(c *muxConn) {
	n, errno := recv(c.fd, m.buf)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case c.slot < 0:
		// The peer has closed an idle connection, or sent data without a request.
		m.stray.Add(int64(n))
		m.drop(c)
		return
	case errno != 0:
		c.outcome.AtEnd, c.outcome.ReadErr = true, os.NewSyscallError("read", errno)
	case n == 0:
		c.outcome.AtEnd = true
		c.outcome.ReadErr = c.parser.EOF()
	default:
		r := &m.slots[c.slot].result
		r.Octets.Received += int64(n)
		used, done, err := c.parser.Feed(m.buf[:n])
		if !done && err == nil {
			if c.firstAt.IsZero() {
				c.firstAt = m.Dialer.Clock.Now()
			}
			return
		}
		c.outcome.ReadErr = c.parser.Explain(err, m.buf[:n])
		if done {
			r.Octets.Surplus = int64(n - used)
		}
	}
	m.finish(c)
}

// finish ends the exchange on c once there is nothing more to read.
func (m *epollMux) finish(c *muxConn) {
	i := c.slot
	s := &m.slots[i]
	if len(c.unsent)+len(c.body) > 0 && c.outcome.SendErr == nil {
		c.outcome.SendErr = os.ErrDeadlineExceeded // the response came first
	}
	s.result.Octets.Body = c.parser.Body()
	if err := c.outcome.Failure(&c.parser); err != nil {
		m.lose(c, err)
		return
	}
	setResponse(&s.result, m.Request, &c.parser)
	if s.result.Unexpected {
		m.rejected.keep(m.Request, s.n, &c.parser)
	}
	if !c.firstAt.IsZero() {
		s.result.Arriving = m.Dialer.Clock.Since(c.firstAt)
	}
	m.failing, s.failures = false, 0
	m.end(i)
	c.served, c.idleLimit = true, c.parser.IdleLimit()
	if c.idleLimit == 0 || !c.outcome.Reusable(m.Request, &c.parser, s.result.Octets.Surplus) {
		s.result.Disconnected = true
		m.discard(c)
		return
	}
	m.release(c)
	s.result.Disconnected = c.slot >= 0
}

// lose ends an exchange that failed, and its connection. If the request was not
// processed, it is sent again.
func (m *epollMux) lose(c *muxConn, err error) {
	i := c.slot
	s := &m.slots[i]
	unprocessed := c.outcome.Unprocessed(&c.parser, err)
	s.result.Unanswered = c.outcome.Expired && !c.served && !c.parser.Started()
	m.discard(c)
	if unprocessed {
		s.result.Stale = max(1, c.idled)
		if m.mayRepeat(m.Request) {
			s.conn, s.result.SentAgain = nil, true
			m.waiting = slices.Insert(m.waiting, 0, i)
			m.dialWaiting()
			return
		}
	}
	m.fail(i, err, !c.served)
}

// fail ends the exchange of slot i without a complete response. fresh reports
// that its connection had not served an exchange before.
func (m *epollMux) fail(i int, err error, fresh bool) {
	s := &m.slots[i]
	m.failing, s.result.Disconnected = true, true
	m.setFailure(&s.result, s.n, err, fresh, &s.failures)
	m.end(i)
}

// end leaves the exchange of slot i to be reported.
func (m *epollMux) end(i int) {
	s := &m.slots[i]
	s.busy, s.conn = false, nil
	m.ended = append(m.ended, i)
}

// report calls done for each exchange that has ended, including those that end
// as a result. It reports whether there were any.
func (m *epollMux) report(done func(int, *record.Result)) (any bool) {
	any = len(m.ended) > 0
	for k := 0; k < len(m.ended); k++ { // done may add to it
		i := m.ended[k]
		done(i, &m.slots[i].result)
	}
	m.ended = m.ended[:0]
	return any
}

// Expire ends the exchange of slot i; see [load.Mux].
func (m *epollMux) Expire(i int) {
	s := &m.slots[i]
	switch {
	case !s.busy: // ended, and yet to be reported
	case s.conn != nil:
		s.conn.outcome.Expired, s.conn.outcome.ReadErr = true, os.ErrDeadlineExceeded
		m.finish(s.conn)
	default:
		m.stopWaiting(slices.Index(m.waiting, i))
		if len(m.dials) > 0 {
			c := m.dials[0] // another may be answered sooner
			m.addrs.refused(m.life, c.to, os.ErrDeadlineExceeded)
			m.discard(c)
		}
		m.fail(i, dialError(m.where(), os.ErrDeadlineExceeded), true)
	}
}

// Wake ends a Wait; see [load.Mux].
func (m *epollMux) Wake() { m.wake() }

// Close frees everything; see [load.Mux].
func (m *epollMux) Close() {
	for i := range m.conns[:m.used] {
		if c := &m.conns[i]; c.state != closed {
			unix.Close(c.fd)
		}
	}
	m.free()
}

// setWantWrite makes the poll watch for c's socket to become writable, or stop
// watching.
func (m *epollMux) setWantWrite(c *muxConn, on bool) {
	if c.wantWrite == on {
		return
	}
	c.wantWrite = on
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if on {
		events |= unix.EPOLLOUT
	}
	m.watch(unix.EPOLL_CTL_MOD, c.fd, c.index, events)
}
