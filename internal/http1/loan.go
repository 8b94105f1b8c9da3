package http1

import (
	"sync"
	"sync/atomic"
)

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
