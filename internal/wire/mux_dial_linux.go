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
	conns := make([]*http1.Conn, n)
	var dials sync.WaitGroup
	for i := range conns {
		if m.slots[i].state == unconnected { // all except the one that Open opened
			dials.Go(func() { conns[i], _ = m.Pool.dial(ctx) })
		}
	}
	dials.Wait()
	for i, c := range conns {
		if c != nil {
			m.adopt(i, c)
		}
	}
}

// adopt gives slot i the connection of c. If that fails, the slot stays without
// one.
func (m *epollMux) adopt(i int, c *http1.Conn) {
	defer c.Close()
	if !c.Idle() {
		m.stray.Add(c.Stray())
		return
	}
	raw, err := c.NetConn().(syscall.Conn).SyscallConn()
	if err != nil {
		return
	}
	s := &m.slots[i]
	raw.Control(func(fd uintptr) {
		if s.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			s.state = connected
			if m.watch(unix.EPOLL_CTL_ADD, s.fd, i, unix.EPOLLIN|unix.EPOLLRDHUP) != nil {
				m.drop(i)
			}
		}
	})
}

// scheduleDial opens a connection for slot i, now or when its turn comes.
func (m *epollMux) scheduleDial(i int) {
	if m.dialing < m.maxDials && len(m.queue) == 0 {
		m.dial(i)
	} else {
		m.slots[i].state = queued
		m.queue = append(m.queue, i)
	}
}

// dial starts opening a connection for slot i to the address whose turn it is.
func (m *epollMux) dial(i int) { m.dialTo(i, m.addrs.pick(m.slots[i].tried)) }

func (m *epollMux) dialTo(i int, to *address) {
	s := &m.slots[i]
	s.state, s.to, s.dialedAt = unconnected, to, time.Now()
	socket := m.socket(to)
	fd, err := unix.Socket(socket.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		m.failDial(i, os.NewSyscallError("socket", err))
		return
	}
	if len(s.body) > 0 {
		// Nagle's algorithm, which waits for acknowledgements, could hold back
		// only a request that is sent in several pieces.
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	s.fd, s.kept = fd, false
	err = unix.Connect(fd, socket.addr)
	took := time.Since(s.dialedAt)
	switch {
	case err != nil && err != unix.EINPROGRESS:
	case s.failed && selfConnected(fd):
		err = unix.ECONNREFUSED
	default:
		err = m.sendEarly(i)
	}
	switch {
	case err == nil:
		m.connected(i, took)
		s.wantWrite = len(s.unsent)+len(s.body) > 0
	case err == unix.EAGAIN:
		m.dialing++
		s.state, s.wantWrite = connecting, true
		m.limit(i)
	default:
		unix.Close(fd)
		m.failDial(i, err)
		return
	}
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if s.wantWrite {
		events |= unix.EPOLLOUT
	}
	if err := m.watch(unix.EPOLL_CTL_ADD, fd, i, events); err != nil {
		m.drop(i)
		m.failDial(i, err)
	}
}

// sendEarly sends on a connection that may already be open, as one on loopback is
// when connect returns. It returns EAGAIN if it is not. Sending early spares a
// fresh connection a wait and three system calls.
func (m *epollMux) sendEarly(i int) error {
	s := &m.slots[i]
	n, errno := send(s.fd, s.unsent)
	if errno != 0 {
		return errno
	}
	s.unsent = s.unsent[n:]
	s.result.Octets.Sent += int64(n)
	return nil
}

// finishDial ends the opening of a connection, which has succeeded or failed.
func (m *epollMux) finishDial(i int) {
	s := &m.slots[i]
	errno, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	if err == nil && s.failed && selfConnected(s.fd) {
		err = unix.ECONNREFUSED
	}
	if err != nil {
		m.drop(i)
		m.failDial(i, err)
		return
	}
	m.dialing--
	m.connected(i, time.Since(s.dialedAt))
	m.send(i)
}

// connected counts the connection of slot i, which took some time to open.
func (m *epollMux) connected(i int, took time.Duration) {
	s := &m.slots[i]
	s.state = connected
	m.opened.Add(1)
	m.addrs.connected(s.to)
	m.took(took, 0)
}

// dialQueued opens the connections whose turn has come. It is not called as soon
// as another dial is given up: of those given up together, most would make room
// for one that is about to be given up too.
func (m *epollMux) dialQueued() {
	for m.dialing < m.maxDials && len(m.queue) > 0 {
		i := m.queue[0]
		m.queue = m.queue[1:]
		if m.slots[i].state == queued {
			m.dial(i)
		}
	}
}

// drop closes the connection of slot i.
func (m *epollMux) drop(i int) {
	s := &m.slots[i]
	if s.state == connecting {
		m.dialing--
	}
	unix.Close(s.fd)
	s.state, s.kept, s.wantWrite = unconnected, false, false
}
