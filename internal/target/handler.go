// Package target provides targets for load on this machine: it serves a user's
// http.Handler in memory and on loopback, and it has servers with latencies known
// in advance, which show whether a load tester measures correctly.
package target

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// ServeOptions are options of [Serve].
type ServeOptions struct {
	TCP   bool          // listen on loopback; else the handler is served in memory, and nothing listens at the address in URL
	TLS   bool          // over https, with a certificate from [Server.CertPool]; needs TCP
	Token string        // that requests over TCP need in the header field [TokenHeader]; "" admits all
	Grace time.Duration // how long Close waits for handlers; 0 means 5s
}

// TokenHeader is the header field that admits a request to a handler. The handler does
// not see it.
const TokenHeader = "Loadtest-Token"

// headTimeout is how long a client may take to send a request's head. Requests of
// a run take an instant.
const headTimeout = time.Minute

// A Server serves a handler in memory or on loopback. A server in memory works in a
// testing/synctest bubble.
type Server struct {
	URL string // without a path: http://127.0.0.1:1234

	http    *http.Server
	memory  *memoryListener // nil with TCP
	roots   *x509.CertPool  // nil without TLS
	grace   time.Duration
	cancel  context.CancelFunc // ends the context of every handler
	panics  panics
	running sync.WaitGroup // accept loops and connections
	refused atomic.Int64   // requests without the token

	mu      sync.Mutex
	open    int // connections that run
	closing bool
}

// memoryPort is the port that a server without a socket seems to have: tcpmux
// (RFC 1078), which is out of use, so that a handler that calls its own address
// is refused at once instead of reaching another server.
const memoryPort = 1

// Serve starts a server for h. The caller must close it.
func Serve(h http.Handler, opts ServeOptions) (*Server, error) {
	switch {
	case h == nil:
		return nil, errors.New("serving a handler: it is nil")
	case opts.Grace < 0:
		return nil, fmt.Errorf("serving a handler: Grace %v must not be negative", opts.Grace)
	case opts.TLS && !opts.TCP:
		return nil, errors.New("serving a handler: TLS needs TCP")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{grace: opts.Grace, cancel: cancel}
	if s.grace == 0 {
		s.grace = 5 * time.Second
	}
	s.http = &http.Server{
		Handler:     s.panics.guard(h),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // such as failed handshakes, which their clients report
		ConnState:   s.track,
	}
	if opts.Token != "" {
		s.http.Handler = s.admit(opts.Token, s.http.Handler)
	}
	if !opts.TCP {
		addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: memoryPort}
		s.URL = "http://" + addr.String()
		s.memory = newMemoryListener(addr)
		s.accept(s.memory)
		return s, nil
	}
	l, err := listenLoopback()
	if err != nil {
		cancel()
		return nil, err
	}
	s.http.ReadHeaderTimeout = headTimeout
	s.URL = "http://" + l.Addr().String()
	if opts.TLS {
		s.URL = "https://" + l.Addr().String()
		if l, err = s.secure(l); err != nil {
			cancel()
			return nil, err
		}
	}
	s.accept(l)
	return s, nil
}

// admit returns h for requests that have the token. Every user of this machine, and
// every page in a browser on it, can reach a port of loopback.
func (s *Server) admit(token string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get(TokenHeader)), []byte(token)) != 1 {
			s.refused.Add(1)
			http.Error(w, "only requests of the load test are answered here", http.StatusForbidden)
			return
		}
		r.Header.Del(TokenHeader)
		h.ServeHTTP(w, r)
	})
}

// Refused returns how many requests came without the token.
func (s *Server) Refused() int64 { return s.refused.Load() }

// listenLoopback listens on a free port of loopback.
func listenLoopback() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		return l, nil
	}
	l, err6 := net.Listen("tcp6", "[::1]:0")
	if err6 != nil {
		return nil, fmt.Errorf("serving a handler on loopback: %w", err)
	}
	return l, nil
}

// secure returns l behind TLS with a new certificate. On an error it closes l.
func (s *Server) secure(l net.Listener) (net.Listener, error) {
	cert, err := selfSigned()
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("making a certificate for a handler: %w", err)
	}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(cert.Leaf)
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}), nil
}

// selfSigned returns a certificate for loopback and example.com. Package httptest has
// one too, but links package testing.
func selfSigned() (cert tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{Organization: []string{"load-tester"}},
		NotBefore:             now.Add(-24 * time.Hour),
		NotAfter:              now.Add(10 * 365 * 24 * time.Hour),
		DNSNames:              []string{"example.com"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA:                  true, // so that it is its own root
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return cert, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// accept serves the connections of l until Close.
func (s *Server) accept(l net.Listener) {
	s.running.Go(func() { _ = s.http.Serve(l) })
}

// Dial opens a connection to s in memory. To both ends it looks like a TCP
// connection to the port in URL. ctx bounds the dialing only. Dial must not be
// called on a server with TCP.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) { return s.memory.dial(ctx) }

// CertPool returns the pool that a client must trust, nil without TLS. The
// certificate is valid for 127.0.0.1, ::1 and example.com.
func (s *Server) CertPool() *x509.CertPool { return s.roots }

// Panic returns the value and the place of the handler's panic while it served the
// request with this X-Request-Id. A panic is known before the client sees the
// connection end; the latest 1024 are kept.
func (s *Server) Panic(id string) (msg string, ok bool) { return s.panics.text(id) }

// Close ends every connection and the context of every handler, and waits up to
// Grace for the handlers to return: its error says how many did not. When it
// returns nil, nothing of the server is left except connections that a handler
// hijacked, which belong to the handler. It may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	// An error of closing a listener or a connection has no consequence.
	_ = s.http.Close()
	// Only now: a handler that returns because its context ended would
	// otherwise answer 200 to a request that was cut off.
	s.cancel()
	over := make(chan struct{})
	go func() { s.running.Wait(); close(over) }()
	bound := time.NewTimer(s.grace)
	defer bound.Stop()
	select {
	case <-over:
		return nil
	case <-bound.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("closing the server of a handler: %d requests still run %v after their contexts ended", s.open, s.grace)
	}
}

// track is called for each change of a connection's state.
func (s *Server) track(c net.Conn, state http.ConnState) {
	if state == http.StateActive || state == http.StateIdle {
		return // without the lock: these come with every request
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.running.Add(1)
		s.open++
		if s.closing { // accepted, but too late for http.Server.Close to see it
			c.Close()
		}
		return
	}
	s.open--
	s.running.Done()
}

// requestIDHeader carries a request's id on the wire.
const requestIDHeader = "X-Request-Id"

type requestIDKey struct{}

// WithRequestID returns a copy of ctx that carries the request's id.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID returns the id of the request that ctx belongs to, "" without one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
