package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
)

// A Dialer opens connections to one address. The zero value is not ready: it
// needs Addr. Safe for concurrent use.
type Dialer struct {
	Addr  string      // ip:port
	Clock clock.Clock // of Took
	TLS   *tls.Config // with ServerName, or InsecureSkipVerify; nil for plain HTTP

	// Took, if not nil, is called with the time that each connection took to open, and
	// then that of the TLS handshake, 0 without TLS.
	Took func(connect, handshake time.Duration)

	// Connect opens the connection that carries HTTP or TLS; nil means TCP to
	// Addr. If the connection has a method Pending() (n int, open bool), which
	// returns how many octets have arrived and whether it is open, [Conn.Idle]
	// calls it.
	Connect func(context.Context) (net.Conn, error)
}

// Dial opens a connection for [NewConn], including the TLS handshake if TLS is
// set. The deadline of ctx applies to all of it, and not to the connection
// afterwards. The error is a *record.Error: Resolve, ConnectRefused,
// ConnectTimeout, Connect, NoFDs or NoPorts for the connection, TLS or Timeout for
// the handshake.
func (d *Dialer) Dial(ctx context.Context) (net.Conn, error) {
	began := d.Clock.Now()
	c, err := d.connect(ctx)
	if err != nil {
		return nil, Classify(err, Dialing)
	}
	connected := d.Clock.Now()
	handshake := time.Duration(0)
	if d.TLS != nil {
		if c, err = d.shakeHands(ctx, c); err != nil {
			return nil, err
		}
		handshake = d.Clock.Since(connected)
	}
	if d.Took != nil {
		d.Took(connected.Sub(began), handshake)
	}
	return c, nil
}

// shakeHands makes a TLS connection of c, or closes it.
func (d *Dialer) shakeHands(ctx context.Context, c net.Conn) (net.Conn, error) {
	wire := &wireConn{Conn: c}
	config, asked := d.config(), false
	if len(config.Certificates) == 0 && config.GetClientCertificate == nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			asked = true
			return &tls.Certificate{}, nil // none, as without this function
		}
	}
	t := tls.Client(wire, config)
	if err := t.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, Classify(fmt.Errorf("TLS handshake with %s: %w", d.Addr, explain(err, config.ServerName, asked)), Handshaking)
	}
	return &tlsConn{Conn: t, wire: wire}, nil
}

func (d *Dialer) connect(ctx context.Context) (net.Conn, error) {
	if d.Connect != nil {
		return d.Connect(ctx)
	}
	// Keep-alive probes cost four system calls per connection, and the timeout
	// of a request finds a dead peer anyway.
	nd := net.Dialer{KeepAlive: -1}
	return nd.DialContext(ctx, "tcp", d.Addr)
}

// config returns the TLS configuration for a connection. It offers only
// HTTP/1.1, so that no server picks HTTP/2, drops the zone of an IPv6 address, which
// no certificate has, and allows a server of TLS 1.2 to ask for a client certificate
// once it has seen the request, as Apache and IIS do.
func (d *Dialer) config() *tls.Config {
	c := d.TLS.Clone()
	c.NextProtos = []string{"http/1.1"}
	if c.Renegotiation == tls.RenegotiateNever {
		c.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if strings.Contains(c.ServerName, ":") {
		c.ServerName, _, _ = strings.Cut(c.ServerName, "%")
	}
	return c
}

// A tlsConn is a TLS connection that knows how it ended.
type tlsConn struct {
	*tls.Conn
	wire *wireConn
}

// cut reports, after a Read has returned io.EOF, whether the connection ended
// without the close_notify that proves it complete (RFC 9112 section 9.8).
// crypto/tls returns io.EOF in both cases, but reads the underlying stream to its
// end only when there was no close_notify.
func (c *tlsConn) cut() bool { return c.wire.ended }

// pending returns how many unread octets, at least, have been received and
// decrypted, and whether the connection is still open. It does not touch the
// socket.
func (c *tlsConn) pending(b []byte) (n int, open bool) {
	c.wire.dry = true
	n, err := c.Conn.Read(b)
	c.wire.dry = false
	return n, n == 0 && errors.Is(err, errDry)
}

// A wireConn is the connection underneath TLS.
type wireConn struct {
	net.Conn
	ended bool // Read has returned io.EOF
	dry   bool // Read returns errDry instead of reading
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

// errDry is temporary in the sense of [net.Error]: after any other error
// crypto/tls fails for good.
var errDry net.Error = dryError{}

type dryError struct{}

func (dryError) Error() string   { return "nothing has arrived" }
func (dryError) Timeout() bool   { return true }
func (dryError) Temporary() bool { return true }
