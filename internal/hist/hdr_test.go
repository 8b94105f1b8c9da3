package hist

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// throughHDR returns h as hdrhistogram-go reads it.
func throughHDR(t *testing.T, h *Histogram) *hdrhistogram.Histogram {
	t.Helper()
	text, err := h.HDR()
	require.NoError(t, err)
	got, err := hdrhistogram.Decode([]byte(text))
	require.NoError(t, err)
	return got
}

func TestHDRKeepsEachCount(t *testing.T) {
	want := record(7, latencies(rand.New(rand.NewPCG(19, 20)), 20_000))
	got := throughHDR(t, want)
	assert.Equal(t, want.Count(), got.TotalCount())
	assert.True(t, got.ValuesAreEquivalent(want.Min(), got.Min()), "the least is exact")
	assert.True(t, got.ValuesAreEquivalent(want.Max(), got.Max()), "and the greatest")
	assert.InEpsilon(t, want.Mean(), got.Mean(), 0.005)
	bars := slices.DeleteFunc(got.Distribution(), func(b hdrhistogram.Bar) bool { return b.Count == 0 })
	for v, n := range want.Buckets() {
		if v > want.Min()*101/100 && v < want.Max()*99/100 {
			at := slices.IndexFunc(bars, func(b hdrhistogram.Bar) bool { return b.From <= v && v <= b.To })
			require.GreaterOrEqual(t, at, 0, "%d ns", v)
			require.Equal(t, n, bars[at].Count, "%d ns", v)
		}
	}
}

func TestHDRLosesNothingOutOfRange(t *testing.T) {
	for _, c := range []struct {
		values []int64
		why    string
	}{
		{nil, "nothing"},
		{[]int64{0}, "below a nanosecond"},
		{[]int64{0, 0, 0, 1}, "several in the first bucket"},
		{[]int64{int64(time.Hour)}, "the last in range"},
		{[]int64{int64(time.Hour) + 1, 1 << 62, 1 << 62}, "above it"},
		{[]int64{0, 1e6, 1e6, 1 << 62}, "both ends"},
	} {
		got := throughHDR(t, record(7, c.values))
		assert.Equal(t, int64(len(c.values)), got.TotalCount(), c.why)
		assert.LessOrEqual(t, got.Max(), int64(time.Hour)*1001/1000, c.why)
	}
}
