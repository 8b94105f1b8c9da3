package http1

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A bodyWriter writes a request too large for one write from a goroutine of its
// own, so that a response that comes early is seen. The goroutine starts with
// the first request and ends when quit is closed. start and stop are for the
// goroutine that reads.
type bodyWriter struct {
	nc         net.Conn
	head, body []byte
	running    bool
	work       chan struct{}
	done       chan written
	quit       chan struct{}
}

// written is what became of one request.
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

// start begins to write head, as it is now, and body.
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

// stop ends the writing that start began, now that reading is over. It returns
// how many octets were handed to the system; err is nil if those were all.
func (w *bodyWriter) stop() (n int64, err error) {
	select {
	case r := <-w.done:
		return r.n, r.err
	default:
	}
	// A peer that answers the last octet can be faster than the goroutine that
	// wrote it: only a Write that still has something to write is stopped.
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
	// largeRead is the size in octets of the buffers that large bodies are read
	// into. Measured on loopback with 1 MiB bodies: four times that gains little.
	largeRead = 64 << 10
	// keepMost is how many large buffers may be held by connections that wait:
	// 16 MiB in all. Chosen.
	keepMost = 256
)

var (
	largeBuffers = sync.Pool{New: func() any { return new([largeRead]byte) }}
	lent         atomic.Int64 // large buffers now held
)

// A loan is a large read buffer, held from when a response comes faster than
// the connection's own buffer takes it to its end. When many are out it is given
// back before each Read that is likely to wait: a thousand slow responses do not
// hold a thousand of them, at the price of more and smaller reads. The zero
// value holds none.
type loan struct{ large *[largeRead]byte }

// next returns the buffer for the next Read, own or a large one, given whether
// the last Read filled its buffer: else what follows has yet to arrive.
func (l *loan) next(own []byte, filled bool) []byte {
	switch {
	case l.large == nil && filled:
		l.large = largeBuffers.Get().(*[largeRead]byte)
		lent.Add(1)
	case l.large == nil:
		return own
	case !filled && lent.Load() > keepMost:
		l.end()
		return own
	}
	return l.large[:]
}

// end gives the buffer back.
func (l *loan) end() {
	if l.large != nil {
		largeBuffers.Put(l.large)
		l.large = nil
		lent.Add(-1)
	}
}
