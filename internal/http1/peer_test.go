package http1

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A peer is the server's end of one connection, driven octet by octet.
type peer struct {
	net.Conn // what requests come over; TLS if the test says so
	tcp      *net.TCPConn
	in       *bufio.Reader
	stuck    chan struct{}
	over     chan struct{} // closed when the test is over
}

// serve starts a server on loopback that runs f for each connection and closes
// the connection afterwards. It ends with the test.
func serve(t testing.TB, f func(p *peer)) *peerServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &peerServer{Dialer: Dialer{Addr: ln.Addr().String()}, stuck: make(chan struct{}, 1)}
	over := make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				f(&peer{Conn: c, tcp: c.(*net.TCPConn), in: bufio.NewReader(c), stuck: s.stuck, over: over})
			})
		}
	})
	t.Cleanup(func() {
		close(over)
		ln.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return s
}

type peerServer struct {
	Dialer
	stuck chan struct{}
}

// connect opens a connection to s for a request that edit changes.
func (s *peerServer) connect(t testing.TB, edit ...func(*Spec)) *Conn {
	t.Helper()
	nc, err := s.Dial(t.Context())
	require.NoError(t, err)
	c := NewConn(nc, mustRequest(t, "http://"+s.Addr+"/", edit...))
	t.Cleanup(func() { c.Close() })
	return c
}

// exchange runs an exchange on its own connection. It expires the exchange once
// the peer is stuck and the client has read that many octets and waits for more.
// It does so as a sweep does: repeatedly, until it has an effect.
func (s *peerServer) exchange(t testing.TB, octets int64, edit ...func(*Spec)) Response {
	t.Helper()
	nc, err := s.Dial(t.Context())
	require.NoError(t, err)
	w := &watchedConn{Conn: nc, left: octets, waits: make(chan struct{})}
	c := NewConn(w, mustRequest(t, "http://"+s.Addr+"/", edit...))
	defer c.Close()
	done := make(chan struct{})
	var sweep sync.WaitGroup
	sweep.Go(func() {
		for _, event := range []chan struct{}{s.stuck, w.waits} {
			select {
			case <-done:
				return
			case <-event:
			}
		}
		for {
			select {
			case <-done:
				return
			default:
				c.Expire(0)
				runtime.Gosched()
			}
		}
	})
	r := c.Exchange(0)
	close(done)
	sweep.Wait()
	return r
}

// A watchedConn closes waits at the first Read after left octets were read.
type watchedConn struct {
	net.Conn
	left  int64
	waits chan struct{}
	once  sync.Once
}

func (c *watchedConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		c.once.Do(func() { close(c.waits) })
	}
	n, err := c.Conn.Read(b)
	c.left -= int64(n)
	return n, err
}

// head reads the head of a request, and reports whether there was one.
func (p *peer) head() bool {
	for {
		line, err := p.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == "\r\n" {
			return true
		}
	}
}

// body reads n octets of a request's body.
func (p *peer) body(n int64) bool {
	_, err := io.CopyN(io.Discard, p.in, n)
	return err == nil
}

func (p *peer) say(s string) bool {
	_, err := io.WriteString(p, s)
	return err == nil
}

// forever writes s until the client is gone.
func (p *peer) forever(s string) {
	s = strings.Repeat(s, 1+4096/len(s))
	for p.say(s) {
	}
}

// hang signals that the peer is stuck, and waits for the client to end the
// connection.
func (p *peer) hang() {
	p.stuck <- struct{}{}
	io.Copy(io.Discard, p.in)
}

// await waits for the test to go on, or to be over.
func (p *peer) await() {
	select {
	case <-p.stuck:
	case <-p.over:
	}
}

// reset closes the connection with a RST.
func (p *peer) reset() {
	p.tcp.SetLinger(0)
	p.tcp.Close()
}

// assertKind checks the kind of an exchange's error and a part of its message.
func assertKind(t testing.TB, want record.Kind, message string, r Response, why ...any) {
	t.Helper()
	if want == record.NoError {
		assert.NoError(t, r.Err, why...)
		return
	}
	var e *record.Error
	if assert.ErrorAs(t, r.Err, &e, why...) {
		assert.Equal(t, want.String(), e.Kind.String(), why...)
		assert.ErrorContains(t, e, message, why...)
		assert.Error(t, e.Err)
	}
	assert.False(t, r.Reusable, why...)
}
