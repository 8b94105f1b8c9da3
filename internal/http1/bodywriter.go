package http1

import (
	"net"
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
