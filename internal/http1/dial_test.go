package http1

import (
	"context"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDialRefused(t *testing.T) {
	// A port that the system never assigns by itself.
	d := Dialer{Addr: "127.0.0.1:1"}
	_, err := d.Dial(t.Context())
	assertKind(t, record.ConnectRefused, "", Response{Err: err})
	assert.ErrorContains(t, err, d.Addr)
}

func TestDialOutOfTime(t *testing.T) {
	s := serve(t, func(p *peer) { p.head() })
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	_, err := s.Dial(ctx)
	assertKind(t, record.ConnectTimeout, "i/o timeout", Response{Err: err})
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = s.Dial(ctx)
	assertKind(t, record.ConnectTimeout, "operation was canceled", Response{Err: err})
}

func TestDialNowhere(t *testing.T) {
	d := Dialer{Addr: "127.0.0.1"}
	_, err := d.Dial(t.Context())
	assertKind(t, record.Connect, "missing port", Response{Err: err})
}

// The deadline of Dial does not apply to the connection.
func TestDialLeavesNoDeadline(t *testing.T) {
	s := serve(t, func(p *peer) { p.head(); p.await(); p.say(ok13) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	nc, err := s.Dial(ctx)
	require.NoError(t, err)
	c := NewConn(nc, mustRequest(t, "http://h/"))
	defer c.Close()
	cancel()
	s.stuck <- struct{}{}
	assert.NoError(t, c.Exchange(0).Err)
}
