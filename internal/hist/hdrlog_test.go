package hist

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someStart = time.Date(2025, 6, 1, 12, 0, 0, 250e6, time.UTC)

// readLog returns every interval as hdrhistogram-go's reader sees it.
func readLog(t *testing.T, log string) (hs []*hdrhistogram.Histogram) {
	t.Helper()
	r := hdrhistogram.NewHistogramLogReader(strings.NewReader(log))
	for {
		h, err := r.NextIntervalHistogram()
		require.NoError(t, err)
		if h == nil {
			return hs
		}
		hs = append(hs, h)
	}
}

func TestHDRLogIsReadBack(t *testing.T) {
	s := NewSeries(nil)
	for _, e := range events(rand.New(rand.NewPCG(19, 20)), 20_000, 20*time.Second) {
		e.record(s)
	}
	s.Due(32 * time.Second) // a gap without response times at the end
	intervals := s.Intervals()
	var b strings.Builder
	require.NoError(t, WriteHDRLog(&b, someStart, "a", intervals))

	read := readLog(t, b.String())
	require.Len(t, read, len(intervals))
	for i, want := range intervals {
		got := read[i]
		require.Equal(t, want.Response.Count(), got.TotalCount(), "interval %d", i)
		assert.Equal(t, "a", got.Tag())
		assert.InDelta(t, someStart.Add(want.Start).UnixMilli(), got.StartTimeMs(), 1)
		assert.InDelta(t, someStart.Add(want.Start+want.Width).UnixMilli(), got.EndTimeMs(), 1)
		if got.TotalCount() == 0 {
			continue
		}
		assert.True(t, got.ValuesAreEquivalent(want.Response.Min(), got.Min()), "least of interval %d", i)
		assert.True(t, got.ValuesAreEquivalent(want.Response.Max(), got.Max()), "greatest of interval %d", i)
		assert.InEpsilon(t, want.Response.Mean(), got.Mean(), 0.005)
		if i%16 > 0 {
			continue // the reader's distribution takes long
		}
		bars := slices.DeleteFunc(got.Distribution(), func(b hdrhistogram.Bar) bool { return b.Count == 0 })
		for v, n := range want.Response.Buckets() {
			if v > want.Response.Min()*101/100 && v < want.Response.Max()*99/100 {
				at := slices.IndexFunc(bars, func(b hdrhistogram.Bar) bool { return b.From <= v && v <= b.To })
				require.GreaterOrEqual(t, at, 0, "interval %d, %d ns", i, v)
				require.Equal(t, n, bars[at].Count, "interval %d, %d ns", i, v)
			}
		}
	}
}

func TestHDRLogText(t *testing.T) {
	one := Interval{Start: 256 * time.Millisecond, Width: 256 * time.Millisecond, Response: record(7, []int64{1_500_000})}
	var b strings.Builder
	require.NoError(t, WriteHDRLog(&b, someStart, "", []Interval{one}))
	head, payload, found := strings.Cut(b.String(), "HISTFAAA")
	require.True(t, found, "a V2 compressed histogram begins so")
	assert.Equal(t, `#[Histogram log format version 1.3]
#[StartTime: 1748779200.250 (seconds since epoch), 2025-06-01T12:00:00.25Z]
#[BaseTime: 1748779200.250 (seconds since epoch)]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
0.256,0.256,1.500,`, head)
	assert.True(t, strings.HasSuffix(payload, "\n"))
	assert.Equal(t, 1, strings.Count(payload, "\n"))

	b.Reset()
	require.NoError(t, WriteHDRLog(&b, someStart, "warm-up", []Interval{one}))
	assert.Contains(t, b.String(), "\nTag=warm-up,0.256,")
}

func TestHDROfAHistogram(t *testing.T) {
	h := record(7, []int64{1_000_000, 2_000_000, 2_000_000, 9_000_000})
	text, err := h.HDR()
	require.NoError(t, err)
	got, err := hdrhistogram.Decode([]byte(text))
	require.NoError(t, err)
	assert.Equal(t, int64(4), got.TotalCount())
	assert.True(t, got.ValuesAreEquivalent(9_000_000, got.Max()))
}

func TestHDRLogLosesNothingOutOfRange(t *testing.T) {
	for _, c := range []struct {
		values []int64
		why    string
	}{
		{[]int64{0}, "below a nanosecond"},
		{[]int64{0, 0, 0, 1}, "several in the first bucket"},
		{[]int64{int64(time.Hour)}, "the last in range"},
		{[]int64{int64(time.Hour) + 1, 1 << 62, 1 << 62}, "above it"},
		{[]int64{0, 1e6, 1e6, 1 << 62}, "both ends"},
	} {
		var b strings.Builder
		require.NoError(t, WriteHDRLog(&b, someStart, "", []Interval{{Response: record(7, c.values)}}))
		read := readLog(t, b.String())
		require.Len(t, read, 1)
		assert.Equal(t, int64(len(c.values)), read[0].TotalCount(), c.why)
		assert.LessOrEqual(t, read[0].Max(), int64(time.Hour)*1001/1000, c.why)
	}
}

func TestHDRLogRefusesTagsThatBreakLines(t *testing.T) {
	for _, tag := range []string{"a,b", "a b", ",", "a\nb"} {
		assert.ErrorContains(t, WriteHDRLog(&strings.Builder{}, someStart, tag, nil), "tag")
	}
}
