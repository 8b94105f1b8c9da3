package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

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

// An epollMux sends plain HTTP over raw sockets from one goroutine.
type epollMux struct {
	*Pool
	poll
	addr   unix.Sockaddr
	family int

	buf   []byte
	slots []muxSlot
	ended []int // slots whose exchange has ended and is yet to be reported

	dialing  int // connections being opened
	maxDials int
	queue    []int // slots that wait for their turn to open one
}

// The states of a slot's connection.
const (
	unconnected = iota
	queued
	connecting
	connected
)

// A muxSlot is one connection and the exchange on it.
type muxSlot struct {
	fd        int
	state     uint8
	busy      bool // an exchange is in flight
	kept      bool // the connection has served an exchange
	wantWrite bool // the poll watches for the socket to become writable
	failed    bool // the last exchange failed
	failures  int  // connections in a row that failed before their first response
	n         int64
	request   []byte // patched for each exchange
	unsent    []byte // what is left of request
	body      []byte // what is left of a body that is not part of request
	parser    http1.Parser
	outcome   http1.Outcome
	result    record.Result
}

// NewMux returns a Mux that sends the pool's requests from one goroutine, or nil
// if they need what an event loop cannot do. The permits, and the connections
// that may be opened at once, are shared among the given number of loops. alone
// reports that nothing else in this process has work to do.
func (p *Pool) NewMux(permits, loops int, alone bool) (load.Mux, error) {
	if p.Dialer.TLS != nil || p.Dialer.Connect != nil {
		return nil, nil
	}
	addr, err := netip.ParseAddrPort(p.Dialer.Addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", p.Dialer.Addr, err)
	}
	m := &epollMux{
		Pool: p, buf: make([]byte, readSize),
		slots: make([]muxSlot, (permits+loops-1)/loops), maxDials: max(1, maxDials/loops),
	}
	m.addr, m.family = sockaddr(addr)
	if err := m.open(alone); err != nil {
		m.Close()
		if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
			return nil, nil // a sandbox refuses timerfd; goroutines need none
		}
		return nil, err
	}
	if c := p.first.Swap(nil); c != nil {
		m.adopt(0, c)
	}
	return m, nil
}

// Start begins an exchange; see [load.Mux]. The connection need not be checked
// first: the poll reports what happened to it while it was idle.
func (m *epollMux) Start(i int, n int64, _ time.Duration) {
	s := &m.slots[i]
	if s.request == nil {
		s.request = m.Request.Bytes()
	}
	s.n, s.busy = n, true
	s.result = record.Result{}
	s.outcome = http1.Outcome{Kept: s.kept}
	s.parser.Reset(m.Request.Head())
	m.Request.Patch(s.request, n)
	s.unsent, s.body = s.request, m.Request.Rest()
	switch s.state {
	case connected:
		m.send(i)
	case unconnected:
		m.scheduleDial(i)
	}
}

// Wait serves the connections that are ready; see [load.Mux].
func (m *epollMux) Wait(d time.Duration, done func(int, *record.Result)) (expired bool) {
	m.dialQueued()
	reported := m.report(done)
	if reported {
		d = 0 // the caller may have something else to wait for now
	}
	events, expired := m.wait(d)
	for _, e := range events {
		if e.Fd >= 0 {
			m.serve(int(e.Fd), e.Events)
			m.report(done) // at once: serving the next may take a while
		}
	}
	return expired && !reported
}

// serve handles the events on slot i's connection.
func (m *epollMux) serve(i int, events uint32) {
	s := &m.slots[i]
	switch {
	case s.state == connecting:
		m.finishDial(i)
	case events&^unix.EPOLLOUT != 0:
		m.receive(i)
	default:
		m.send(i)
	}
}

// send writes as much of the request as the socket takes.
func (m *epollMux) send(i int) {
	s := &m.slots[i]
	for len(s.unsent) > 0 || len(s.body) > 0 {
		b := &s.unsent
		if len(*b) == 0 {
			b = &s.body
		}
		n, errno := send(s.fd, *b)
		switch errno {
		case 0:
			*b = (*b)[n:]
			s.result.Octets.Sent += int64(n)
		case unix.EINTR:
		case unix.EAGAIN:
			m.setWantWrite(i, true)
			return
		default:
			// A response may have arrived all the same: reading will show.
			s.outcome.SendErr = os.NewSyscallError("write", errno)
			s.unsent, s.body = nil, nil
		}
	}
	m.setWantWrite(i, false)
}

// receive reads what has arrived for slot i.
func (m *epollMux) receive(i int) {
	s := &m.slots[i]
	n, errno := recv(s.fd, m.buf)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case !s.busy:
		// The peer has closed an idle connection, or sent data without a request.
		m.stray.Add(int64(n))
		m.drop(i)
		return
	case errno != 0:
		s.outcome.AtEnd, s.outcome.ReadErr = true, os.NewSyscallError("read", errno)
	case n == 0:
		s.outcome.AtEnd = true
		s.outcome.ReadErr = s.parser.EOF()
	default:
		s.result.Octets.Received += int64(n)
		used, done, err := s.parser.Feed(m.buf[:n])
		if !done && err == nil {
			return
		}
		s.outcome.ReadErr = err
		if done {
			s.result.Octets.Surplus = int64(n - used)
		}
	}
	m.finish(i)
}

// finish ends the exchange of slot i once there is nothing more to read.
func (m *epollMux) finish(i int) {
	s := &m.slots[i]
	if len(s.unsent)+len(s.body) > 0 && s.outcome.SendErr == nil {
		s.outcome.SendErr = os.ErrDeadlineExceeded // the response came first
	}
	s.result.Octets.Body = s.parser.Body()
	if err := s.outcome.Failure(&s.parser); err != nil {
		m.drop(i)
		m.fail(i, err, !s.outcome.Kept)
		return
	}
	setResponse(&s.result, s.parser.Status())
	s.failed, s.failures = false, 0
	if s.kept = s.outcome.Reusable(m.Request, &s.parser, s.result.Octets.Surplus); !s.kept {
		m.drop(i)
	}
	m.end(i)
}

// fail ends the exchange of slot i without a complete response. fresh reports
// that its connection had not served an exchange before.
func (m *epollMux) fail(i int, err error, fresh bool) {
	s := &m.slots[i]
	s.failed = true
	m.setFailure(&s.result, s.n, err, fresh, &s.failures)
	m.end(i)
}

// end leaves the exchange of slot i to be reported.
func (m *epollMux) end(i int) {
	m.slots[i].busy = false
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
	if !s.busy {
		return // ended, and yet to be reported
	}
	switch s.state {
	case connected:
		s.outcome.Expired, s.outcome.ReadErr = true, os.ErrDeadlineExceeded
		m.finish(i)
	case connecting:
		m.drop(i)
		fallthrough
	default:
		s.state = unconnected
		m.failDial(i, os.ErrDeadlineExceeded)
	}
}

// Wake ends a Wait; see [load.Mux].
func (m *epollMux) Wake() { m.wake() }

// Close frees everything; see [load.Mux].
func (m *epollMux) Close() {
	for i := range m.slots {
		if s := &m.slots[i]; s.state == connecting || s.state == connected {
			unix.Close(s.fd)
		}
	}
	m.free()
}

// setWantWrite makes the poll watch for slot i's socket to become writable, or
// stop watching.
func (m *epollMux) setWantWrite(i int, on bool) {
	s := &m.slots[i]
	if s.wantWrite == on {
		return
	}
	s.wantWrite = on
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if on {
		events |= unix.EPOLLOUT
	}
	m.watch(unix.EPOLL_CTL_MOD, s.fd, i, events)
}

// recv and send are for sockets that do not block. Unlike read and write, they
// reach the socket without going through the file system.

func recv(fd int, b []byte) (n int, errno syscall.Errno) {
	r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

func send(fd int, b []byte) (n int, errno syscall.Errno) {
	r, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}
