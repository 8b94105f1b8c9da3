package hist

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// filled returns a histogram of n random values over all powers of two.
func filled(bits, n int, seed uint64) *Histogram {
	rng := rand.New(rand.NewPCG(seed, 1))
	h := New(bits)
	for range n {
		h.Record(int64(rng.Uint64() >> (1 + rng.IntN(62))))
	}
	return h
}

// A decoded histogram equals the encoded one in every count.
func TestHistogramText(t *testing.T) {
	for _, h := range []*Histogram{New(10), filled(7, 1, 1), filled(10, 10_000, 2), filled(1, 50, 3), filled(16, 500, 4)} {
		text, err := h.MarshalText()
		require.NoError(t, err)
		var back Histogram
		require.NoError(t, back.UnmarshalText(text))
		sameHistogram(t, h, &back)
		back.Merge(h)
		assert.Equal(t, 2*h.Count(), back.Count(), "it can be merged with")
	}
	most := New(10)
	most.RecordN(math.MaxInt64, math.MaxInt64)
	text, err := most.MarshalText()
	require.NoError(t, err)
	var back Histogram
	require.NoError(t, back.UnmarshalText(text))
	sameHistogram(t, most, &back)
}

func sameHistogram(t *testing.T, want, got *Histogram) {
	t.Helper()
	assert.Equal(t, want.Bits(), got.Bits())
	assert.Equal(t, want.Count(), got.Count())
	assert.Equal(t, want.Min(), got.Min())
	assert.Equal(t, want.Max(), got.Max())
	assert.Equal(t, want.sumHi, got.sumHi)
	assert.Equal(t, want.sumLo, got.sumLo)
	assert.Equal(t, buckets(want), buckets(got))
}

func buckets(h *Histogram) (all [][2]int64) {
	for v, n := range h.Buckets() {
		all = append(all, [2]int64{v, n})
	}
	return all
}

func TestSeriesText(t *testing.T) {
	s := NewSeries([]time.Duration{time.Millisecond, time.Second})
	rng := rand.New(rand.NewPCG(5, 1))
	for range 20_000 {
		due := time.Duration(rng.Int64N(int64(10 * time.Second)))
		s.Due(due)
		s.Sent(due)
		s.Done(due, true)
		s.Completed(due)
		s.Response(due, time.Duration(rng.ExpFloat64()*1e6))
	}
	s.Missed(11 * time.Second)
	b, err := json.Marshal(s)
	require.NoError(t, err)
	var back Series
	require.NoError(t, json.Unmarshal(b, &back))
	want, got := s.Intervals(), back.Intervals()
	require.Len(t, got, len(want))
	for i := range want {
		sameHistogram(t, want[i].Response, got[i].Response)
		want[i].Response, got[i].Response = nil, nil
	}
	assert.Equal(t, want, got)
	back.Merge(s)
	assert.Equal(t, 2*want[3].Due, back.Intervals()[3].Due, "it can be merged with")
}

// A file may have been cut, changed or written by another version.
func TestInvalidHistogramText(t *testing.T) {
	h := filled(10, 1000, 6)
	check := func(why, want string, spoil func(*Histogram) []byte) {
		t.Helper()
		c := filled(10, 1000, 6)
		var back Histogram
		assert.ErrorContains(t, back.UnmarshalText(pack(spoil(c))), want, why)
	}
	raw := func(h *Histogram) []byte { return h.append([]byte{encoding}) }
	check("another version", "no version 1", func(h *Histogram) []byte { return h.append([]byte{encoding + 1}) })
	check("nothing", "no version 1", func(h *Histogram) []byte { return nil })
	check("cut", "EOF", func(h *Histogram) []byte { b := raw(h); return b[:len(b)-1] })
	check("more at the end", "left over", func(h *Histogram) []byte { return append(raw(h), 0) })
	check("a count that is too small", "do not fit", func(h *Histogram) []byte { h.count--; return raw(h) })
	check("a count that is too large", "EOF", func(h *Histogram) []byte { h.count++; return raw(h) })
	check("a wrong least", "do not fit", func(h *Histogram) []byte { h.min = h.max; return raw(h) })
	check("a wrong greatest", "do not fit", func(h *Histogram) []byte { h.max = h.min; return raw(h) })
	check("a wrong sum", "do not fit", func(h *Histogram) []byte { h.sumHi += 1 << 40; return raw(h) })
	check("no bits", "0 bits", func(h *Histogram) []byte { return []byte{encoding, 0, 0} })
	var back Histogram
	assert.ErrorContains(t, back.UnmarshalText([]byte("*")), "base64")
	text, err := h.MarshalText()
	require.NoError(t, err)
	assert.NoError(t, back.UnmarshalText(text), "the unspoilt text")
}

func FuzzHistogramText(f *testing.F) {
	for i := range 4 {
		f.Add(filled(1+i*5, i*20, uint64(i)).append([]byte{encoding}))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var h Histogram
		if h.UnmarshalText(pack(raw)) != nil {
			return
		}
		text, err := h.MarshalText()
		require.NoError(t, err)
		var back Histogram
		require.NoError(t, back.UnmarshalText(text))
		sameHistogram(t, &h, &back)
	})
}

func FuzzSeriesText(f *testing.F) {
	s := NewSeries([]time.Duration{time.Second})
	s.Due(3 * time.Second)
	s.Response(3*time.Second, 2*time.Second)
	text, err := s.MarshalText()
	require.NoError(f, err)
	d, err := unpack(text)
	require.NoError(f, err)
	f.Add(append([]byte{encoding}, d.b...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var s Series
		if s.UnmarshalText(pack(raw)) != nil {
			return
		}
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back Series
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, len(s.Intervals()), len(back.Intervals()))
	})
}
