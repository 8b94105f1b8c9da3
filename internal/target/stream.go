package target

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// smallRing is the size of a stream's own buffer in octets. A typical request
	// or small response fits, and 5,000 connections take 10 MB.
	smallRing = 1 << 10
	// largeRing is how many octets a stream buffers at most. The client reads
	// large bodies in pieces of this size.
	largeRing = 64 << 10
)

// largeRings are lent to streams that buffer more than smallRing.
var largeRings = sync.Pool{New: func() any { return new([largeRing]byte) }}

// A stream is one direction of a connection in memory: the octets that one end has
// written and the other has not read, and the state of both ends.
type stream struct {
	mu      *sync.Mutex // of the connection; guards the rest
	changed sync.Cond   // signals any change of the fields below
	writing bool        // a write is in progress; others wait, so that their octets do not mix

	small    []byte           // made when first needed
	large    *[largeRing]byte // lent; nil if the buffered octets fit into small
	start, n int              // n octets are buffered from start of the ring, and may wrap around

	reader, writer side
	ended          bool          // nothing follows the buffered octets
	reset          bool          // ended by a reset
	broken         syscall.Errno // the error of writes, now that the reader is gone; 0 means not yet
}

// A side is the state of one end of a stream.
type side struct {
	closed   bool
	deadline time.Time   // zero means none
	expired  bool        // the deadline has passed
	timer    *time.Timer // made when first needed
}

func (s *stream) init(mu *sync.Mutex) { s.mu, s.changed.L = mu, mu }

// read waits for octets and takes as many as fit into b.
func (s *stream) read(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; ; s.changed.Wait() {
		switch {
		case s.reader.closed:
			return 0, net.ErrClosed
		case len(b) == 0:
			return 0, nil
		case s.reader.expired:
			return 0, os.ErrDeadlineExceeded
		case s.n > 0:
			n = s.take(b)
			s.changed.Broadcast()
			return n, nil
		case s.reset:
			return 0, syscall.ECONNRESET
		case s.ended:
			return 0, io.EOF
		}
	}
}

// write adds all of b and waits for room when the buffer is full.
func (s *stream) write(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing {
		s.changed.Wait()
	}
	s.writing = true
	defer func() { s.writing = false; s.changed.Broadcast() }()
	for ; ; s.changed.Wait() {
		switch {
		case s.writer.closed:
			return n, net.ErrClosed
		case s.writer.expired:
			return n, os.ErrDeadlineExceeded
		case s.ended:
			return n, syscall.EPIPE
		case s.reader.closed && s.broken != 0:
			return n, s.broken
		case s.reader.closed:
			// A socket learns that its peer is gone only from the answer to
			// what it sends, so the first octets are lost without an error.
			s.broken = syscall.EPIPE
			lost := min(len(b)-n, largeRing)
			if n += lost; n < len(b) {
				return n, s.broken
			}
			return n, nil
		}
		if n += s.put(b[n:]); n == len(b) {
			return n, nil
		}
		s.changed.Broadcast()
	}
}

// ring returns the current buffer.
func (s *stream) ring() []byte {
	if s.large != nil {
		return s.large[:]
	}
	return s.small
}

// put adds as many octets of b as there is room for and returns how many.
func (s *stream) put(b []byte) (n int) {
	s.grow(len(b))
	ring := s.ring()
	n = min(len(b), len(ring)-s.n)
	end := s.start + s.n
	if end >= len(ring) {
		end -= len(ring)
	}
	m := copy(ring[end:], b[:n])
	copy(ring, b[m:n])
	s.n += n
	return n
}

// grow makes room for more octets, up to largeRing in all.
func (s *stream) grow(more int) {
	switch need := s.n + more; {
	case s.large != nil:
	case need > smallRing:
		large := largeRings.Get().(*[largeRing]byte)
		m := copy(large[:s.n], s.small[min(s.start, len(s.small)):])
		copy(large[m:s.n], s.small)
		s.large, s.start = large, 0
	case s.small == nil && need > 0:
		s.small = make([]byte, smallRing)
	}
}

// take moves buffered octets to b and returns how many.
func (s *stream) take(b []byte) (n int) {
	ring := s.ring()
	n = min(len(b), s.n)
	m := copy(b[:n], ring[s.start:])
	copy(b[m:n], ring)
	s.n -= n
	if s.start += n; s.start >= len(ring) {
		s.start -= len(ring)
	}
	if s.n == 0 {
		s.empty()
	}
	return n
}

// empty drops the buffered octets.
func (s *stream) empty() {
	if s.large != nil {
		largeRings.Put(s.large)
		s.large = nil
	}
	s.start, s.n = 0, 0
}

// setDeadline sets the deadline of e, one of the two sides; zero means none.
func (s *stream) setDeadline(e *side, t time.Time) {
	e.deadline, e.expired = t, false
	e.stop()
	if t.IsZero() {
		return
	}
	switch left := time.Until(t); {
	case left <= 0:
		e.expired = true
		s.changed.Broadcast()
	case e.timer == nil:
		e.timer = time.AfterFunc(left, func() { s.expire(e) })
	default:
		e.timer.Reset(left)
	}
}

// expire is called by e's timer. The deadline may have changed since it fired.
func (s *stream) expire(e *side) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.closed || e.deadline.IsZero() {
		return
	}
	if left := time.Until(e.deadline); left > 0 {
		e.timer.Reset(left)
		return
	}
	e.expired = true
	s.changed.Broadcast()
}

// stop stops the timer, if there is one.
func (e *side) stop() {
	if e.timer != nil {
		e.timer.Stop()
	}
}

// close closes e, one of the two sides.
func (s *stream) close(e *side) {
	e.closed = true
	e.stop()
	s.changed.Broadcast()
}
