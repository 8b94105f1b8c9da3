package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// A Dialer opens connections to one address. The zero value is not ready: it
// needs Addr. Safe for concurrent use.
type Dialer struct {
	Addr string      // ip:port
	TLS  *tls.Config // with ServerName, or InsecureSkipVerify; nil for plain HTTP

	// Connect opens what HTTP, or TLS below it, goes over; nil means TCP to
	// Addr. A connection with a method Pending() (n int, open bool), which says
	// what has arrived on it and whether it is open, is asked by [Conn.Idle].
	Connect func(context.Context) (net.Conn, error)
}

// Dial opens a connection, through the TLS handshake if TLS is set, for
// [NewConn]. The deadline of ctx bounds it all and leaves no trace on the
// connection. Its error is an *Error: Resolve, ConnectRefused, ConnectTimeout,
// Connect, NoFDs or NoPorts for the connection, TLS or Timeout for the
// handshake.
func (d *Dialer) Dial(ctx context.Context) (net.Conn, error) {
	c, err := d.connect(ctx)
	if err != nil {
		return nil, Classify(err, Dialing)
	}
	if d.TLS == nil {
		return c, nil
	}
	wire := &wireConn{Conn: c}
	t := tls.Client(wire, d.config())
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, Classify(d.explain(err), Handshaking)
	}
	return &tlsConn{Conn: t, wire: wire}, nil
}

func (d *Dialer) connect(ctx context.Context) (net.Conn, error) {
	if d.Connect != nil {
		return d.Connect(ctx)
	}
	// Keep-alive probes cost four system calls a connection and find nothing
	// that the deadline of a request does not.
	nd := net.Dialer{KeepAlive: -1}
	return nd.DialContext(ctx, "tcp", d.Addr)
}

// config offers HTTP/1.1 and nothing else, so that no server picks HTTP/2, and
// drops the zone from an address to verify: no certificate has one.
func (d *Dialer) config() *tls.Config {
	c := d.TLS.Clone()
	c.NextProtos = []string{"http/1.1"}
	if strings.Contains(c.ServerName, ":") {
		c.ServerName, _, _ = strings.Cut(c.ServerName, "%")
	}
	return c
}

// explain says of a failed handshake what crypto/tls leaves to be guessed.
func (d *Dialer) explain(err error) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return fmt.Errorf("TLS handshake with %s: %w: the server speaks plain HTTP here", d.Addr, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("TLS handshake with %s: the server closed the connection: %w", d.Addr, err)
	case isTimeout(err):
		err = os.ErrDeadlineExceeded // as a timeout reads everywhere else
	}
	return fmt.Errorf("TLS handshake with %s: %w", d.Addr, err)
}

// A tlsConn is a TLS connection that can tell how it ended.
type tlsConn struct {
	*tls.Conn
	wire *wireConn
}

// cut reports, once a Read has returned io.EOF, whether the connection ended
// without the close_notify that says nothing is missing (RFC 9112 section 9.8).
// crypto/tls returns the same io.EOF for both, but reads on to the end of the
// stream only when there was none.
func (c *tlsConn) cut() bool { return c.wire.ended }

// pending returns how many octets, at least, have arrived and been decrypted
// without being asked for, and whether the connection is still open. It does
// not touch the socket.
func (c *tlsConn) pending(b []byte) (n int, open bool) {
	c.wire.dry = true
	n, err := c.Conn.Read(b)
	c.wire.dry = false
	return n, n == 0 && errors.Is(err, errDry)
}

// A wireConn is what a TLS connection runs over.
type wireConn struct {
	net.Conn
	ended bool // Read has returned io.EOF
	dry   bool // Read has nothing to give
}

func (c *wireConn) Read(b []byte) (int, error) {
	if c.dry {
		return 0, errDry
	}
	n, err := c.Conn.Read(b)
	if err == io.EOF {
		c.ended = true
	}
	return n, err
}

// errDry is temporary in the sense of [net.Error]: crypto/tls fails for good
// after any other error.
var errDry net.Error = dryError{}

type dryError struct{}

func (dryError) Error() string   { return "nothing has arrived" }
func (dryError) Timeout() bool   { return true }
func (dryError) Temporary() bool { return true }
