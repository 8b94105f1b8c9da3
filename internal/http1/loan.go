package http1

import "sync"

// largeRead is the size in octets of the buffers that large bodies are read
// into. Measured on loopback with 1 MiB bodies, larger ones gain nothing.
const largeRead = 64 << 10

var largeBuffers = sync.Pool{New: func() any { return new([largeRead]byte) }}

// A loan is a large read buffer held while a response comes faster than the
// connection's own buffer takes it. It is given back before a Read that is
// likely to wait, so that a thousand slow responses do not hold a thousand of
// them. The zero value holds none.
type loan struct{ large *[largeRead]byte }

// next returns the buffer for the next Read, own or a large one, given whether
// the last Read filled its buffer.
func (l *loan) next(own []byte, filled bool) []byte {
	switch {
	case !filled:
		l.end()
		return own
	case l.large == nil:
		l.large = largeBuffers.Get().(*[largeRead]byte)
	}
	return l.large[:]
}

// end gives the buffer back.
func (l *loan) end() {
	if l.large != nil {
		largeBuffers.Put(l.large)
		l.large = nil
	}
}
