//go:build unix

package testscripts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
)

// deafServers are servers that do not read requests, or not to the end. Each is called
// for every connection, which is closed when it returns.
var deafServers = map[string]func(net.Conn){
	// It accepts connections and does nothing else.
	"unread": func(c net.Conn) { hold(c) },
	// It answers after the head without reading the body.
	"early": func(c net.Conn) {
		var b [512]byte
		if _, err := c.Read(b[:]); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.CloseWrite() // unread data would make Close send a reset
		}
		_, _ = io.Copy(io.Discard, c)
	},
	// It never accepts: one connection is queued, others get no answer.
	"unaccepted": nil,
	"closes":     func(net.Conn) {},
	// It speaks first, and it does not speak HTTP.
	"speaks": func(c net.Conn) {
		io.WriteString(c, "220 mail.example.com ESMTP\r\n")
		hold(c)
	},
}

// hold keeps a connection open until the server is closed, without reading from it.
func hold(c net.Conn) {
	<-c.(*deafConn).d.ended
}

// A deaf server counts connections, not requests.
type deaf struct {
	l     net.Listener
	serve func(net.Conn)
	ended chan struct{} // closed by Close
	wg    sync.WaitGroup

	mu      sync.Mutex
	taken   int64
	changed chan struct{} // closed and replaced with each connection
}

type deafConn struct {
	*net.TCPConn
	d *deaf
}

func listenDeaf(serve func(net.Conn)) (*deaf, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	if serve == nil {
		if err := shortenQueue(l.(*net.TCPListener)); err != nil {
			l.Close()
			return nil, err
		}
	}
	d := &deaf{l: l, serve: serve, ended: make(chan struct{}), changed: make(chan struct{})}
	if serve != nil {
		d.wg.Go(d.accept)
	}
	return d, nil
}

// shortenQueue leaves room for one connection in the queue of those that l has yet to
// accept: Linux takes one more than the length given to listen(2).
func shortenQueue(l *net.TCPListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), 0) })
	return errors.Join(err, failed)
}

func (d *deaf) accept() {
	for {
		c, err := d.l.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		d.taken++
		close(d.changed)
		d.changed = make(chan struct{})
		d.mu.Unlock()
		conn := &deafConn{c.(*net.TCPConn), d}
		d.wg.Go(func() {
			defer conn.Close()
			d.serve(conn)
		})
		d.wg.Go(func() { // ends a read that is pending when the script ends
			<-d.ended
			conn.Close()
		})
	}
}

// Seen returns 0, because requests are not read.
func (d *deaf) Seen() int64 { return 0 }

func (d *deaf) IDs() []string { return nil }

// Await waits for n connections.
func (d *deaf) Await(ctx context.Context, n int64) error {
	for {
		d.mu.Lock()
		taken, changed := d.taken, d.changed
		d.mu.Unlock()
		if taken >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("awaiting %d connections, %d accepted: %w", n, taken, ctx.Err())
		}
	}
}

func (d *deaf) Close() error {
	close(d.ended)
	err := d.l.Close()
	d.wg.Wait()
	return err
}
