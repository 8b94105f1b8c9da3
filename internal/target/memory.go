package target

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A memoryConn is one end of a connection in memory that behaves like a TCP socket
// on Linux: up to 64 KiB are buffered in each direction; after one end has closed,
// the other can still read what was written, unless the closed end left something
// unread, which resets the connection. It is safe for concurrent use.
//
// Reads and writes wait on a condition and deadlines are timers, so goroutines
// that use it are durably blocked in the sense of testing/synctest.
type memoryConn struct {
	mu            *sync.Mutex // guards both streams
	in, out       *stream
	local, remote *net.TCPAddr

	// Made in advance, because net/http causes a timeout with every request.
	readTimeout, writeTimeout net.OpError
}

// newMemoryConns returns the two ends of a connection in memory.
func newMemoryConns(client, server *net.TCPAddr) (c, s *memoryConn) {
	all := new(struct {
		mu       sync.Mutex
		up, down stream
		c, s     memoryConn
	})
	all.up.init(&all.mu)
	all.down.init(&all.mu)
	c, s = &all.c, &all.s
	*c = memoryConn{mu: &all.mu, in: &all.down, out: &all.up, local: client, remote: server}
	*s = memoryConn{mu: &all.mu, in: &all.up, out: &all.down, local: server, remote: client}
	for _, e := range []*memoryConn{c, s} {
		e.readTimeout = e.opError("read", os.ErrDeadlineExceeded)
		e.writeTimeout = e.opError("write", os.ErrDeadlineExceeded)
	}
	return c, s
}

func (c *memoryConn) opError(op string, err error) net.OpError {
	return net.OpError{Op: op, Net: "memory", Source: c.local, Addr: c.remote, Err: err}
}

func (c *memoryConn) Read(b []byte) (int, error) {
	n, err := c.in.read(b)
	switch err {
	case nil, io.EOF:
		return n, err
	case os.ErrDeadlineExceeded:
		return n, &c.readTimeout
	}
	e := c.opError("read", err)
	return n, &e
}

func (c *memoryConn) Write(b []byte) (int, error) {
	n, err := c.out.write(b)
	switch err {
	case nil:
		return n, nil
	case os.ErrDeadlineExceeded:
		return n, &c.writeTimeout
	}
	e := c.opError("write", err)
	return n, &e
}

// Pending returns how many octets can be read, and whether the connection is still
// open. It does not wait.
func (c *memoryConn) Pending() (n int, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in.n, !c.in.ended && !c.in.reader.closed
}

// CloseWrite ends the stream that the peer reads. net/http calls it before it
// closes a connection while the client may still be sending.
func (c *memoryConn) CloseWrite() error {
	return c.ifOpen("close", func() {
		c.out.ended = true
		c.out.changed.Broadcast()
	})
}

func (c *memoryConn) Close() error {
	return c.ifOpen("close", func() {
		unread := c.in.n > 0
		switch {
		case unread && c.out.ended:
			c.in.broken = syscall.EPIPE
		case unread:
			c.in.broken = syscall.ECONNRESET
			c.out.reset = true
		}
		c.in.empty()
		c.in.small = nil
		c.out.ended = true
		c.in.close(&c.in.reader)
		c.out.close(&c.out.writer)
	})
}

func (c *memoryConn) LocalAddr() net.Addr  { return c.local }
func (c *memoryConn) RemoteAddr() net.Addr { return c.remote }

func (c *memoryConn) SetDeadline(t time.Time) error {
	return c.ifOpen("set", func() {
		c.in.setDeadline(&c.in.reader, t)
		c.out.setDeadline(&c.out.writer, t)
	})
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	return c.ifOpen("set", func() { c.in.setDeadline(&c.in.reader, t) })
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	return c.ifOpen("set", func() { c.out.setDeadline(&c.out.writer, t) })
}

// ifOpen calls f, or returns an error if this end is closed.
func (c *memoryConn) ifOpen(op string, f func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.in.reader.closed {
		e := c.opError(op, net.ErrClosed)
		return &e
	}
	f()
	return nil
}

// A memoryListener accepts connections in memory.
type memoryListener struct {
	addr    *net.TCPAddr // the server's, as clients see it
	dialed  atomic.Uint32
	pending chan net.Conn // server ends of connections to accept
	once    sync.Once
	closed  chan struct{}
}

func newMemoryListener(addr *net.TCPAddr) *memoryListener {
	return &memoryListener{addr: addr, pending: make(chan net.Conn), closed: make(chan struct{})}
}

// dial opens a connection. When it returns, the server has accepted it.
func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.addr, Err: err}
	}
	if ctx.Err() != nil { // even if a server is accepting
		return fail(ctx.Err())
	}
	client, server := newMemoryConns(l.nextClient(), l.addr)
	select {
	case l.pending <- server:
		return client, nil
	case <-l.closed:
		return fail(syscall.ECONNREFUSED)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

// nextClient returns the address of the next client. Its port is a different one
// each time, until all unprivileged ports have been used.
func (l *memoryListener) nextClient() *net.TCPAddr {
	const first, ports = 1024, 1<<16 - 1024
	a := *l.addr
	if a.Port = first + int((l.dialed.Add(1)-1)%ports); a.Port == l.addr.Port {
		return l.nextClient()
	}
	return &a
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.pending:
		return c, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "memory", Addr: l.addr, Err: net.ErrClosed}
	}
}

func (l *memoryListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *memoryListener) Addr() net.Addr { return l.addr }
