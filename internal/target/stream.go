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
	// smallRing is what a stream holds of its own, in octets. Chosen: a common
	// request or a small response fits, and 5,000 connections take 10 MB.
	smallRing = 1 << 10
	// largeRing is the most that waits in a stream to be read, in octets.
	// Chosen: it is what the wire reads large bodies with.
	largeRing = 64 << 10
)

// largeRings are lent to streams in which more than smallRing waits.
var largeRings = sync.Pool{New: func() any { return new([largeRing]byte) }}

// A stream is one direction of a connection in memory: octets that one end has
// written and the other has yet to read, and how far the ends are done with it.
type stream struct {
	mu      *sync.Mutex // of the connection; guards the rest
	changed sync.Cond   // something below has
	writing bool        // a write is in progress: the next waits, so that none comes in between

	small    []byte           // made when first needed
	large    *[largeRing]byte // lent; nil if what waits fits into small
	start, n int              // what waits begins at start of the ring, n octets, and may wrap around

	reader, writer side
	ended          bool          // nothing follows what waits
	reset          bool          // and that is no orderly end
	broken         syscall.Errno // what writes fail with, now that the reader is gone; 0 means not yet
}

// A side is what one end wants of a stream.
type side struct {
	closed bool
	at     time.Time   // the deadline; zero means none
	passed bool        // and it has
	timer  *time.Timer // made when first needed
}

func (s *stream) init(mu *sync.Mutex) { s.mu, s.changed.L = mu, mu }

// read waits for octets and takes them, as many as fit into b.
func (s *stream) read(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; ; s.changed.Wait() {
		switch {
		case s.reader.closed:
			return 0, net.ErrClosed
		case len(b) == 0:
			return 0, nil
		case s.reader.passed:
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

// write puts all of b in, and waits for room where there is none.
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
		case s.writer.passed:
			return n, os.ErrDeadlineExceeded
		case s.ended:
			return n, syscall.EPIPE
		case s.reader.closed && s.broken != 0:
			return n, s.broken
		case s.reader.closed:
			// A socket learns that its peer is gone from the answer to what
			// it sends there, which is lost.
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

// ring is what holds the octets that wait.
func (s *stream) ring() []byte {
	if s.large != nil {
		return s.large[:]
	}
	return s.small
}

// put adds octets of b and returns how many there was room for.
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

// grow makes room for more octets, if there may be more room.
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

// take moves octets that wait to b and returns how many.
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

// empty throws away what waits.
func (s *stream) empty() {
	if s.large != nil {
		largeRings.Put(s.large)
		s.large = nil
	}
	s.start, s.n = 0, 0
}

// setDeadline gives e, one of the two sides, a deadline; the zero time is none.
func (s *stream) setDeadline(e *side, t time.Time) {
	e.at, e.passed = t, false
	e.stop()
	if t.IsZero() {
		return
	}
	switch left := time.Until(t); {
	case left <= 0:
		e.passed = true
		s.changed.Broadcast()
	case e.timer == nil:
		e.timer = time.AfterFunc(left, func() { s.expire(e) })
	default:
		e.timer.Reset(left)
	}
}

// expire is called by e's timer, which may have been set anew meanwhile.
func (s *stream) expire(e *side) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.closed || e.at.IsZero() {
		return
	}
	if left := time.Until(e.at); left > 0 {
		e.timer.Reset(left)
		return
	}
	e.passed = true
	s.changed.Broadcast()
}

// stop stops the timer, if there is one.
func (e *side) stop() {
	if e.timer != nil {
		e.timer.Stop()
	}
}

// close is the end of all use of e.
func (s *stream) close(e *side) {
	e.closed = true
	e.stop()
	s.changed.Broadcast()
}
