package wire

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// A share is the time that opening one connection may take where other addresses
// may answer instead.
type share struct {
	slot  int
	began time.Time // identifies the dial
	until time.Time
}

// limit gives the dial of slot i its share of the time, if there are other
// addresses to try.
func (m *epollMux) limit(i int) {
	s := &m.slots[i]
	if n := m.addrs.untried(s.tried); n > 1 {
		m.shares = append(m.shares, share{i, s.dialedAt, s.dialedAt.Add(m.Timeout / time.Duration(n+len(s.tried)))})
	}
}

// moveOn ends the dials that have used up their share of the time.
func (m *epollMux) moveOn() {
	if len(m.shares) == 0 {
		return
	}
	now := time.Now()
	for len(m.shares) > 0 && !m.shares[0].until.After(now) {
		d := m.shares[0]
		m.shares = m.shares[1:]
		if s := &m.slots[d.slot]; s.state == connecting && s.dialedAt == d.began {
			m.drop(d.slot)
			m.failDial(d.slot, os.ErrDeadlineExceeded)
		}
	}
}

// failDial is called when the connection of slot i could not be opened. If there is
// another address it is tried, for the same exchange, which ends otherwise.
func (m *epollMux) failDial(i int, err error) {
	s := &m.slots[i]
	err = dialError(s.to.text, err)
	if unreached(err) {
		m.addrs.refused(m.life, s.to, err)
		s.tried = append(s.tried, s.to)
		if next := m.addrs.pick(s.tried); next != nil {
			s.failed = true
			m.dialTo(i, next)
			return
		}
	}
	m.fail(i, err, true)
}

// dialError returns the error of a connection that could not be opened.
func dialError(to string, err error) error {
	return http1.Classify(fmt.Errorf("connecting to %s: %w", to, err), http1.Dialing)
}

// A socket is what the system needs to know to connect to an address.
type socket struct {
	addr   unix.Sockaddr
	family int
}

func (m *epollMux) socket(to *address) socket {
	known, ok := m.sockets[to]
	if !ok {
		known.addr, known.family = sockaddr(to.AddrPort)
		m.sockets[to] = known
	}
	return known
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

// selfConnected reports whether both ends of a connection are the same socket,
// and makes such a connection close at once: it would otherwise keep the target
// from its port for a minute. TCP connects a socket to itself if nothing listens
// on a port of this machine and the socket is given that port as its own, as
// happens in one dial of 28,000.
func selfConnected(fd int) bool {
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
