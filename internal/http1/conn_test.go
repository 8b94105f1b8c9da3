package http1

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ok13 = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, world!"

// A memConn answers each Write with the next of its answers, without a network.
// Reads return at most step octets of an answer, and the last one the error end.
type memConn struct {
	net.Conn
	answer string
	step   int
	end    error
	rest   string
	writes int
	wrote  int
	before func() // called before each Read returns
	err    error  // of Write
}

func (c *memConn) Write(b []byte) (int, error) {
	c.writes++
	c.rest = c.answer
	if c.err != nil {
		return 0, c.err
	}
	c.wrote += len(b)
	return len(b), nil
}

func (c *memConn) Read(b []byte) (int, error) {
	if c.before != nil {
		c.before()
	}
	n := copy(b[:min(len(b), c.step)], c.rest)
	c.rest = c.rest[n:]
	if c.rest == "" {
		return n, c.end
	}
	return n, nil
}

func (c *memConn) SetDeadline(time.Time) error { return nil }
func (c *memConn) Close() error                { return nil }

func TestExchange(t *testing.T) {
	m := &memConn{answer: ok13, step: 1 << 10}
	r := mustRequest(t, "http://h/")
	c := NewConn(m, r)
	for n := range int64(3) {
		want := Response{Status: 200, Sent: int64(len(r.Bytes())), Received: int64(len(ok13)), Body: 13, Reusable: true}
		assert.Equal(t, want, c.Exchange(n))
		assert.Contains(t, string(c.out), r.ID(n))
		assert.True(t, c.Idle(), "nothing to look at but no reason to think it broken")
	}
	assert.Equal(t, 3, m.writes, "one Write per exchange")
}

func TestExchangeInPieces(t *testing.T) {
	for step := 1; step <= len(ok13); step++ {
		c := NewConn(&memConn{answer: ok13, step: step}, mustRequest(t, "http://h/"))
		r := c.Exchange(0)
		require.NoError(t, r.Err)
		assert.Equal(t, int64(13), r.Body)
		assert.True(t, r.Reusable)
	}
}

func TestExchangeReuse(t *testing.T) {
	check := func(want bool, surplus int, answer string, end error, why string, edit ...func(*Spec)) {
		t.Helper()
		c := NewConn(&memConn{answer: answer, step: 1 << 10, end: end}, mustRequest(t, "http://h/", edit...))
		r := c.Exchange(0)
		assertKind(t, record.NoError, "", r, why)
		assert.Equal(t, want, r.Reusable, why)
		assert.EqualValues(t, surplus, r.Surplus, why)
		assert.EqualValues(t, len(answer), r.Received, why)
		if !want {
			assert.False(t, c.Idle(), why)
			assertKind(t, record.Closed, "cannot be used again", c.Exchange(1), why)
		}
	}
	head := func(s *Spec) { s.Method = "HEAD" }
	check(true, 0, ok13, nil, "kept alive")
	check(false, 0, ok13, nil, "we asked for close", func(s *Spec) { s.NoKeepAlive = true })
	check(false, 0, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", nil, "the server will close")
	check(false, 0, ok13, io.EOF, "the end came with the response")
	check(false, len(ok13), ok13+ok13, nil, "a second response without a request")
	check(false, 1, ok13+"\n", nil, "a single octet too many")
	check(false, 5, "HTTP/1.1 204 No Content\r\n\r\nextra", nil, "204 has no body")
	check(false, 13, ok13, nil, "a body in answer to HEAD", head)
	check(true, 0, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n", nil, "HEAD declares what GET would give", head)
	check(false, 0, "HTTP/1.1 200 OK\r\n\r\nto the end", io.EOF, "close-delimited")
}

func TestExchangeStrayNotCredited(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the socket cannot be looked at")
	}
	s := serve(t, func(p *peer) {
		p.head()
		p.say(ok13)
		p.await() // the test has the first response whole
		p.say("HTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n")
		p.head()
	})
	c := s.connect(t)
	require.True(t, c.Exchange(0).Reusable)
	assert.True(t, c.Idle())
	assert.True(t, c.Idle(), "to look changes nothing")
	assert.Zero(t, c.Stray())
	s.stuck <- struct{}{}
	for c.Idle() {
		runtime.Gosched()
	}
	assert.EqualValues(t, len("HTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n"), c.Stray())
	assertKind(t, record.Closed, "cannot be used again", c.Exchange(1))
}

func TestIdleSeesTheEnd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the socket cannot be looked at")
	}
	for name, end := range map[string]func(*peer){"fin": func(*peer) {}, "reset": (*peer).reset} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, func(p *peer) { p.head(); p.say(ok13); p.await(); end(p) })
			c := s.connect(t)
			require.True(t, c.Exchange(0).Reusable)
			require.True(t, c.Idle())
			s.stuck <- struct{}{}
			for c.Idle() {
				runtime.Gosched()
			}
			assert.Zero(t, c.Stray())
		})
	}
}

func TestExpire(t *testing.T) {
	t.Run("after the response is complete", func(t *testing.T) {
		m := &memConn{answer: ok13, step: 1 << 10}
		c := NewConn(m, mustRequest(t, "http://h/"))
		m.before = func() { c.Expire(0) }
		r := c.Exchange(0)
		assertKind(t, record.NoError, "", r, "it came in time")
		assert.False(t, r.Reusable, "the deadline of the connection was touched")
	})
	t.Run("whatever the error says", func(t *testing.T) {
		m := &memConn{answer: ok13[:20], step: 1 << 10, end: errors.New("boom")}
		c := NewConn(m, mustRequest(t, "http://h/"))
		m.before = func() { c.Expire(0) }
		assertKind(t, record.Timeout, "reading header section: i/o timeout", c.Exchange(0))
	})
	t.Run("another request", func(t *testing.T) {
		m := &memConn{answer: ok13, step: 1 << 10}
		c := NewConn(m, mustRequest(t, "http://h/"))
		m.before = func() { c.Expire(6); c.Expire(8) }
		assert.True(t, c.Exchange(7).Reusable, "late calls do not hit the next exchange")
		c.Expire(7)
		m.before = nil
		assert.True(t, c.Exchange(8).Reusable, "nor is one remembered")
	})
}

func TestClose(t *testing.T) {
	s := serve(t, func(p *peer) { p.head(); p.stuck <- struct{}{}; p.head() })
	c := s.connect(t)
	go func() { <-s.stuck; c.Close() }()
	assertKind(t, record.Closed, "waiting for the response: ", c.Exchange(0))
	assert.NoError(t, c.Close(), "again")
	assert.False(t, c.Idle())
}

// The kinds of errors that only writing can have, without the races of a network.
func TestWriteErrors(t *testing.T) {
	broken := errors.New("broken pipe")
	check := func(want record.Kind, message, answer string, end error, why string) {
		t.Helper()
		m := &memConn{answer: answer, step: 1 << 10, end: end, err: broken}
		assertKind(t, want, message, NewConn(m, mustRequest(t, "http://h/")).Exchange(0), why)
	}
	check(record.Write, "writing the request: broken pipe", "", io.EOF, "no answer to a request that did not go out")
	check(record.NoError, "", ok13, nil, "a response is a response")
	check(record.Truncated, "reading header section", ok13[:30], io.EOF, "what came of it says more")
	check(record.Malformed, "", "SSH-2.0", nil, "what came of it says more")

	m := &memConn{answer: ok13, step: 1 << 10}
	c := NewConn(m, mustRequest(t, "http://h/"))
	require.True(t, c.Exchange(0).Reusable)
	m.answer, m.end, m.err = "", io.EOF, broken
	assertKind(t, record.Closed, "kept-alive connection ended before the first byte", c.Exchange(1), "the server had closed it meanwhile")
}

func TestExchangeAllocates(t *testing.T) {
	check := func(answer string, why string, edit ...func(*Spec)) {
		t.Helper()
		s := serve(t, func(p *peer) {
			r := mustRequest(t, "http://"+p.LocalAddr().String()+"/", edit...)
			in, out := make([]byte, len(r.Bytes())+len(r.Rest())), []byte(answer)
			for {
				if _, err := io.ReadFull(p, in); err != nil {
					return
				}
				p.Write(out)
			}
		})
		c := s.connect(t, edit...)
		n := int64(0)
		assert.Zero(t, testing.AllocsPerRun(200, func() {
			if r := c.Exchange(n); !r.Reusable || !c.Idle() {
				t.Error(r)
			}
			n++
		}), why)
	}
	check(ok13, "a small request")
	check("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n"+strings.Repeat("x", 300000), "a large response")
	check(ok13, "a large request", func(s *Spec) { s.Method, s.Body = "POST", make([]byte, 300000) })
}

// BenchmarkExchange measures an exchange without its system calls.
func BenchmarkExchange(b *testing.B) {
	b.ReportAllocs()
	c := NewConn(&memConn{answer: ok13, step: 1 << 10}, mustRequest(b, "http://h/"))
	for n := int64(0); b.Loop(); n++ {
		c.Exchange(n)
	}
}

// The two benchmarks below read the same 1 MiB bodies; the second does nothing
// else, so it is the limit for the first.
func BenchmarkLargeBody(b *testing.B) {
	c := largeBodies(b).connect(b)
	b.SetBytes(1 << 20)
	for n := int64(0); b.Loop(); n++ {
		if r := c.Exchange(n); r.Body != 1<<20 || !r.Reusable {
			b.Fatal(r)
		}
	}
}

func BenchmarkLargeBodyCopied(b *testing.B) {
	nc, err := largeBodies(b).Dial(b.Context())
	require.NoError(b, err)
	defer nc.Close()
	request := mustRequest(b, "http://h/").Bytes()
	b.SetBytes(1 << 20)
	buf := make([]byte, largeRead)
	for b.Loop() {
		nc.Write(request)
		// Both ends hide from io.CopyBuffer that they could splice.
		io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{io.LimitReader(nc, largeHead+1<<20)}, buf)
	}
}

const largeHead = int64(len("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"))

func largeBodies(b *testing.B) *peerServer {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n" + strings.Repeat("x", 1<<20))
	return serve(b, func(p *peer) {
		for p.head() {
			p.Write(answer)
		}
	})
}
