package targettest

import (
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

func listenRaw(t *testing.T, opts target.RawOptions) *Raw {
	t.Helper()
	r, err := ListenRaw("127.0.0.1:0", opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

// send opens a connection and sends a request on it.
func send(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = io.WriteString(c, "GET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	return c
}

func TestAwait(t *testing.T) {
	r := listenRaw(t, target.RawOptions{})
	require.NoError(t, r.Await(t.Context(), 0))
	reached := make(chan error)
	go func() { reached <- r.Await(t.Context(), 3) }()
	ctx, cancel := context.WithCancel(t.Context())
	c := client(t)
	for range 3 {
		status, _, err := get(c, r.URL)
		require.NoError(t, err)
		assert.Equal(t, 200, status)
	}
	assert.NoError(t, <-reached)
	cancel()
	assert.ErrorContains(t, r.Await(ctx, 4), "awaiting 4 requests, 3 seen: context canceled")
	assert.NoError(t, r.Await(t.Context(), 3), "already seen")
}

func TestHoldManyAndClose(t *testing.T) {
	r := listenRaw(t, target.RawOptions{Behave: func(_ int64, c *target.RawConn) { Hold(c) }})
	const many = 200
	for range many {
		send(t, r.Addr)
	}
	require.NoError(t, r.Await(t.Context(), many))
	assert.NoError(t, r.Close())
	assert.EqualValues(t, many, r.Seen())
	assert.Zero(t, r.Served())
	assert.NoError(t, r.Close(), "again")
}

func TestReset(t *testing.T) {
	r := listenRaw(t, target.RawOptions{Behave: func(_ int64, c *target.RawConn) { Reset(c) }})
	for range 2 {
		_, err := send(t, r.Addr).Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ECONNRESET)
	}
}

// Other tests restart a server in this way during a run.
func TestListenAgainOnAHeldPort(t *testing.T) {
	p, err := HoldPort()
	require.NoError(t, err)
	defer p.Release()
	addr := fmt.Sprintf("127.0.0.1:%d", p.Number)
	for range 2 {
		r, err := ListenRaw(addr, target.RawOptions{})
		require.NoError(t, err)
		_, _, err = get(client(t), r.URL)
		assert.NoError(t, err)
		require.NoError(t, r.Close())
		_, _, err = get(client(t), r.URL)
		assert.ErrorContains(t, err, "refused")
	}
}

func TestListenRawRefuses(t *testing.T) {
	_, err := ListenRaw("127.0.0.1:0", target.RawOptions{Log: -1})
	assert.ErrorContains(t, err, "Log -1 must not be negative")
}
