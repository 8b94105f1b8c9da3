package wire

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// Connect opens connections ahead; see [load.Mux].
func (m *epollMux) Connect(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	conns := make([]*http1.Conn, n)
	var dials sync.WaitGroup
	for i := range conns {
		if m.places[i].state == unconnected { // as all but the preflight's are
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

// adopt makes c's connection that of place i. What goes wrong leaves the place
// without one, as it was.
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
	p := &m.places[i]
	raw.Control(func(fd uintptr) {
		if p.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			p.state = connected
			if m.watch(unix.EPOLL_CTL_ADD, p.fd, i, unix.EPOLLIN|unix.EPOLLRDHUP) != nil {
				m.drop(i)
			}
		}
	})
}

// dialLater opens a connection for place i, now or when it is its turn.
func (m *epollMux) dialLater(i int) {
	if m.dialing < m.dialsAtOnce && len(m.queue) == 0 {
		m.dial(i)
	} else {
		m.places[i].state = queued
		m.queue = append(m.queue, i)
	}
}

// dial begins to open a connection.
func (m *epollMux) dial(i int) {
	p := &m.places[i]
	p.state = unconnected
	fd, err := unix.Socket(m.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		m.refused(i, os.NewSyscallError("socket", err))
		return
	}
	if len(p.rest) > 0 {
		// Only a request in several pieces could be held back by the algorithm
		// of Nagle, which waits while something is unacknowledged.
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	p.fd, p.kept = fd, false
	err = unix.Connect(fd, m.addr)
	switch {
	case err != nil && err != unix.EINPROGRESS:
	case p.failed && isItself(fd):
		err = unix.ECONNREFUSED
	default:
		err = m.sendEarly(i)
	}
	switch {
	case err == nil:
		m.opened.Add(1)
		p.state, p.writable = connected, len(p.unsent)+len(p.rest) > 0
	case err == unix.EAGAIN:
		m.dialing++
		p.state, p.writable = connecting, true
	default:
		unix.Close(fd)
		m.refused(i, err)
		return
	}
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP)
	if p.writable {
		events |= unix.EPOLLOUT
	}
	if err := m.watch(unix.EPOLL_CTL_ADD, fd, i, events); err != nil {
		m.drop(i)
		m.refused(i, err)
	}
}

// isItself reports whether a connection's two ends are one: TCP connects a socket
// to itself when nobody listens on a port of this machine, and that is the one
// it was given to connect from, as for one dial in 28,000. Such a connection is
// made to close at once: else it would keep the target from its port for a minute.
func isItself(fd int) bool {
	own, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	peer, err := unix.Getpeername(fd)
	if err != nil || !reflect.DeepEqual(own, peer) {
		return false
	}
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return true
}

// sendEarly sends on a connection that may be open already, as one on loopback
// is by the time that connect returns; EAGAIN says that it is not. That spares
// a fresh connection a wait and three system calls.
func (m *epollMux) sendEarly(i int) error {
	p := &m.places[i]
	n, errno := send(p.fd, p.unsent)
	if errno != 0 {
		return errno
	}
	p.unsent = p.unsent[n:]
	p.result.Octets.Sent += int64(n)
	return nil
}

// settle ends the opening of a connection.
func (m *epollMux) settle(i int) {
	p := &m.places[i]
	errno, err := unix.GetsockoptInt(p.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && errno != 0 {
		err = syscall.Errno(errno)
	}
	if err == nil && p.failed && isItself(p.fd) {
		err = unix.ECONNREFUSED
	}
	if err != nil {
		m.drop(i)
		m.refused(i, err)
		return
	}
	m.dialing--
	m.opened.Add(1)
	p.state = connected
	m.send(i)
}

// dialQueued opens connections whose turn it is. Not as soon as another is given
// up: of those given up together, most would make place for one that is next.
func (m *epollMux) dialQueued() {
	for m.dialing < m.dialsAtOnce && len(m.queue) > 0 {
		i := m.queue[0]
		m.queue = m.queue[1:]
		if m.places[i].state == queued {
			m.dial(i)
		}
	}
}

// refused ends an exchange that has no connection.
func (m *epollMux) refused(i int, err error) {
	m.fail(i, http1.Classify(fmt.Errorf("connecting to %s: %w", m.Dialer.Addr, err), http1.Dialing), true)
}

// drop closes the connection of place i.
func (m *epollMux) drop(i int) {
	p := &m.places[i]
	if p.state == connecting {
		m.dialing--
	}
	unix.Close(p.fd)
	p.state, p.kept, p.writable = unconnected, false, false
}

func sockaddr(a netip.AddrPort) (unix.Sockaddr, int) {
	if ip := a.Addr().Unmap(); ip.Is4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: ip.As4()}, unix.AF_INET
	}
	sa := &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if zone := a.Addr().Zone(); zone != "" {
		if i, err := net.InterfaceByName(zone); err == nil {
			sa.ZoneId = uint32(i.Index)
		} else if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
			sa.ZoneId = uint32(n)
		}
	}
	return sa, unix.AF_INET6
}
