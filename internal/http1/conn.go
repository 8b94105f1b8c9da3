// Package http1 sends a request on a connection and parses its response. It decides
// how an exchange ended and whether the connection may be used again. Its callers
// decide when to send and what the numbers mean.
package http1

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A Response is the result of one exchange. Octets are those of HTTP, without
// TLS.
type Response struct {
	Status   int   // of the final response; 0 if it never came
	Err      error // nil if the response is complete, else a *record.Error
	Sent     int64 // octets of the request handed to the system
	Received int64 // octets read, including Surplus
	Body     int64 // octets of body, without chunked framing
	Surplus  int64 // octets read after the end of the response
	Reusable bool  // the connection may serve another exchange

	Arriving time.Duration // from the first octet of a complete response to the last; 0 if one read had them all
	// Unprocessed reports that the request failed and provably was not processed.
	Unprocessed bool
}

// A Conn sends requests over one connection. Exchange, Idle and Stray may be
// called by one goroutine at a time, Expire and Close by any.
type Conn struct {
	Clock clock.Clock // of Response.Arriving; set before the first Exchange

	nc     net.Conn
	tls    *tlsConn // nc if it is one
	req    *Request
	parser Parser
	out    []byte // req's bytes, patched for each exchange
	in     []byte
	probe  socketProbe
	body   *bodyWriter   // nil unless req has a Rest
	served bool          // an exchange succeeded and the connection was kept alive
	limit  time.Duration // see IdleLimit
	stray  int64

	// state is 0 between exchanges, n+1 during that of request n, or one of
	// the two final states below.
	state  atomic.Int64
	closed atomic.Bool
}

const (
	stateExpired = -1 // Expire has ended an exchange
	stateBroken  = -2 // the connection cannot be used again
)

// readSize is the size of a connection's own read buffer in octets. A typical
// small response fits, and 5,000 connections hold 20 MB.
const readSize = 4 << 10

// past is a deadline that ends every Read and Write at once.
var past = time.Unix(1, 0)

// NewConn returns a Conn that sends r over c, and takes ownership of c. c must
// come from [Dialer.Dial]: with TLS from elsewhere, a response that ends with the
// connection cannot be distinguished from a truncated one.
func NewConn(c net.Conn, r *Request) *Conn {
	conn := &Conn{nc: c, req: r, parser: NewParser(r), out: r.Bytes(), in: make([]byte, readSize), limit: NoLimit}
	if t, ok := c.(*tlsConn); ok {
		conn.tls = t
		c = t.wire.Conn
	}
	conn.probe.open(c)
	if r.Rest() != nil {
		conn.body = newBodyWriter(conn.nc, conn.out, r.Rest())
	}
	return conn
}

// Use makes r the request of further exchanges. It must not be called during one.
func (c *Conn) Use(r *Request) {
	if c.req == r {
		return
	}
	c.req, c.out = r, r.Bytes()
	c.parser = NewParser(r)
	if c.body != nil {
		close(c.body.quit)
		c.body = nil
	}
	if r.Rest() != nil {
		c.body = newBodyWriter(c.nc, c.out, r.Rest())
	}
}

// Status returns the status of the last response, 0 if it never came.
func (c *Conn) Status() int { return c.parser.Status() }

// Message returns what was kept of the last response.
func (c *Conn) Message() Message { return c.parser.Message() }

// HasBody reports whether the last response has the body that its request expects.
func (c *Conn) HasBody() bool { return c.parser.HasBody() }

// Exchange sends request n, counted from 0, and reads its response. It blocks
// until the response is complete, has failed, or Expire or Close ends it. It
// never sends anything twice.
func (c *Conn) Exchange(n int64) Response {
	if !c.state.CompareAndSwap(0, n+1) {
		return Response{Err: &record.Error{Kind: record.Closed, Err: errors.New("connection cannot be used again")}}
	}
	c.req.Patch(c.out, n)
	c.parser.Reset(c.req.Head())

	var res Response
	o := Outcome{Kept: c.served}
	if c.body == nil {
		var m int
		m, o.SendErr = c.nc.Write(c.out)
		res.Sent = int64(m)
		o.AtEnd, o.ReadErr = c.receive(&res)
	} else {
		c.body.start()
		o.AtEnd, o.ReadErr = c.receive(&res)
		res.Sent, o.SendErr = c.body.stop()
	}
	res.Status, res.Body = c.parser.Status(), c.parser.Body()

	next := int64(stateBroken)
	o.Expired = c.state.Load() == stateExpired
	if err := o.Failure(&c.parser); err != nil {
		res.Err, res.Unprocessed = err, o.Unprocessed(&c.parser, err)
	} else if o.Reusable(c.req, &c.parser, res.Surplus) {
		next, c.limit = 0, c.parser.IdleLimit()
	}
	res.Reusable = c.state.CompareAndSwap(n+1, next) && next == 0
	c.served = res.Reusable
	return res
}

// receive reads one response. It returns nil once the response is complete.
// atEnd reports whether the connection has ended.
func (c *Conn) receive(res *Response) (atEnd bool, err error) {
	var l loan
	defer l.end()
	buf := c.in
	var first time.Time // when the first octet had arrived, unless the last had too
	for {
		m, err := c.nc.Read(buf)
		if m > 0 {
			res.Received += int64(m)
			n, done, perr := c.parser.Feed(buf[:m])
			if done {
				res.Surplus = int64(m - n)
				if !first.IsZero() {
					res.Arriving = c.Clock.Since(first)
				}
			}
			if done || perr != nil {
				return err != nil, c.parser.Explain(perr, buf[:m])
			}
		}
		if err != nil {
			if !first.IsZero() {
				res.Arriving = c.Clock.Since(first)
			}
			return true, c.ended(err)
		}
		if first.IsZero() {
			first = c.Clock.Now()
		}
		buf = l.next(c.in, m == len(buf))
	}
}

// Expire ends the exchange of request n at once, with the kind Timeout. It does
// nothing if another exchange, or none, is in progress: a late call must not end
// the next one.
func (c *Conn) Expire(n int64) {
	if c.state.CompareAndSwap(n+1, stateExpired) {
		c.nc.SetDeadline(past)
	}
}

// Idle reports whether an idle connection can be used again. It returns false if
// the peer has ended it or has sent something unasked, and true where the system
// cannot tell. It sends nothing and does not wait.
func (c *Conn) Idle() bool {
	if c.state.Load() != 0 {
		return false
	}
	n, open := c.peek()
	if c.tls != nil {
		// Octets in the socket are encrypted and are not counted.
		if open = open && n == 0; open {
			n, open = c.tls.pending(c.in)
		} else {
			n = 0
		}
	}
	c.stray += int64(n)
	if n == 0 && open {
		return true
	}
	c.state.CompareAndSwap(0, stateBroken)
	return false
}

// peek returns how many octets, 4096 at most, have arrived, and whether the
// connection is open.
func (c *Conn) peek() (n int, open bool) {
	if p, ok := c.nc.(interface{ Pending() (n int, open bool) }); ok {
		n, open = p.Pending()
		return min(n, len(c.in)), open
	}
	return c.probe.peek(c.in)
}

// Served reports whether the connection has served an exchange.
func (c *Conn) Served() bool { return c.served }

// IdleLimit returns how long the connection may be idle and still be used; see
// [Parser.IdleLimit].
func (c *Conn) IdleLimit() time.Duration { return c.limit }

// NetConn returns the underlying connection, so that a caller can take it over.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Stray returns how many octets, at most 4096, Idle has seen that belong to no
// response. No Response counts them.
func (c *Conn) Stray() int64 { return c.stray }

// Close closes the connection without waiting for the peer. An exchange in
// progress fails with the kind Closed. Calls after the first do nothing.
func (c *Conn) Close() error {
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	if c.body != nil {
		close(c.body.quit)
	}
	if c.tls == nil {
		return c.nc.Close()
	}
	// After a failure the peer may not read, and close_notify would wait for it.
	if c.state.Load() == 0 {
		c.tls.CloseWrite()
	}
	return c.tls.wire.Close()
}
