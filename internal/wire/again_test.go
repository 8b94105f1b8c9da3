package wire

import (
	"bytes"
	"context"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// A sending sends requests one after the other, over connections of one pool.
type sending struct {
	send   func(n int64) record.Result
	expire func(n int64) // may be called while send runs
}

// onBothPaths runs f with an event loop, if the system has one, and with goroutines.
func onBothPaths(t *testing.T, f func(t *testing.T, start func(*Pool) sending)) {
	t.Run("event loop", func(t *testing.T) {
		if runtime.GOOS != "linux" {
			t.Skip("there is no event loop on this system")
		}
		f(t, func(p *Pool) sending {
			m, err := p.NewMux(1, 1, false)
			require.NoError(t, err)
			require.NotNil(t, m)
			t.Cleanup(m.Close)
			expired := make(chan struct{}, 1)
			return sending{
				send: func(n int64) (r record.Result) {
					m.Start(0, n)
					for reported := false; !reported; {
						m.Wait(time.Minute, func(_ int, got *record.Result) { r, reported = *got, true })
						select {
						case <-expired:
							m.Expire(0)
						default:
						}
					}
					return r
				},
				expire: func(int64) { expired <- struct{}{}; m.Wake() },
			}
		})
	})
	t.Run("goroutine", func(t *testing.T) {
		f(t, func(p *Pool) sending {
			s := p.NewSender().(*connSender)
			t.Cleanup(func() { s.Close(); p.Close() })
			return sending{
				send:   func(n int64) record.Result { return s.Send(n, time.Millisecond) },
				expire: s.Expire,
			}
		})
	})
}

// reset makes c end with a reset.
func reset(c *target.RawConn) {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// A request that meets a kept connection that the server is closing is sent once more,
// on a new connection, if that cannot do harm. The server closes it when request 1
// arrives, which is as if it had closed it just before.
func TestWhatIsSentAgain(t *testing.T) {
	closes := func(c *target.RawConn) { c.Close() }
	writes := func(s string) func(*target.RawConn) {
		return func(c *target.RawConn) { io.WriteString(c, s); c.Close() }
	}
	large := bytes.Repeat([]byte("x"), 100<<10)
	for _, c := range []struct {
		name    string
		spec    http1.Spec
		end     func(*target.RawConn) // ends the connection when a request meets it
		noRetry bool
		first   bool // even of the first request
		times   int  // how often it ends one
		again   bool
		kind    record.Kind
		seen    int64 // requests that the server saw
	}{
		{name: "GET", end: closes, times: 1, again: true, seen: 3},
		{name: "reset", end: reset, times: 1, again: true, seen: 3},
		{name: "HEAD", spec: http1.Spec{Method: "HEAD"}, end: closes, times: 1, again: true, seen: 3},
		{name: "OPTIONS", spec: http1.Spec{Method: "OPTIONS"}, end: closes, times: 1, again: true, seen: 3},
		{name: "TRACE", spec: http1.Spec{Method: "TRACE"}, end: closes, times: 1, again: true, seen: 3},
		{name: "DELETE", spec: http1.Spec{Method: "DELETE"}, end: reset, times: 1, again: true, seen: 3},
		{name: "PUT", spec: http1.Spec{Method: "PUT", Body: []byte("x")}, end: closes, times: 1, again: true, seen: 3},
		{name: "large PUT", spec: http1.Spec{Method: "PUT", Body: large}, end: closes, times: 1, again: true, seen: 3},
		{name: "only once", end: closes, times: 2, again: true, kind: record.Closed, seen: 3},
		{name: "POST", spec: http1.Spec{Method: "POST"}, end: closes, times: 1, kind: record.Closed, seen: 2},
		{name: "PATCH", spec: http1.Spec{Method: "PATCH"}, end: reset, times: 1, kind: record.Reset, seen: 2},
		{name: "unknown method", spec: http1.Spec{Method: "get"}, end: closes, times: 1, kind: record.Closed, seen: 2},
		{name: "switched off", end: closes, noRetry: true, times: 1, kind: record.Closed, seen: 2},
		{name: "after an octet", end: writes("H"), times: 1, kind: record.Truncated, seen: 2},
		{name: "after an empty line", end: writes("\r\n"), times: 1, kind: record.Truncated, seen: 2},
		{name: "after an interim response", end: writes("HTTP/1.1 103 Early Hints\r\n\r\n"), times: 1, kind: record.Truncated, seen: 2},
		{name: "on a new connection", end: closes, first: true, times: 1, kind: record.Closed, seen: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBothPaths(t, func(t *testing.T, start func(*Pool) sending) {
				s, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Log: 10, Behave: func(n int64, conn *target.RawConn) {
					if first := int64(1); c.first && n == 0 || !c.first && first <= n && n < first+int64(c.times) {
						c.end(conn)
						return
					}
					conn.Answer(200)
				}})
				require.NoError(t, err)
				t.Cleanup(func() { s.Close() })
				c.spec.URL, c.spec.Run = s.URL, "test"
				request, err := http1.NewRequest(c.spec)
				require.NoError(t, err)
				to := start(New(Options{Request: request, Dialer: http1.Dialer{Addr: s.Addr}, Timeout: time.Minute, NoRetry: c.noRetry}))
				r := to.send(0)
				if !c.first {
					require.NoError(t, r.Err)
					require.False(t, r.SentAgain)
					octets := r.Octets.Sent
					r = to.send(1)
					if c.again && c.spec.Body == nil { // of a body, the server may not have taken all
						assert.Equal(t, 2*octets, r.Octets.Sent, "both are counted")
					}
				}
				assert.Equal(t, c.kind.String(), r.Kind.String(), "%v", r.Err)
				assert.Equal(t, c.again, r.SentAgain)
				assert.Equal(t, c.again || c.kind != record.Truncated && !c.first, r.Stale > 0)
				assert.Equal(t, c.kind == record.NoError, r.Status == 200)
				assert.Equal(t, c.seen, s.Seen())
				if c.again {
					ids := s.Arrivals()
					assert.Equal(t, "test-000000000001", ids[1].ID)
					assert.Equal(t, ids[1].ID, ids[2].ID, "it is the same request")
				}
				assert.NoError(t, to.send(2).Err, "the next one is not affected")
			})
		})
	}
}

// A request that timed out is not sent again: the server may have processed it. On a
// connection that answered before, the timeout is no sign that the server serves too
// few.
func TestATimeoutIsNotSentAgain(t *testing.T) {
	onBothPaths(t, func(t *testing.T, start func(*Pool) sending) {
		arrived, over := make(chan int64), make(chan struct{})
		defer close(over)
		s := raw(t, func(n int64, c *target.RawConn) {
			if n == 1 {
				c.Answer(200)
				return
			}
			arrived <- n
			<-over
		})
		to := start(poolTo(t, s.Addr))
		timeOut := func(n int64) record.Result {
			go func() { <-arrived; to.expire(n) }()
			return to.send(n)
		}
		r := timeOut(0)
		assert.Equal(t, record.Timeout.String(), r.Kind.String())
		assert.True(t, r.Unanswered)
		require.NoError(t, to.send(1).Err)
		r = timeOut(2)
		assert.Equal(t, record.Timeout.String(), r.Kind.String())
		assert.False(t, r.SentAgain)
		assert.Zero(t, r.Stale)
		assert.False(t, r.Unanswered, "the connection was answered on before")
		assert.True(t, r.Disconnected)
	})
}

// If the server says when it closes idle connections, those that have been idle for
// nearly as long are replaced before they are used, even for a POST.
func TestKeepAliveTimeoutIsHonoured(t *testing.T) {
	answer := func(field string) func(int64, *target.RawConn) {
		return func(_ int64, c *target.RawConn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+field+"\r\nContent-Length: 0\r\n\r\n")
		}
	}
	check := func(field string, idle time.Duration, opened int64) {
		t.Helper()
		s := raw(t, answer(field))
		p := poolTo(t, s.Addr)
		c := &connSender{Pool: p}
		require.NoError(t, sendTwice(c, idle))
		assert.Equal(t, opened, p.Opened(), "goroutine, %s", field)
		c.drop()
		p.Close()
	}
	check("X: y", time.Hour, 1)
	check("Keep-Alive: timeout=5", 3*time.Second, 1)
	check("Keep-Alive: timeout=5", 4500*time.Millisecond, 2)
	check("Keep-Alive: timeout=5, max=1", 0, 1)
	check("Keep-Alive: timeout=5, max=0", 0, 2)
}

func sendTwice(s *connSender, idle time.Duration) error {
	if r := s.Send(0, 0); r.Err != nil {
		return r.Err
	}
	return s.Send(1, idle).Err
}

// While a connection is being opened for a request, another may fall idle: then the
// request goes there, and the new one is used when it is needed.
func TestSenderTakesAConnectionThatFallsIdle(t *testing.T) {
	request, err := http1.NewRequest(http1.Spec{URL: "http://127.0.0.1:1", Run: "test"})
	require.NoError(t, err)
	open := make(chan net.Conn)
	p := New(Options{Request: request, Timeout: time.Minute, Dialer: http1.Dialer{Addr: "127.0.0.1:1", Connect: func(ctx context.Context) (net.Conn, error) {
		select {
		case c := <-open:
			return c, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}})
	ask := func(c net.Conn) {
		t.Helper()
		head := make([]byte, 1<<10)
		_, err := c.Read(head)
		require.NoError(t, err)
		assert.Contains(t, string(head), "GET / ")
	}
	answer := func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") }
	send := func(s load.Sender, n int64) <-chan record.Result {
		done := make(chan record.Result, 1)
		go func() { done <- s.Send(n, 0) }()
		return done
	}
	ours, first := net.Pipe()
	a, b := p.NewSender(), p.NewSender()
	doneA := send(a, 0)
	open <- ours
	ask(first)
	doneB := send(b, 1)
	require.Eventually(t, func() bool { return len(p.dials) == 1 }, time.Minute, time.Millisecond, "b connects")
	for n := int64(2); ; n++ { // until b waits for an offer as well
		answer(first)
		r := <-doneA
		require.NoError(t, r.Err)
		if r.Disconnected {
			break
		}
		doneA = send(a, n)
		ask(first)
	}
	ask(first)
	answer(first)
	r := <-doneB
	require.NoError(t, r.Err, "on a's connection")
	assert.False(t, r.Disconnected)

	ours, second := net.Pipe()
	open <- ours // the dial that nothing waits for now
	require.Eventually(t, func() bool {
		p.queue.Lock()
		defer p.queue.Unlock()
		return len(p.spare) == 1
	}, time.Minute, time.Millisecond)
	doneA = send(a, 1000)
	ask(second)
	answer(second)
	require.NoError(t, (<-doneA).Err, "without opening another")

	c := p.NewSender()
	doneC := send(c, 1001) // will be offered nothing
	require.Eventually(t, func() bool { return len(p.dials) == 1 }, time.Minute, time.Millisecond)
	for expired := false; !expired; {
		c.Expire(1001)
		select {
		case r := <-doneC:
			expired = true
			assert.Equal(t, record.ConnectTimeout.String(), r.Kind.String())
		default:
		}
	}
	for _, s := range []load.Sender{a, b, c} {
		s.Close()
	}
	p.Close()
	for _, end := range []net.Conn{first, second} {
		_, err := end.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF, "nothing is left open")
	}
}
