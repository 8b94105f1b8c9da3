package wire

import (
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

// readAtOnce is what one read takes in, into one buffer for all connections in
// turn. Measured with bodies of 1 MiB: larger reads empty the sockets so fast
// that the server is woken for little each time, and sends half as much; smaller
// ones cost more system calls.
const readAtOnce = 64 << 10

// An epollMux sends plain HTTP over raw sockets from one goroutine.
type epollMux struct {
	*Pool
	poll
	addr   unix.Sockaddr
	family int

	in     []byte
	places []muxPlace
	over   []int // places whose exchange is over and has not been told of

	dialing     int   // connections being opened
	dialsAtOnce int   // most of them
	queue       []int // places that wait to open one
}

// What a place is doing.
const (
	unconnected = iota
	queued
	connecting
	connected
)

// A muxPlace is one connection and the exchange on it.
type muxPlace struct {
	fd       int
	state    uint8
	busy     bool // an exchange is under way
	kept     bool // the connection has served an exchange
	writable bool // the poll is to say when it can be written to
	failed   bool // the last exchange did
	failures int  // connections in a row that failed before their first response
	n        int64
	out      []byte // the request's bytes, to be patched
	unsent   []byte // what is left of those
	rest     []byte // and of the body behind them
	parser   http1.Parser
	ending   http1.Outcome
	result   record.Result
}

// NewMux returns what sends requests from one goroutine, nil if they need what
// it cannot do. It is one of so many that share the permits, and the connections
// opened at once; alone says that nothing else in this process has work.
func (w *Pool) NewMux(permits, loops int, alone bool) (load.Mux, error) {
	if w.Dialer.TLS != nil || w.Dialer.Connect != nil {
		return nil, nil
	}
	addr, err := netip.ParseAddrPort(w.Dialer.Addr)
	if err != nil {
		return nil, fmt.Errorf("address %q: %w", w.Dialer.Addr, err)
	}
	m := &epollMux{
		Pool: w, in: make([]byte, readAtOnce),
		places: make([]muxPlace, (permits+loops-1)/loops), dialsAtOnce: max(1, dialsAtOnce/loops),
	}
	m.addr, m.family = sockaddr(addr)
	if err := m.open(alone); err != nil {
		m.Close()
		return nil, err
	}
	if c := w.first.Swap(nil); c != nil {
		m.adopt(0, c)
	}
	return m, nil
}

// Start begins an exchange; see [load.Mux]. The poll knows of what has happened
// on the connection while it idled.
func (m *epollMux) Start(i int, n int64, _ time.Duration) {
	p := &m.places[i]
	if p.out == nil {
		p.out = m.Request.Bytes()
	}
	p.n, p.busy = n, true
	p.result = record.Result{}
	p.ending = http1.Outcome{Kept: p.kept}
	p.parser.Reset(m.Request.Head())
	m.Request.Patch(p.out, n)
	p.unsent, p.rest = p.out, m.Request.Rest()
	switch p.state {
	case connected:
		m.send(i)
	case unconnected:
		m.dialLater(i)
	}
}

// Wait serves the connections that are ready; see [load.Mux].
func (m *epollMux) Wait(d time.Duration, done func(int, *record.Result)) (expired bool) {
	m.dialQueued()
	told := m.tell(done)
	if told {
		d = 0 // the caller may have something else to wait for now
	}
	events, expired := m.wait(d)
	for _, e := range events {
		if e.Fd >= 0 {
			m.serve(int(e.Fd), e.Events)
			m.tell(done) // at once: the next may take its time
		}
	}
	return expired && !told
}

// serve does what place i can do now.
func (m *epollMux) serve(i int, events uint32) {
	p := &m.places[i]
	switch {
	case p.state == connecting:
		m.settle(i)
	case events&^unix.EPOLLOUT != 0:
		m.receive(i)
	default:
		m.send(i)
	}
}

// send writes what the connection takes of the request.
func (m *epollMux) send(i int) {
	p := &m.places[i]
	for len(p.unsent) > 0 || len(p.rest) > 0 {
		b := &p.unsent
		if len(*b) == 0 {
			b = &p.rest
		}
		n, errno := send(p.fd, *b)
		switch errno {
		case 0:
			*b = (*b)[n:]
			p.result.Octets.Sent += int64(n)
		case unix.EINTR:
		case unix.EAGAIN:
			m.watchWrites(i, true)
			return
		default:
			// The response may be there nevertheless: reading tells.
			p.ending.SendErr = os.NewSyscallError("write", errno)
			p.unsent, p.rest = nil, nil
		}
	}
	m.watchWrites(i, false)
}

// receive reads what has arrived for place i.
func (m *epollMux) receive(i int) {
	p := &m.places[i]
	n, errno := recv(p.fd, m.in)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case !p.busy:
		// The peer has ended an idle connection, or sent what nobody asked for.
		m.stray.Add(int64(n))
		m.drop(i)
		return
	case errno != 0:
		p.ending.AtEnd, p.ending.ReadErr = true, os.NewSyscallError("read", errno)
	case n == 0:
		p.ending.AtEnd = true
		p.ending.ReadErr = p.parser.EOF()
	default:
		p.result.Octets.Received += int64(n)
		used, done, err := p.parser.Feed(m.in[:n])
		if !done && err == nil {
			return
		}
		p.ending.ReadErr = err
		if done {
			p.result.Octets.Surplus = int64(n - used)
		}
	}
	m.finish(i)
}

// finish ends the exchange of place i, whose reading is over.
func (m *epollMux) finish(i int) {
	p := &m.places[i]
	if len(p.unsent)+len(p.rest) > 0 && p.ending.SendErr == nil {
		p.ending.SendErr = os.ErrDeadlineExceeded // the response came first
	}
	p.result.Octets.Body = p.parser.Body()
	if err := p.ending.Failure(&p.parser); err != nil {
		m.drop(i)
		m.fail(i, err, !p.ending.Kept)
		return
	}
	completed(&p.result, p.parser.Status())
	p.failed, p.failures = false, 0
	if p.kept = p.ending.Reusable(m.Request, &p.parser, p.result.Octets.Surplus); !p.kept {
		m.drop(i)
	}
	m.end(i)
}

// fail ends the exchange of place i without a complete response; fresh says
// that its connection had given none before.
func (m *epollMux) fail(i int, err error, fresh bool) {
	p := &m.places[i]
	p.failed = true
	m.failed(&p.result, p.n, err, fresh, &p.failures)
	m.end(i)
}

// end notes that the exchange of place i is over, to be told of.
func (m *epollMux) end(i int) {
	m.places[i].busy = false
	m.over = append(m.over, i)
}

// tell tells done of the exchanges that are over, and of those that this ends.
// It reports whether there were any.
func (m *epollMux) tell(done func(int, *record.Result)) (any bool) {
	any = len(m.over) > 0
	for k := 0; k < len(m.over); k++ { // done may add to it
		i := m.over[k]
		done(i, &m.places[i].result)
	}
	m.over = m.over[:0]
	return any
}

// Expire ends the exchange of place i; see [load.Mux].
func (m *epollMux) Expire(i int) {
	p := &m.places[i]
	if !p.busy {
		return // over, and not told of yet
	}
	switch p.state {
	case connected:
		p.ending.Expired, p.ending.ReadErr = true, os.ErrDeadlineExceeded
		m.finish(i)
	case connecting:
		m.drop(i)
		fallthrough
	default:
		p.state = unconnected
		m.refused(i, os.ErrDeadlineExceeded)
	}
}

// Wake ends a Wait; see [load.Mux].
func (m *epollMux) Wake() { m.wake() }

// Close frees everything; see [load.Mux].
func (m *epollMux) Close() {
	for i := range m.places {
		if s := m.places[i].state; s == connecting || s == connected {
			unix.Close(m.places[i].fd)
		}
	}
	m.free()
}

func (m *epollMux) watchWrites(i int, on bool) {
	p := &m.places[i]
	if p.writable == on {
		return
	}
	p.writable = on
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if on {
		events |= unix.EPOLLOUT
	}
	m.watch(unix.EPOLL_CTL_MOD, p.fd, i, events)
}

// recv and send are for sockets that do not block. Unlike read and write, they
// go to the socket without passing by the file system.

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
