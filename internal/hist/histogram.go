// Package hist keeps what a load run measured in bounded memory: a histogram
// of times and the series of what happened when, and how to save both.
package hist

import (
	"fmt"
	"iter"
	"math"
	"math/bits"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// A Histogram counts int64 values from 0 to the largest, usually nanoseconds,
// in log-linear buckets: each power of two is divided into 2^bits buckets of equal
// width, so that a bucket is never wider than 2^-bits of its values. Values
// below 2^(bits+1) have a bucket each. Count, minimum, maximum and sum are exact.
//
// Make one with [New]. It is not safe for concurrent use; each shard owns one.
//
// Note: hdrhistogram-go is not used, because it reads quantiles and maximum at the
// top of a bucket, rounds the rank and refuses values out of range.
type Histogram struct {
	bits     int
	count    int64
	min, max int64 // MaxInt64 and 0 while empty
	// The sum has 128 bits, which fewer than 2^63 values below 2^63 cannot
	// overflow.
	sumHi, sumLo uint64
	// Row 0 holds the values below 2^bits, row r the values of bit length
	// bits+r. A row is nil until one of its values is recorded, because times
	// of one kind lie within a few powers of two.
	rows [64][]int64
}

// New returns an empty histogram with 2^bits buckets for each power of two. It
// panics if bits is not in [1, 16].
func New(bits int) *Histogram {
	if bits < 1 || bits > 16 {
		panic(fmt.Sprintf("hist: New(%d): want 1 to 16 bits", bits))
	}
	return &Histogram{bits: bits, min: math.MaxInt64}
}

// Record counts v; a negative v counts as 0. It allocates only for the first value
// in each power of two.
func (h *Histogram) Record(v int64) {
	v = max(v, 0)
	h.count++
	h.min = min(h.min, v)
	h.max = max(h.max, v)
	var carry uint64
	h.sumLo, carry = bits.Add64(h.sumLo, uint64(v), 0)
	h.sumHi += carry
	row, col := h.index(v)
	if cells := h.rows[row]; col < uint64(len(cells)) {
		cells[col]++
		return
	}
	h.row(row)[col]++
}

// RecordN counts v n times. It does nothing if n is 0 or less.
func (h *Histogram) RecordN(v, n int64) {
	if n <= 0 {
		return
	}
	v = max(v, 0)
	h.count += n
	h.min = min(h.min, v)
	h.max = max(h.max, v)
	hi, lo := bits.Mul64(uint64(v), uint64(n))
	h.add128(hi, lo)
	row, col := h.index(v)
	h.row(row)[col] += n
}

// Merge adds the values of o, without loss or rounding. o does not change. It
// panics if o was made with another number of bits.
func (h *Histogram) Merge(o *Histogram) {
	if h.bits != o.bits {
		panic(fmt.Sprintf("hist: Merge of %d bits into %d", o.bits, h.bits))
	}
	if o.count == 0 {
		return
	}
	h.count += o.count
	h.min = min(h.min, o.min)
	h.max = max(h.max, o.max)
	h.add128(o.sumHi, o.sumLo)
	first, _ := o.index(o.min)
	last, _ := o.index(o.max)
	for r := first; r <= last; r++ {
		from := o.rows[r]
		if from == nil {
			continue
		}
		to := h.row(r)[:len(from)]
		for i, n := range from {
			to[i] += n
		}
	}
}

// Since returns the values recorded in h after its earlier state o, in buckets of the
// same width; its minimum, maximum and sum are only as exact as those. It panics if o
// was made with another number of bits.
func (h *Histogram) Since(o *Histogram) *Histogram {
	if h.bits != o.bits {
		panic(fmt.Sprintf("hist: Since of %d bits and %d", h.bits, o.bits))
	}
	d := New(h.bits)
	for r, cells := range h.rows[:] {
		for c, n := range cells {
			if before := o.rows[r]; before != nil {
				n -= before[c]
			}
			d.RecordN(h.value(r, c), n)
		}
	}
	return d
}

// Reset empties h and keeps its memory.
func (h *Histogram) Reset() {
	h.count, h.sumHi, h.sumLo = 0, 0, 0
	h.min, h.max = math.MaxInt64, 0
	for _, cells := range h.rows[:] {
		clear(cells)
	}
}

// Bits returns the bits that h was made with, for a histogram to merge it into.
func (h *Histogram) Bits() int { return h.bits }

// Count returns the number of values recorded.
func (h *Histogram) Count() int64 { return h.count }

// Min returns the smallest value recorded, exactly; 0 if there is none.
func (h *Histogram) Min() int64 {
	if h.count == 0 {
		return 0
	}
	return h.min
}

// Max returns the largest value recorded, exactly; 0 if there is none.
func (h *Histogram) Max() int64 { return h.max }

// Mean returns the arithmetic mean: the exact sum divided by the count, rounded
// once or twice to a float64. It is 0 if nothing was recorded.
func (h *Histogram) Mean() float64 {
	if h.count == 0 {
		return 0
	}
	// The quotient fits: every value is below 2^63, so sumHi < count.
	n := uint64(h.count)
	q, r := bits.Div64(h.sumHi, h.sumLo, n)
	return float64(q) + float64(r)/float64(n)
}

// StdDev returns the standard deviation of the values (divided by n, not n-1); 0
// if nothing was recorded. It uses the exact mean and takes every value as the
// middle of its bucket, so it is off by at most 2^-(bits+1) times the root mean
// square of the values: for 10 bits, under 0.05 % of sqrt(mean²+StdDev²).
func (h *Histogram) StdDev() float64 {
	if h.count == 0 {
		return 0
	}
	mean, sum := h.Mean(), 0.0
	for v, n := range h.Buckets() {
		d := float64(v) - mean
		sum += d * d * float64(n)
	}
	return math.Sqrt(sum / float64(h.count))
}

// Quantile returns the value at [stat.Rank] q of Count, q in (0, 1]. Its relative
// error is at most 2^-(bits+1) and it is never outside [Min, Max]; the first and
// the last rank are exact. It returns 0, false if nothing was recorded.
func (h *Histogram) Quantile(q float64) (v int64, ok bool) {
	if h.count == 0 {
		return 0, false
	}
	rank := stat.Rank(q, h.count)
	switch rank {
	case 1:
		return h.min, true
	case h.count:
		return h.max, true
	}
	for r, cells := range h.rows[:] {
		for c, n := range cells {
			if rank -= n; rank <= 0 {
				return h.value(r, c), true
			}
		}
	}
	return h.max, true
}

// Above returns the number of values greater than v, except those in v's own
// bucket.
func (h *Histogram) Above(v int64) int64 {
	row, col := h.index(max(v, 0))
	n := int64(0)
	for r := row; r < uint64(len(h.rows)); r++ {
		if cells := h.rows[r]; cells != nil {
			if r == row {
				cells = cells[col+1:]
			}
			for _, c := range cells {
				n += c
			}
		}
	}
	return n
}

// Buckets yields the buckets that are not empty, in ascending order: the middle
// of each, clamped to [Min, Max], and its count.
func (h *Histogram) Buckets() iter.Seq2[int64, int64] {
	return func(yield func(v, n int64) bool) {
		for r, cells := range h.rows[:] {
			for c, n := range cells {
				if n > 0 && !yield(h.value(r, c), n) {
					return
				}
			}
		}
	}
}

// index returns the row and the column of v's bucket.
func (h *Histogram) index(v int64) (row, col uint64) {
	// The shift keeps the bits+1 leading bits. In row r > 0 it is r-1, and the
	// leading 1 that remains carries into the row, so one formula serves all rows.
	shift := uint64(max(bits.Len64(uint64(v))-1-h.bits, 0)) & 63
	b := uint64(h.bits) & 63
	i := shift<<b + uint64(v)>>shift
	return i >> b & 63, i & (1<<b - 1)
}

// value returns the value that represents a bucket; see [Histogram.Buckets].
func (h *Histogram) value(row, col int) int64 {
	low, width := h.bounds(row, col)
	return min(max(low+width/2, h.min), h.max)
}

// bounds returns the least value of a bucket and how many values it holds.
func (h *Histogram) bounds(row, col int) (low, width int64) {
	if row == 0 {
		return int64(col), 1
	}
	return int64(1<<h.bits+col) << (row - 1), 1 << (row - 1)
}

// row returns the counts of row r, which it makes if necessary.
func (h *Histogram) row(r uint64) []int64 {
	if h.rows[r] == nil {
		h.rows[r] = make([]int64, 1<<h.bits)
	}
	return h.rows[r]
}

func (h *Histogram) add128(hi, lo uint64) {
	var carry uint64
	h.sumLo, carry = bits.Add64(h.sumLo, lo, 0)
	h.sumHi += hi + carry
}
