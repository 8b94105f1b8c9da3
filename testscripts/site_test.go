//go:build unix

package testscripts

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// sampled is a Sampler that remembers the id of each request.
type sampled struct {
	*targettest.Sampler
	ids idList
}

func (s *sampled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.ids.add(r.Header.Get("X-Request-Id"))
	s.Sampler.ServeHTTP(w, r)
}

func (s *sampled) IDs() []string { return s.ids.all() }

func (s *sampled) Close() error { return nil }

// An idList is safe for concurrent use.
type idList struct {
	mu  sync.Mutex
	ids []string
}

func (l *idList) add(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, id)
}

func (l *idList) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ids)
}

// A site serves a handler at one address, and can be stopped and started again.
type site struct {
	url     string
	taken   atomic.Int64 // connections
	handler http.Handler
	tls     *tls.Config // nil for plain
	addr    string
	port    *targettest.Port
	server  *http.Server
	done    chan struct{} // closed when server has ended
}

func listenSite(h http.Handler, config *tls.Config) (*site, error) {
	p, err := targettest.HoldPort()
	if err != nil {
		return nil, err
	}
	s := &site{handler: h, tls: config, addr: fmt.Sprintf("127.0.0.1:%d", p.Number), port: p}
	if err := s.up(); err != nil {
		p.Release()
		return nil, err
	}
	s.url = "http://" + s.addr
	if config != nil {
		s.url = "https://" + s.addr
	}
	return s, nil
}

// up starts the server.
func (s *site) up() error {
	l, err := net.Listen("tcp", s.addr)
	// A child process that another script has just forked holds a copy of the old
	// listener until it calls exec.
	for began := time.Now(); errors.Is(err, syscall.EADDRINUSE) && time.Since(began) < bound; {
		time.Sleep(time.Millisecond)
		l, err = net.Listen("tcp", s.addr)
	}
	if err != nil {
		return err
	}
	if s.tls != nil {
		l = tls.NewListener(l, s.tls)
	}
	s.server = &http.Server{
		Handler:  s.handler,
		ErrorLog: log.New(io.Discard, "", 0), // reports handlers that abort and handshakes that fail
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.taken.Add(1)
			}
		},
	}
	s.done = make(chan struct{})
	go func(server *http.Server, done chan struct{}) {
		defer close(done)
		_ = server.Serve(l) // ends with ErrServerClosed
	}(s.server, s.done)
	return nil
}

// down stops the server and closes every connection. It may be called again.
func (s *site) down() {
	_ = s.server.Close()
	<-s.done
}

// close stops the server for good.
func (s *site) close() {
	s.down()
	s.port.Release()
}
