package engine

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// A connection that was opened ahead, and that the server has closed since, is
// replaced like any other that has idled.
func TestConnectionAheadIsLookedAt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := l.Accept(); assert.NoError(t, err) {
			c.Close()
		}
		c, err := l.Accept()
		if assert.NoError(t, err) {
			c.Read(make([]byte, 1<<10))
			c.Write([]byte(ok3))
			c.Close()
		}
	}()
	request, err := http1.NewRequest(http1.Spec{URL: "http://" + l.Addr().String(), Run: "test"})
	require.NoError(t, err)
	s := &wireSender{wire: &wire{
		request: request, dialer: http1.Dialer{Addr: l.Addr().String()}, timeout: time.Minute, dials: make(chan struct{}, 1),
	}}
	defer s.drop()
	s.Connect(context.Background())
	require.NotNil(t, s.conn)
	for s.conn.Idle() {
		runtime.Gosched() // until its end has arrived
	}
	r := s.Send(0, 0)
	assert.NoError(t, r.Err)
	assert.Equal(t, 200, r.Status)
	assert.Equal(t, int64(2), s.opened.Load())
	<-done
}

func TestPauses(t *testing.T) {
	for failures, most := range map[int]time.Duration{
		1: 10 * time.Millisecond, 2: 20 * time.Millisecond, 5: 160 * time.Millisecond, 7: 500 * time.Millisecond,
		1000: 500 * time.Millisecond,
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			d := pauseAfter(failures)
			assert.LessOrEqual(t, d, most)
			assert.GreaterOrEqual(t, d, most/2)
			seen[d] = true
		}
		assert.Greater(t, len(seen), 50, "permits do not come back in step")
	}
}
