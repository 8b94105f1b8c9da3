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

// A memoryConn is one end of a connection in memory that behaves like a TCP
// socket of Linux: what is written waits to be read, up to 64 KiB; an end that
// closes lets the other read what it has written, unless it leaves something
// unread itself, which resets the connection. Safe for concurrent use.
type memoryConn struct {
	mu            *sync.Mutex // both streams'
	in, out       *stream
	local, remote *net.TCPAddr

	// What net/http makes happen once a request must not cost an allocation.
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

// Pending returns how many octets wait to be read, and whether the peer has
// left the connection open. It does not wait.
func (c *memoryConn) Pending() (n int, open bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in.n, !c.in.ended && !c.in.reader.closed
}

// CloseWrite ends what the peer has to read, as net/http does before it closes a
// connection whose client may still be sending.
func (c *memoryConn) CloseWrite() error {
	return c.use("close", func() {
		c.out.ended = true
		c.out.changed.Broadcast()
	})
}

func (c *memoryConn) Close() error {
	return c.use("close", func() {
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
	return c.use("set", func() {
		c.in.setDeadline(&c.in.reader, t)
		c.out.setDeadline(&c.out.writer, t)
	})
}

func (c *memoryConn) SetReadDeadline(t time.Time) error {
	return c.use("set", func() { c.in.setDeadline(&c.in.reader, t) })
}

func (c *memoryConn) SetWriteDeadline(t time.Time) error {
	return c.use("set", func() { c.out.setDeadline(&c.out.writer, t) })
}

// use does f to an open connection, and fails on one that this end has closed.
func (c *memoryConn) use(op string, f func()) error {
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
	addr   *net.TCPAddr // that clients believe to talk to
	dialed atomic.Uint32
	calls  chan net.Conn // the servers' ends of connections being opened
	once   sync.Once
	closed chan struct{}
}

func newMemoryListener(addr *net.TCPAddr) *memoryListener {
	return &memoryListener{addr: addr, calls: make(chan net.Conn), closed: make(chan struct{})}
}

// dial opens a connection: when it returns the server has accepted it.
func (l *memoryListener) dial(ctx context.Context) (net.Conn, error) {
	fail := func(err error) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "memory", Addr: l.addr, Err: err}
	}
	if ctx.Err() != nil { // whoever accepts
		return fail(ctx.Err())
	}
	client, server := newMemoryConns(l.caller(), l.addr)
	select {
	case l.calls <- server:
		return client, nil
	case <-l.closed:
		return fail(syscall.ECONNREFUSED)
	case <-ctx.Done():
		return fail(ctx.Err())
	}
}

// caller returns the address of the next client: another port each time, until
// there are no more that need no privileges.
func (l *memoryListener) caller() *net.TCPAddr {
	const least, ports = 1024, 1<<16 - 1024
	a := *l.addr
	if a.Port = least + int((l.dialed.Add(1)-1)%ports); a.Port == l.addr.Port {
		return l.caller()
	}
	return &a
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.calls:
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
