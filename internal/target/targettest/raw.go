// Package targettest provides targets for tests of load: a handler with answers of
// every kind, a raw server with a way to wait for requests and to misbehave, a
// server that accepts nothing, and a port for a server that restarts. Only tests
// import it.
package targettest

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/loadtestkit/load-tester/internal/target"
)

// A Raw is a [target.Raw] with a way to wait for requests.
type Raw struct {
	*target.Raw
	counter counter
}

// ListenRaw starts a server as [target.ListenRaw] does. The caller must close it.
func ListenRaw(addr string, opts target.RawOptions) (*Raw, error) {
	r := new(Raw)
	behave := opts.Behave
	if behave == nil {
		behave = func(_ int64, c *target.RawConn) { c.Answer(200) }
	}
	opts.Behave = func(n int64, c *target.RawConn) {
		r.counter.add()
		behave(n, c)
	}
	var err error
	r.Raw, err = target.ListenRaw(addr, opts)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Await blocks until Behave has been called for n requests, or ctx ends: then its
// error says for how many it was.
func (r *Raw) Await(ctx context.Context, n int64) error { return r.counter.await(ctx, n) }

// Hold sends no answer. It returns when the client ends the connection or the
// server is closed.
func Hold(c *target.RawConn) {
	_, _ = io.Copy(io.Discard, c.Conn)
	c.Close()
}

// Reset ends the connection with a reset, which may destroy what was written.
func Reset(c *target.RawConn) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.Close()
}

// A counter counts requests and lets tests wait for them. The zero value is
// ready. It is safe for concurrent use.
type counter struct {
	mu    sync.Mutex
	n     int64
	waits []wait
}

// A wait ends when n requests have been counted.
type wait struct {
	n    int64
	over chan struct{}
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.wake()
}

// wake ends the waits that are over. The caller holds the lock.
func (c *counter) wake() {
	kept := c.waits[:0]
	for _, w := range c.waits {
		if c.n >= w.n {
			close(w.over)
		} else {
			kept = append(kept, w)
		}
	}
	c.waits = kept
}

func (c *counter) count() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// await blocks until n requests have been counted. Its error says how many were.
func (c *counter) await(ctx context.Context, n int64) error {
	w := wait{n, make(chan struct{})}
	c.mu.Lock()
	c.waits = append(c.waits, w)
	c.wake()
	c.mu.Unlock()
	select {
	case <-w.over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("awaiting %d requests, %d seen: %w", n, c.count(), ctx.Err())
	}
}
