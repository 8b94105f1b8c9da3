package export

import (
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// readLog returns all intervals as hdrhistogram-go reads them.
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
	d := document(latencies(20_000)...)
	d.Record.AddUnsent(32*time.Second, 1) // a gap without response times at the end
	intervals := d.Record.Series.Intervals()
	read := readLog(t, written(t, HDRLog, d))
	require.Len(t, read, len(intervals))
	for i, want := range intervals {
		got := read[i]
		require.Equal(t, want.Response.Count(), got.TotalCount(), "interval %d", i)
		assert.InDelta(t, d.StartedAt.Add(want.Start).UnixMilli(), got.StartTimeMs(), 1)
		assert.InDelta(t, d.StartedAt.Add(want.Start+want.Width).UnixMilli(), got.EndTimeMs(), 1)
		if got.TotalCount() > 0 {
			assert.True(t, got.ValuesAreEquivalent(want.Response.Min(), got.Min()), "least of interval %d", i)
			assert.True(t, got.ValuesAreEquivalent(want.Response.Max(), got.Max()), "greatest of interval %d", i)
			assert.InEpsilon(t, want.Response.Mean(), got.Mean(), 0.005)
		}
	}
}

func TestHDRLogText(t *testing.T) {
	head, payload, found := strings.Cut(written(t, HDRLog, document(1_500_000)), "HISTFAAA")
	require.True(t, found, "a V2 compressed histogram begins like this")
	assert.Equal(t, `#[Histogram log format version 1.3]
#[StartTime: 1748779200.250 (seconds since epoch), 2025-06-01T12:00:00.25Z]
#[BaseTime: 1748779200.250 (seconds since epoch)]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
0.000,0.001,1.500,`, head)
	assert.Equal(t, 2, strings.Count(payload, "\n"), "the second interval is the one in which it ended")
}
