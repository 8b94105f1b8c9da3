package wire

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// The states of a connection.
const (
	closed = iota
	connecting
	connected
)

// A muxConn is one connection and what is sent and received on it.
type muxConn struct {
	fd        int
	index     int // in the table of connections
	slot      int // whose exchange is on it; -1 if there is none
	state     uint8
	served    bool // it has served an exchange before
	wantWrite bool // the poll watches for the socket to become writable

	since     time.Duration // when it fell idle
	idleLimit time.Duration // how long it may be
	idled     time.Duration // how long it was before this exchange

	to       *address   // that it was opened to, by this loop
	tried    []*address // before that one, which could not be reached
	dialedAt time.Time  // when opening it began

	request []byte // patched for each exchange
	unsent  []byte // what is left of request
	body    []byte // what is left of a body that is not part of request
	parser  http1.Parser
	outcome http1.Outcome
	firstAt time.Time // when the first octet of the response had arrived; zero unless more reads are needed
}

// takeIdle returns an idle connection, nil if there is none: the one used last, or
// else the one opened first.
func (m *epollMux) takeIdle() *muxConn {
	for len(m.idle) > 0 {
		c := m.idle[len(m.idle)-1]
		m.idle = m.idle[:len(m.idle)-1]
		if m.usable(c) {
			return c
		}
	}
	for len(m.unproven) > 0 {
		c := m.unproven[0]
		m.unproven = m.unproven[1:]
		if m.usable(c) {
			return c
		}
	}
	return nil
}

// usable reports whether a connection that was idle can be used again. If not, it is
// closed.
func (m *epollMux) usable(c *muxConn) bool {
	if c.state == connected && m.now-c.since < c.idleLimit {
		return true
	}
	m.discard(c)
	return false
}

// release gives a connection without an exchange to the slot that has waited
// longest, or else makes it idle.
func (m *epollMux) release(c *muxConn) {
	c.since, c.slot = m.now, -1
	if i, ok := m.nextWaiting(c); ok {
		c.idled = 0
		m.begin(c, i)
		return
	}
	if c.served {
		m.idle = append(m.idle, c)
	} else {
		m.unproven = append(m.unproven, c)
	}
}

// nextWaiting takes the slot that is to use c next out of those that wait. What is
// sent again needs a new connection.
func (m *epollMux) nextWaiting(c *muxConn) (i int, ok bool) {
	for k, i := range m.waiting {
		if !c.served || !m.slots[i].result.SentAgain {
			m.stopWaiting(k)
			return i, true
		}
	}
	return 0, false
}

func (m *epollMux) stopWaiting(k int) {
	if k == 0 {
		m.waiting = m.waiting[1:]
	} else {
		m.waiting = slices.Delete(m.waiting, k, k+1)
	}
}

// prune returns the connections that are open.
func (m *epollMux) prune(conns []*muxConn) []*muxConn {
	return slices.DeleteFunc(conns, func(c *muxConn) bool {
		if c.state == closed {
			m.unused = append(m.unused, c)
		}
		return c.state == closed
	})
}

// newConn returns a connection with the given socket. There is one left: a slot that
// waits has none, and there are no more dials than slots that wait or have waited.
func (m *epollMux) newConn(fd int) (c *muxConn) {
	if n := len(m.unused); n > 0 {
		c, m.unused = m.unused[n-1], m.unused[:n-1]
	} else {
		c = &m.conns[m.used]
		c.index = m.used
		m.used++
	}
	c.fd, c.slot, c.served, c.wantWrite, c.idleLimit = fd, -1, false, false, http1.NoLimit
	return c
}

// discard closes a connection that is not idle, so that it can be opened again.
func (m *epollMux) discard(c *muxConn) {
	m.drop(c)
	m.unused = append(m.unused, c)
}

// drop closes a connection, unless it is closed.
func (m *epollMux) drop(c *muxConn) {
	if c.state == connecting {
		m.forgetDial(c)
	}
	if c.fd >= 0 {
		unix.Close(c.fd)
	}
	c.fd, c.state, c.slot = -1, closed, -1
}

func (m *epollMux) forgetDial(c *muxConn) {
	k := slices.Index(m.dials, c)
	m.dials = slices.Delete(m.dials, k, k+1)
}
