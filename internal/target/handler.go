// Package target holds what load can be put on without a network: a user's own
// http.Handler served in memory and on loopback, and servers whose latency is
// known beforehand, so that a load tester can be checked against the truth.
package target

import (
	"context"
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

// ServeOptions says how a handler is served.
type ServeOptions struct {
	TLS   bool          // over https, with the certificate in [Server.CertPool]
	Grace time.Duration // how long Close waits for handlers; 0 means 5s
}

// A Server serves a handler on loopback and, unless it does so over TLS, in
// memory.
type Server struct {
	URL string // without a path: http://127.0.0.1:1234

	ts     *httptest.Server
	memory *memoryListener // nil with TLS
	grace  time.Duration
	cancel context.CancelFunc // ends the context of every handler
	served chan struct{}      // closed when nothing more is accepted in memory
	panics panics

	mu      sync.Mutex
	open    map[net.Conn]struct{} // connections whose goroutine has not ended
	closing bool
	closed  chan struct{} // closed when closing and none is open
}

// Serve starts a server for h. The caller must close it.
func Serve(h http.Handler, opts ServeOptions) (*Server, error) {
	if h == nil {
		return nil, errors.New("serving a handler: it is nil")
	}
	if opts.Grace < 0 {
		return nil, fmt.Errorf("serving a handler: Grace %v must not be negative", opts.Grace)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		var err6 error
		if l, err6 = net.Listen("tcp6", "[::1]:0"); err6 != nil {
			return nil, fmt.Errorf("serving a handler on loopback: %w", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{
		grace:  opts.Grace,
		cancel: cancel,
		served: make(chan struct{}),
		open:   make(map[net.Conn]struct{}),
		closed: make(chan struct{}),
	}
	if s.grace == 0 {
		s.grace = 5 * time.Second
	}
	s.ts = &httptest.Server{Listener: l, Config: &http.Server{
		Handler:     s.panics.guard(h),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog:    log.New(io.Discard, "", 0), // failed handshakes: their clients report them
		ConnState:   s.track,
	}}
	if opts.TLS {
		s.ts.StartTLS()
		close(s.served)
	} else {
		s.ts.Start()
		s.memory = newMemoryListener(l.Addr().(*net.TCPAddr))
		go func() {
			defer close(s.served)
			_ = s.ts.Config.Serve(s.memory) // until Close
		}()
	}
	s.URL = s.ts.URL
	return s, nil
}

// Dial opens a connection to s in memory, for plain HTTP, within ctx. To either
// end it looks like one over TCP to the port of URL. It must not be called on a
// server with TLS.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) { return s.memory.dial(ctx) }

// CertPool returns what a client must trust to reach s, nil without TLS. The
// certificate is good for 127.0.0.1, ::1 and example.com.
func (s *Server) CertPool() *x509.CertPool {
	cert := s.ts.Certificate()
	if cert == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

// Panic returns what the handler panicked with, and where, while it served the
// request with this X-Request-Id. It knows so before the client sees the
// connection end, and remembers the latest 1024.
func (s *Server) Panic(id string) (msg string, ok bool) { return s.panics.text(id) }

// Close ends every connection and the context of every handler, and waits for
// the handlers to return, at most Grace: its error says how many did not.
// Nothing of a server is left when it returns nil, apart from connections that
// a handler hijacked, which are the handler's. It may be called again.
//
// Note: [httptest.Server.Close] alone waits without a bound, lets a request in
// flight finish however long it takes, and writes to stderr after 5 s.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closing {
		s.closing = true
		if len(s.open) == 0 {
			close(s.closed)
		}
	}
	s.mu.Unlock()
	// Its error is that of closing a listener or connections: nothing can be
	// done about it.
	_ = s.ts.Config.Close()
	// After the connections, or a handler that returns because its context
	// ended would answer 200 to a request that was cut off.
	s.cancel()
	bound := time.NewTimer(s.grace)
	defer bound.Stop()
	select {
	case <-s.closed:
		s.ts.Close()
		<-s.served
		return nil
	case <-bound.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		return fmt.Errorf("closing the server of a handler: %d requests still run %v after their contexts ended", len(s.open), s.grace)
	}
}

// track is told the state of every connection.
func (s *Server) track(c net.Conn, state http.ConnState) {
	if state == http.StateActive || state == http.StateIdle {
		return // as twice a request
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch state {
	case http.StateNew:
		s.open[c] = struct{}{}
		if s.closing { // accepted, but too late for http.Server.Close to see it
			c.Close()
		}
	case http.StateHijacked, http.StateClosed:
		delete(s.open, c)
		if s.closing && len(s.open) == 0 {
			select {
			case <-s.closed:
			default:
				close(s.closed)
			}
		}
	}
}
