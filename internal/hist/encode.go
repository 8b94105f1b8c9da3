package hist

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"time"
)

// encoding is the version of the encoding, and its first octet.
const encoding = 1

// maxEncoded bounds the octets that UnmarshalText unpacks. A series of 128 intervals
// with a thousand buckets each takes less than a hundredth of that.
const maxEncoded = 64 << 20

// MarshalText encodes h as text: version, bits, count, least and greatest value, sum,
// then each bucket that is not empty as its distance from the one before and its
// count; compressed (RFC 1951) and in base64.
func (h *Histogram) MarshalText() ([]byte, error) {
	return pack(h.append([]byte{encoding})), nil
}

// UnmarshalText sets h to the histogram that MarshalText encoded. If text is not the
// encoding of a histogram, it returns an error and leaves h unchanged.
func (h *Histogram) UnmarshalText(text []byte) error {
	d, err := unpack(text)
	if err != nil {
		return fmt.Errorf("reading a histogram: %w", err)
	}
	read := d.histogram()
	if err := d.end(); err != nil {
		return fmt.Errorf("reading a histogram: %w", err)
	}
	*h = *read
	return nil
}

// MarshalText encodes s as text, in the way of [Histogram.MarshalText].
func (s *Series) MarshalText() ([]byte, error) {
	b := []byte{encoding}
	b = binary.AppendUvarint(b, uint64(len(s.thresholds)))
	for _, t := range s.thresholds {
		b = binary.AppendUvarint(b, uint64(t))
	}
	b = binary.AppendUvarint(b, uint64(s.doublings))
	b = binary.AppendUvarint(b, uint64(s.used))
	for i := range s.cells[:s.used] {
		c := &s.cells[i]
		for _, n := range append([]int64{c.Due, c.Sent, c.Succeeded, c.Failed, c.Completed, c.Missed}, c.Over...) {
			b = binary.AppendUvarint(b, uint64(n))
		}
		response := c.Response
		if response == nil {
			response = New(seriesBits)
		}
		b = response.append(b)
	}
	return pack(b), nil
}

// UnmarshalText sets s to the series that MarshalText encoded; see
// [Histogram.UnmarshalText].
func (s *Series) UnmarshalText(text []byte) error {
	d, err := unpack(text)
	if err != nil {
		return fmt.Errorf("reading a series: %w", err)
	}
	thresholds := make([]time.Duration, d.number(1<<16))
	for i := range thresholds {
		thresholds[i] = time.Duration(d.number(math.MaxInt64))
	}
	read := NewSeries(thresholds)
	read.doublings = uint(d.number(63 - uint64(bits.Len64(uint64(firstWidth)*maxIntervals))))
	read.used = int(d.number(maxIntervals))
	for i := range read.cells[:read.used] {
		c := &read.cells[i]
		for _, n := range []*int64{&c.Due, &c.Sent, &c.Succeeded, &c.Failed, &c.Completed, &c.Missed} {
			*n = int64(d.number(math.MaxInt64))
		}
		for k := range c.Over {
			c.Over[k] = int64(d.number(math.MaxInt64))
		}
		if c.Response = d.histogram(); c.Response.bits != seriesBits {
			d.fail(fmt.Errorf("interval %d has %d bits, want %d", i, c.Response.bits, seriesBits))
		}
	}
	if err := d.end(); err != nil {
		return fmt.Errorf("reading a series: %w", err)
	}
	*s = *read
	return nil
}

// append appends the encoding of h, without the version, to b.
func (h *Histogram) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(h.bits))
	b = binary.AppendUvarint(b, uint64(h.count))
	if h.count == 0 {
		return b
	}
	for _, v := range []uint64{uint64(h.min), uint64(h.max), h.sumHi, h.sumLo} {
		b = binary.AppendUvarint(b, v)
	}
	last := -1
	for r, cells := range h.rows[:] {
		for c, n := range cells {
			if n > 0 {
				at := r<<h.bits + c
				b = binary.AppendUvarint(b, uint64(at-last))
				b = binary.AppendUvarint(b, uint64(n))
				last = at
			}
		}
	}
	return b
}

// A decoder reads numbers. After its first error it returns zeros.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// number reads a number that may not exceed most.
func (d *decoder) number(most uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	switch {
	case d.err != nil:
		return 0
	case n <= 0:
		d.fail(io.ErrUnexpectedEOF)
		return 0
	case v > most:
		d.fail(fmt.Errorf("%d, want at most %d", v, most))
		return 0
	}
	d.b = d.b[n:]
	return v
}

// histogram reads a histogram and checks that it is consistent. It never returns nil.
func (d *decoder) histogram() *Histogram {
	width := d.number(16)
	if width < 1 {
		d.fail(errors.New("a histogram of 0 bits"))
		width = 1
	}
	h := New(int(width))
	count := int64(d.number(math.MaxInt64))
	if count == 0 {
		return h
	}
	low, high := int64(d.number(math.MaxInt64)), int64(d.number(math.MaxInt64))
	sumHi, sumLo := d.number(math.MaxUint64), d.number(math.MaxUint64)
	at, last := int64(-1), int64(len(h.rows))<<h.bits-1
	for left := count; left > 0 && d.err == nil; {
		at += int64(d.number(uint64(last - at)))
		n := int64(d.number(uint64(left)))
		if at < 0 || n == 0 {
			d.fail(errors.New("an empty bucket"))
			return h
		}
		h.row(uint64(at >> h.bits))[at&(1<<h.bits-1)] += n
		left -= n
	}
	h.count, h.min, h.max, h.sumHi, h.sumLo = count, low, high, sumHi, sumLo
	if d.err == nil && !h.consistent() {
		d.fail(errors.New("least, greatest and sum do not fit the buckets"))
	}
	return h
}

// consistent reports whether the least and the greatest value lie in the first and
// the last bucket that are not empty, and the sum is possible with these buckets.
func (h *Histogram) consistent() bool {
	first, last := -1, -1
	var least, most sum128
	for r, cells := range h.rows[:] {
		for c, n := range cells {
			if n == 0 {
				continue
			}
			at := r<<h.bits + c
			if first < 0 {
				first = at
			}
			last = at
			low, width := h.bounds(r, c)
			least.add(uint64(low), uint64(n))
			most.add(uint64(low+width-1), uint64(n))
		}
	}
	bucket := func(v int64) int { row, col := h.index(v); return int(row<<h.bits | col) }
	return h.min <= h.max && bucket(h.min) == first && bucket(h.max) == last &&
		!least.above(h.sumHi, h.sumLo) && !(sum128{h.sumHi, h.sumLo}).above(most.hi, most.lo)
}

// A sum128 is a number of 128 bits.
type sum128 struct{ hi, lo uint64 }

// add adds v times n.
func (s *sum128) add(v, n uint64) {
	hi, lo := bits.Mul64(v, n)
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi += hi + carry
}

// above reports whether s is greater than hi, lo.
func (s sum128) above(hi, lo uint64) bool { return s.hi > hi || s.hi == hi && s.lo > lo }

// end returns the first error. Octets left over are one.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		d.fail(fmt.Errorf("%d octets left over", len(d.b)))
	}
	return d.err
}

func pack(b []byte) []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestSpeed) // fails only for an unknown level
	w.Write(b)                                        // to memory, which cannot fail
	w.Close()
	return base64.StdEncoding.AppendEncode(nil, packed.Bytes())
}

// unpack reverses pack and removes the version.
func unpack(text []byte) (*decoder, error) {
	packed, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxEncoded+1))
	switch {
	case err != nil:
		return nil, err
	case len(b) > maxEncoded:
		return nil, fmt.Errorf("more than %d octets", maxEncoded)
	case len(b) == 0 || b[0] != encoding:
		return nil, fmt.Errorf("no version %d", encoding)
	}
	return &decoder{b: b[1:]}, nil
}
