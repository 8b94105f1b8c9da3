package wire

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// Connect opens connections before they are needed; see [load.Mux].
func (m *epollMux) Connect(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	m.idle, m.unproven = m.prune(m.idle), m.prune(m.unproven)
	conns := make([]*http1.Conn, max(0, n-len(m.idle)-len(m.unproven)-len(m.dials)))
	var dials sync.WaitGroup
	for i := range conns {
		dials.Go(func() { conns[i], _ = m.Pool.dial(ctx) })
	}
	dials.Wait()
	for _, c := range conns {
		if c != nil {
			m.adopt(c)
		}
	}
}

// adopt makes the connection of c one of m's. If that fails, it is closed.
func (m *epollMux) adopt(c *http1.Conn) {
	defer c.Close()
	if !c.Idle() {
		m.stray.Add(c.Stray())
		return
	}
	raw, err := c.NetConn().(syscall.Conn).SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		own, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return
		}
		a := m.newConn(own)
		a.state = connected
		if m.watch(unix.EPOLL_CTL_ADD, own, a.index, unix.EPOLLIN|unix.EPOLLRDHUP) != nil {
			m.discard(a)
			return
		}
		m.release(a)
	})
}

// dialWaiting opens a connection for each slot that waits, as far as that is not done
// or the time has not come. It is not called as soon as another dial is given up: of
// those given up together, most would make room for one that is about to be given up
// too.
func (m *epollMux) dialWaiting() {
	for len(m.dials) < min(m.maxDials, len(m.waiting)) {
		m.dial()
	}
}

// dial starts opening a connection for the first slot that waits, or for whichever is
// the first when it is open.
func (m *epollMux) dial() {
	c := m.newConn(-1)
	c.tried = c.tried[:0]
	m.dialTo(c, m.addrs.pick(nil))
}

// dialTo starts opening c to an address. At least one slot waits.
func (m *epollMux) dialTo(c *muxConn, to *address) {
	c.to, c.dialedAt = to, m.Dialer.Clock.Now()
	socket := m.socket(to)
	fd, err := unix.Socket(socket.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		m.failDial(c, os.NewSyscallError("socket", err))
		return
	}
	if m.Request.Rest() != nil {
		// Nagle's algorithm, which waits for acknowledgements, could hold back
		// only a request that is sent in several pieces.
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	c.fd = fd
	err = unix.Connect(fd, socket.addr)
	took := m.Dialer.Clock.Since(c.dialedAt)
	switch {
	case err != nil && err != unix.EINPROGRESS:
	case m.failing && selfConnected(fd):
		err = unix.ECONNREFUSED
	default:
		err = m.sendEarly(c)
	}
	switch {
	case err == nil:
		m.connected(c, took)
		c.wantWrite = len(c.unsent)+len(c.body) > 0
	case err == unix.EAGAIN:
		c.state, c.wantWrite = connecting, true
		m.dials = append(m.dials, c)
		m.limit(c)
	default:
		m.failDial(c, err)
		return
	}
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if c.wantWrite {
		events |= unix.EPOLLOUT
	}
	if err := m.watch(unix.EPOLL_CTL_ADD, fd, c.index, events); err != nil {
		i := c.slot
		m.discard(c)
		if i < 0 {
			m.giveUp(dialError(to.text, err))
		} else {
			m.fail(i, dialError(to.text, err), true)
		}
	}
}

// giveUp fails the first slot that waits if there are no longer enough dials for all,
// because one failed.
func (m *epollMux) giveUp(err error) {
	if len(m.waiting) > len(m.dials) {
		i := m.waiting[0]
		m.stopWaiting(0)
		m.fail(i, err, true)
	}
}

// sendEarly sends the request of the first slot that waits on a connection that may
// already be open, as one on loopback is when connect returns. It returns EAGAIN if it
// is not. Sending early spares a fresh connection a wait and three system calls.
func (m *epollMux) sendEarly(c *muxConn) error {
	i := m.waiting[0]
	m.prepare(c, i)
	n, errno := send(c.fd, c.unsent)
	if errno != 0 {
		c.unsent, c.body = nil, nil
		return errno
	}
	m.stopWaiting(0)
	m.bind(c, i)
	c.unsent = c.unsent[n:]
	m.slots[i].result.Octets.Sent += int64(n)
	return nil
}

// finishDial ends the opening of a connection, which has succeeded or failed.
func (m *epollMux) finishDial(c *muxConn) {
	errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	if err == nil && m.failing && selfConnected(c.fd) {
		err = unix.ECONNREFUSED
	}
	if err != nil {
		m.failDial(c, err)
		return
	}
	m.forgetDial(c)
	m.connected(c, m.Dialer.Clock.Since(c.dialedAt))
	if m.release(c); c.slot < 0 {
		m.setWantWrite(c, false)
	}
}

// connected counts a connection, which took some time to open.
func (m *epollMux) connected(c *muxConn, took time.Duration) {
	c.state = connected
	m.opened.Add(1)
	m.addrs.connected(c.to)
	m.took(took, 0)
}
