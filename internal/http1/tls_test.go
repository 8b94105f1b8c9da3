package http1

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

// server returns the configuration of a server with this name, with a certificate
// valid from one offset from now to another.
func (a *authority) server(t testing.TB, name string, from, to time.Duration) *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	shape := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv6loopback},
		NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(to),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// client returns the configuration of a client that trusts a and expects name.
func (a *authority) client(name string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return &tls.Config{RootCAs: pool, ServerName: name}
}

const hour = time.Hour

// secure serves f over TLS; f runs after the handshake.
func secure(cfg *tls.Config, f func(*peer, *tls.Conn)) func(*peer) {
	return func(p *peer) {
		wire := &corkedConn{Conn: &wireConn{Conn: p.tcp}}
		c := tls.Server(wire, cfg)
		if c.Handshake() != nil {
			return
		}
		p.Conn = c
		p.in.Reset(c)
		f(p, c)
	}
}

// A corkedConn holds back what is written while corked is set.
type corkedConn struct {
	net.Conn
	corked bool
	held   bytes.Buffer
}

func (c *corkedConn) Write(b []byte) (int, error) {
	if c.corked {
		return c.held.Write(b)
	}
	return c.Conn.Write(b)
}

// uncork sends what was held back in one write.
func (c *corkedConn) uncork() {
	c.corked = false
	c.SetWriteDeadline(time.Time{}) // crypto/tls ends writing with close_notify
	c.held.WriteTo(c.Conn)
}

func TestTLSHandshake(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	good := a.server(t, "good.example", -hour, hour)
	old := a.server(t, "good.example", -hour, hour)
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
	answer := func(p *peer, _ *tls.Conn) { p.head(); p.say(ok13) }
	for _, tt := range []struct {
		name    string
		client  *tls.Config
		serve   func(*peer)
		want    record.Kind
		message string
	}{
		{"verified", a.client("good.example"), secure(good, answer), record.NoError, ""},
		{"verified by address", a.client("::1"), secure(good, answer), record.NoError, ""},
		{"an address with a zone", a.client("::1%lo"), secure(good, answer), record.NoError, ""},
		{"not verified", &tls.Config{InsecureSkipVerify: true}, secure(good, answer), record.NoError, ""},
		{"unknown authority", other.client("good.example"), secure(good, answer), record.TLS, "x509: certificate signed by unknown authority"},
		{"wrong name", a.client("bad.example"), secure(good, answer), record.TLS, "x509: certificate is valid for good.example, not bad.example"},
		{"expired", a.client("good.example"), secure(a.server(t, "good.example", -2*hour, -hour), answer), record.TLS, "certificate has expired"},
		{"not yet valid", a.client("good.example"), secure(a.server(t, "good.example", hour, 2*hour), answer), record.TLS, "is not yet valid"},
		{"TLS 1.0 only", a.client("good.example"), secure(old, answer), record.TLS, "protocol version not supported"},
		{"plain HTTP", a.client("good.example"), func(p *peer) { p.say("HTTP/1.1 400 Bad Request\r\n\r\n"); p.head() }, record.TLS,
			"first record does not look like a TLS handshake: the server speaks plain HTTP here"},
		{"another protocol", a.client("good.example"), func(p *peer) { p.say("220 mail.example ESMTP\r\n"); p.head(); p.stuck <- struct{}{} }, record.TLS,
			"first record does not look like a TLS handshake"},
		{"closes at ClientHello", a.client("good.example"), func(p *peer) { p.in.Peek(5); p.in.Discard(p.in.Buffered()) }, record.TLS,
			"the server closed the connection: EOF"},
		{"resets at ClientHello", a.client("good.example"), func(p *peer) { p.in.Peek(5); p.reset() }, record.TLS, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, tt.serve)
			s.TLS = tt.client
			nc, err := s.Dial(t.Context())
			if tt.want == record.NoError {
				require.NoError(t, err)
				c := NewConn(nc, mustRequest(t, "https://good.example/"))
				defer c.Close()
				assert.NoError(t, c.Exchange(0).Err)
				return
			}
			assertKind(t, tt.want, tt.message, Response{Err: err})
			assert.ErrorContains(t, err, "TLS handshake with "+s.Addr+": ")
			if tt.name == "another protocol" {
				<-s.stuck // the server has seen the connection closed
			}
		})
	}
}

func TestTLSSilentServer(t *testing.T) {
	for name, give := range map[string]func(context.Context) (context.Context, context.CancelFunc){
		"deadline": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 400*time.Millisecond)
		},
		"cancel": context.WithCancel,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) { p.in.Peek(5); p.hang() })
			s.TLS = &tls.Config{InsecureSkipVerify: true}
			ctx, cancel := give(t.Context())
			defer cancel()
			if name == "cancel" {
				go func() { <-s.stuck; cancel() }()
			}
			_, err := s.Dial(ctx)
			assertKind(t, record.Timeout, "TLS handshake with "+s.Addr+": i/o timeout", Response{Err: err})
		})
	}
}

func TestTLSOffersHTTP1Only(t *testing.T) {
	a := newAuthority(t)
	cfg := a.server(t, "good.example", -hour, hour)
	cfg.NextProtos = []string{"h2", "http/1.1"}
	var mu sync.Mutex
	var got string
	s := serve(t, secure(cfg, func(p *peer, c *tls.Conn) {
		mu.Lock()
		got = c.ConnectionState().NegotiatedProtocol
		mu.Unlock()
		p.head()
		p.say(ok13)
	}))
	s.TLS = a.client("good.example")
	s.TLS.NextProtos = []string{"h2"}
	assert.NoError(t, s.connect(t).Exchange(0).Err)
	mu.Lock()
	assert.Equal(t, "http/1.1", got)
	mu.Unlock()
	assert.Equal(t, []string{"h2"}, s.TLS.NextProtos, "the caller's configuration is not touched")
}

// A server may refuse a missing client certificate after its handshake.
func TestTLSClientCertificateWanted(t *testing.T) {
	a := newAuthority(t)
	cfg := a.server(t, "good.example", -hour, hour)
	cfg.ClientAuth = tls.RequireAnyClientCert
	s := serve(t, func(p *peer) {
		tls.Server(p.tcp, cfg).Handshake()
		io.Copy(io.Discard, p.in) // a close with octets unread would reset the alert away
	})
	s.TLS = a.client("good.example")
	assertKind(t, record.TLS, "certificate required", s.connect(t).Exchange(0))
}

// A connection that ends without close_notify is truncated.
func TestTLSEnd(t *testing.T) {
	a := newAuthority(t)
	cfg := a.server(t, "good.example", -hour, hour)
	const toEnd = "HTTP/1.1 200 OK\r\n\r\nHello"
	cut := func(p *peer, c *tls.Conn) { p.tcp.CloseWrite(); io.Copy(io.Discard, p.tcp) }
	inOrder := func(p *peer, c *tls.Conn) { c.CloseWrite(); cut(p, c) }
	midRecord := func(p *peer, c *tls.Conn) { p.tcp.Write([]byte{23, 3, 3, 0, 99, 1, 2}); cut(p, c) }
	check := func(want record.Kind, message, response string, end func(*peer, *tls.Conn), why string) {
		t.Helper()
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			cfg := cfg.Clone()
			cfg.MaxVersion = version
			s := serve(t, secure(cfg, func(p *peer, c *tls.Conn) { p.head(); p.say(response); end(p, c) }))
			s.TLS = a.client("good.example")
			assertKind(t, want, message, s.connect(t).Exchange(0), why)
		}
	}
	check(record.NoError, "", toEnd, inOrder, "complete")
	check(record.Truncated, "without the close_notify of TLS after 5 octets", toEnd, cut, "FIN at the edge of a record, which crypto/tls calls EOF")
	check(record.Truncated, "", toEnd, midRecord, "FIN within a record")
	check(record.NoError, "", ok13, cut, "complete before the end")
	check(record.Truncated, "reading body", ok13[:len(ok13)-1], inOrder, "in order but short")
	check(record.Truncated, "reading body", ok13[:len(ok13)-1], cut, "short")
	check(record.Closed, "new connection ended", "", inOrder, "not a word")
	check(record.Closed, "new connection ended", "", cut, "not a word")
}

func TestTLSIdle(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the socket cannot be looked at")
	}
	a := newAuthority(t)
	cfg := a.server(t, "good.example", -hour, hour)
	check := func(want bool, stray int64, after func(*peer, *tls.Conn), why string) {
		t.Helper()
		s := serve(t, secure(cfg, func(p *peer, c *tls.Conn) {
			p.head()
			p.say(ok13)
			p.head()
			wire := c.NetConn().(*corkedConn)
			wire.corked = true
			p.say(ok13)
			after(p, c)
			wire.uncork()
			p.head()
		}))
		s.TLS = a.client("good.example")
		c := s.connect(t)
		require.True(t, c.Exchange(0).Reusable, why)
		require.True(t, c.Idle(), why)
		r := c.Exchange(1)
		require.NoError(t, r.Err, "to look has not harmed: %s", why)
		assert.Equal(t, want, r.Reusable && c.Idle(), why)
		assert.Equal(t, stray, c.Stray()+r.Surplus, why)
	}
	check(true, 0, func(*peer, *tls.Conn) {}, "nothing follows")
	check(false, 5, func(p *peer, _ *tls.Conn) { p.say("stray") }, "a record that arrived with the response")
	check(false, 0, func(_ *peer, c *tls.Conn) { c.CloseWrite() }, "close_notify that arrived with the response")
}

func TestTLSExpire(t *testing.T) {
	a := newAuthority(t)
	cfg := a.server(t, "good.example", -hour, hour)
	check := func(message string, f func(p *peer, c *tls.Conn), edit ...func(*Spec)) {
		t.Helper()
		s := serve(t, secure(cfg, f))
		s.TLS = a.client("good.example")
		assertKind(t, record.Timeout, message, s.exchange(t, 0, edit...))
	}
	check("waiting for the response: i/o timeout", func(p *peer, _ *tls.Conn) { p.head(); p.hang() })
	check("writing the request: i/o timeout", func(p *peer, _ *tls.Conn) { p.head(); p.stuck <- struct{}{}; <-p.over },
		func(s *Spec) { s.Body = make([]byte, 32<<20) })
}

// Close sends close_notify on an idle connection, and does not wait on a broken
// one.
func TestTLSClose(t *testing.T) {
	a := newAuthority(t)
	cfg := a.server(t, "good.example", -hour, hour)
	cut := make(chan bool, 1)
	s := serve(t, secure(cfg, func(p *peer, c *tls.Conn) {
		p.head()
		p.say(ok13)
		c.Read(make([]byte, 1))
		cut <- c.NetConn().(*corkedConn).Conn.(*wireConn).ended
	}))
	s.TLS = a.client("good.example")
	c := s.connect(t)
	require.True(t, c.Exchange(0).Reusable)
	assert.NoError(t, c.Close())
	assert.False(t, <-cut, "close_notify comes before the end")
}
