package wire

import (
	"context"
	"net"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
)

// openAny opens a connection to the first address, in their turn, that takes one. It
// returns an error for each that did not. An address that does not answer leaves
// the others their share of the time.
func (p *Pool) openAny(ctx context.Context) (c *http1.Conn, to *address, errs []error) {
	var tried []*address
	for to = p.addrs.pick(nil); to != nil; to = p.addrs.pick(tried) {
		nc, err := p.openTo(ctx, to, p.addrs.untried(tried))
		if err == nil {
			p.opened.Add(1)
			p.addrs.connected(to)
			c = http1.NewConn(nc, p.Request)
			c.Clock = p.Dialer.Clock
			return c, to, nil
		}
		errs = append(errs, err)
		if !unreached(err) {
			break
		}
		p.addrs.refused(p.life, to, err)
		tried = append(tried, to)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, nil, errs
}

// openTo opens a connection to one of n addresses that are left to try.
func (p *Pool) openTo(ctx context.Context, to *address, n int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && n > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(n))
		defer cancel()
	}
	d := p.Dialer
	d.Addr = to.text
	return d.Dial(ctx)
}

// unreached reports whether an error means that an address could not be reached,
// where another may be.
func unreached(err error) bool {
	switch http1.Classify(err, http1.Dialing).Kind {
	case record.ConnectRefused, record.ConnectTimeout, record.Connect:
		return true
	}
	return false
}

// took records how long a connection took to open.
func (p *Pool) took(connect, handshake time.Duration) {
	p.times.Lock()
	defer p.times.Unlock()
	p.connecting.Record(int64(connect))
	if handshake > 0 {
		p.handshakes.Record(int64(handshake))
	}
}

// Times returns how long the connections over TCP took to open: to connect, and then
// for the TLS handshake.
func (p *Pool) Times() (connecting, handshakes *hist.Histogram) {
	p.times.Lock()
	defer p.times.Unlock()
	connecting, handshakes = record.NewTimes(), record.NewTimes()
	connecting.Merge(p.connecting)
	handshakes.Merge(p.handshakes)
	return connecting, handshakes
}
