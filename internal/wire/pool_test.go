package wire

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A connection that was opened ahead and that the server has closed since is
// replaced, like any other that was idle.
func TestConnectionAheadIsChecked(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the socket cannot be looked at")
	}
	t.Run("event loop", func(t *testing.T) { testConnectionAhead(t, sendByMux) })
	t.Run("goroutine", func(t *testing.T) { testConnectionAhead(t, sendByGoroutine) })
}

func testConnectionAhead(t *testing.T, send func(t *testing.T, p *Pool, opened func()) record.Result) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	opened, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); assert.NoError(t, err) {
			<-opened
			c.Close()
		}
		c, err := l.Accept()
		if assert.NoError(t, err) {
			c.Read(make([]byte, 1<<10))
			c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"))
			c.Close()
		}
	}()
	request, err := http1.NewRequest(http1.Spec{URL: "http://" + l.Addr().String(), Run: "test"})
	require.NoError(t, err)
	p := New(Options{Request: request, Dialer: http1.Dialer{Addr: l.Addr().String()}, Timeout: time.Minute})
	r := send(t, p, func() { close(opened) })
	assert.NoError(t, r.Err)
	assert.Equal(t, 200, r.Status)
	assert.Equal(t, int64(2), p.opened.Load())
	<-done
}

// sendByGoroutine opens a connection ahead, calls opened, waits until the
// connection has ended, and then sends a request.
func sendByGoroutine(t *testing.T, p *Pool, opened func()) record.Result {
	s := &connSender{Pool: p}
	defer s.drop()
	s.Connect(context.Background())
	require.NotNil(t, s.conn)
	opened()
	for s.conn.Idle() {
		runtime.Gosched()
	}
	return s.Send(0, 0)
}

// sendByMux does the same with an event loop, if the system has one.
func sendByMux(t *testing.T, p *Pool, opened func()) (r record.Result) {
	m, err := p.NewMux(1, 1, false)
	require.NoError(t, err)
	if m == nil {
		return sendByGoroutine(t, p, opened)
	}
	defer m.Close()
	m.Connect(context.Background(), 1)
	opened()
	assert.False(t, m.Wait(time.Minute, nil), "the connection has ended, not the minute")
	m.Start(0, 0)
	for reported := false; !reported; {
		m.Wait(time.Minute, func(_ int, got *record.Result) { r, reported = *got, true })
	}
	return r
}

func TestPauses(t *testing.T) {
	for failures, most := range map[int]time.Duration{
		1: 10 * time.Millisecond, 2: 20 * time.Millisecond, 5: 160 * time.Millisecond, 7: 500 * time.Millisecond,
		1000: 500 * time.Millisecond,
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := pauseFor(failures)
			assert.LessOrEqual(t, d, most)
			assert.GreaterOrEqual(t, d, most/2)
			seen[d] = true
		}
		assert.Greater(t, len(seen), 50, "permits do not retry in step")
	}
}
