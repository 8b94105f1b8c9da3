package wire

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// A dialLimit ends the opening of a connection where other addresses may answer
// instead.
type dialLimit struct {
	conn  *muxConn
	began time.Time // identifies the dial
	until time.Time
}

// limit gives the dial of c its share of the time, if there are other addresses to
// try.
func (m *epollMux) limit(c *muxConn) {
	if n := m.addrs.untried(c.tried); n > 1 {
		m.limits = append(m.limits, dialLimit{c, c.dialedAt, c.dialedAt.Add(m.Timeout / time.Duration(n+len(c.tried)))})
	}
}

// endDials ends the dials that have used up their share of the time.
func (m *epollMux) endDials() {
	if len(m.limits) == 0 {
		return
	}
	now := m.Dialer.Clock.Now()
	for len(m.limits) > 0 && !m.limits[0].until.After(now) {
		d := m.limits[0]
		m.limits = m.limits[1:]
		if d.conn.state == connecting && d.conn.dialedAt == d.began {
			m.failDial(d.conn, os.ErrDeadlineExceeded)
		}
	}
}

// failDial is called when c could not be opened. If there is another address, and a
// slot that waits for c, it is tried.
func (m *epollMux) failDial(c *muxConn, err error) {
	m.drop(c)
	err = dialError(c.to.text, err)
	if unreached(err) {
		m.addrs.refused(m.life, c.to, err)
		c.tried = append(c.tried, c.to)
		if next := m.addrs.pick(c.tried); next != nil && len(m.waiting) > len(m.dials) {
			m.failing = true
			m.dialTo(c, next)
			return
		}
	}
	m.unused = append(m.unused, c)
	m.giveUp(err)
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
