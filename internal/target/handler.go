// Package target provides targets for load on this machine: it serves a user's
// http.Handler in memory and on loopback, and it has servers with latencies known
// in advance, which show whether a load tester measures correctly.
package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// ServeOptions are options of [Serve].
type ServeOptions struct {
	TLS   bool          // over https, with a certificate from [Server.CertPool]
	Grace time.Duration // how long Close waits for handlers; 0 means 5s

	// Memory serves the handler without a socket: only [Server.Dial] reaches
	// it, and nothing listens at the address in URL. Such a server works in a
	// testing/synctest bubble. It excludes TLS.
	Memory bool
}

// A Server serves a handler in memory, on loopback, or both.
type Server struct {
	URL string // without a path: http://127.0.0.1:1234

	http    *http.Server
	memory  *memoryListener // nil with TLS
	roots   *x509.CertPool  // nil without TLS
	grace   time.Duration
	cancel  context.CancelFunc // ends the context of every handler
	panics  panics
	running sync.WaitGroup // accept loops and connections

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
	case opts.Memory && opts.TLS:
		return nil, errors.New("serving a handler: Memory and TLS exclude each other")
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
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: memoryPort}
	scheme := "http"
	if !opts.Memory {
		l, err := listenLoopback()
		if err != nil {
			cancel()
			return nil, err
		}
		addr = l.Addr().(*net.TCPAddr)
		if opts.TLS {
			scheme, l = "https", s.secure(l)
		}
		s.accept(l)
	}
	if !opts.TLS {
		s.memory = newMemoryListener(addr)
		s.accept(s.memory)
	}
	s.URL = scheme + "://" + addr.String()
	return s, nil
}

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

// secure returns l behind TLS with the certificate of package httptest, which
// shows it only once a server has been started.
func (s *Server) secure(l net.Listener) net.Listener {
	ts := &httptest.Server{Listener: newMemoryListener(new(net.TCPAddr)), Config: new(http.Server)}
	ts.StartTLS()
	defer ts.Close()
	s.roots = x509.NewCertPool()
	s.roots.AddCert(ts.Certificate())
	return tls.NewListener(l, &tls.Config{Certificates: ts.TLS.Certificates, NextProtos: []string{"http/1.1"}})
}

// accept serves the connections of l until Close.
func (s *Server) accept(l net.Listener) {
	s.running.Go(func() { _ = s.http.Serve(l) })
}

// Dial opens a connection to s in memory, for plain HTTP. To both ends it looks
// like a TCP connection to the port in URL. ctx bounds the dialing only. Dial must
// not be called on a server with TLS.
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
