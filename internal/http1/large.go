package http1

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A bodyWriter writes requests that are too large for one write from its own
// goroutine, so that an early response is read meanwhile. The goroutine starts
// with the first request and ends when quit is closed. start and stop are called
// by the goroutine that reads the response.
type bodyWriter struct {
	nc         net.Conn
	head, body []byte
	running    bool
	work       chan struct{}
	done       chan written
	quit       chan struct{}
}

// written is the result of writing one request.
type written struct {
	n   int64 // octets handed to the system
	err error
}

func newBodyWriter(nc net.Conn, head, body []byte) *bodyWriter {
	return &bodyWriter{
		nc: nc, head: head, body: body,
		work: make(chan struct{}, 1),
		done: make(chan written, 1),
		quit: make(chan struct{}),
	}
}

// start begins to write head, in its current state, and body.
func (w *bodyWriter) start() {
	if !w.running {
		w.running = true
		go w.run()
	}
	w.work <- struct{}{}
}

func (w *bodyWriter) run() {
	for {
		select {
		case <-w.quit:
			return
		case <-w.work:
			w.done <- w.write()
		}
	}
}

func (w *bodyWriter) write() written {
	n, err := w.nc.Write(w.head)
	if err != nil {
		return written{int64(n), err}
	}
	m, err := w.nc.Write(w.body)
	return written{int64(n) + int64(m), err}
}

// stop ends the write that start began, once the response has been read. It
// returns how many octets were handed to the system; err is nil if that is the
// whole request.
func (w *bodyWriter) stop() (n int64, err error) {
	select {
	case r := <-w.done:
		return r.n, r.err
	default:
	}
	// The response may arrive before the goroutine that wrote the last octet
	// returns from Write. A Write with nothing left to write ignores this.
	w.nc.SetWriteDeadline(past)
	select {
	case r := <-w.done:
		if r.err == nil {
			w.nc.SetWriteDeadline(time.Time{})
		}
		return r.n, r.err
	case <-w.quit:
		return 0, net.ErrClosed
	}
}

const (
	// largeRead is the size in octets of the buffers for large bodies. Measured
	// on loopback with 1 MiB bodies: four times as much gains little.
	largeRead = 64 << 10
	// maxIdleLent is how many large buffers waiting connections may hold:
	// 16 MiB in all.
	maxIdleLent = 256
)

var (
	largeBuffers = sync.Pool{New: func() any { return new([largeRead]byte) }}
	lent         atomic.Int64 // large buffers in use
)

// A loan is a large read buffer. A connection takes one when a response comes
// faster than its own buffer holds, and keeps it to the end of the response. When
// many are lent, it is returned before each Read that is likely to wait, so that
// a thousand slow responses do not hold a thousand of them; the price is more
// and smaller reads. The zero value holds none.
type loan struct{ large *[largeRead]byte }

// next returns the buffer for the next Read: own or a large one. filled reports
// whether the last Read filled its buffer; if not, the next one will wait.
func (l *loan) next(own []byte, filled bool) []byte {
	switch {
	case l.large == nil && filled:
		l.large = largeBuffers.Get().(*[largeRead]byte)
		lent.Add(1)
	case l.large == nil:
		return own
	case !filled && lent.Load() > maxIdleLent:
		l.end()
		return own
	}
	return l.large[:]
}

// end returns the buffer.
func (l *loan) end() {
	if l.large != nil {
		largeBuffers.Put(l.large)
		l.large = nil
		lent.Add(-1)
	}
}
