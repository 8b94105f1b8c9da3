package hist

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/stat"
)

var someStart = time.Date(2025, 6, 1, 12, 0, 0, 250e6, time.UTC)

// readLog returns every interval that hdrhistogram-go's reader finds in log.
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

func TestWriteHgrm(t *testing.T) {
	h := New(10)
	for ms := range int64(20) {
		h.Record((ms + 1) * 1e6)
	}
	var b strings.Builder
	require.NoError(t, WriteHgrm(&b, h))
	// Of twenty values, the last percentile with one above it is 95. The other
	// values are middles of buckets: 2 ms lies in the 1024 ns from 1953*1024.
	assert.Equal(t, `       Value     Percentile TotalCount 1/(1-Percentile)

    1.000000 0.000000000000          1           1.00
    2.000384 0.100000000000          2           1.11
    4.000768 0.200000000000          4           1.25
    5.998592 0.300000000000          6           1.43
    8.001536 0.400000000000          8           1.67
    9.998336 0.500000000000         10           2.00
   10.997760 0.550000000000         11           2.22
   11.997184 0.600000000000         12           2.50
   12.996608 0.650000000000         13           2.86
   13.996032 0.700000000000         14           3.33
   15.003648 0.750000000000         15           4.00
   16.003072 0.775000000000         16           4.44
   16.003072 0.800000000000         16           5.00
   16.998400 0.825000000000         17           5.71
   16.998400 0.850000000000         17           6.67
   17.997824 0.875000000000         18           8.00
   17.997824 0.887500000000         18           8.89
   17.997824 0.900000000000         18          10.00
   18.997248 0.912500000000         19          11.43
   18.997248 0.925000000000         19          13.33
   18.997248 0.937500000000         19          16.00
   18.997248 0.943750000000         19          17.78
   18.997248 0.950000000000         19          20.00
   20.000000 1.000000000000         20            inf
#[Mean    =       10.500, StdDeviation   =        5.766]
#[Max     =       20.000, Total count    =           20]
#[Buckets =           53, SubBuckets     =         2048]
`, b.String())
}

func TestWriteHgrmOfNothing(t *testing.T) {
	var b strings.Builder
	require.NoError(t, WriteHgrm(&b, New(10)))
	assert.Contains(t, b.String(), "#[Max     =        0.000, Total count    =            0]")
	assert.NotContains(t, b.String(), "inf")
}

func TestWriteHgrmOfOne(t *testing.T) {
	var b strings.Builder
	require.NoError(t, WriteHgrm(&b, record(10, []int64{1_234_567})))
	assert.Contains(t, b.String(), "\n    1.234567 1.000000000000          1            inf\n")
}

// plotFiles reads each line of four words that does not begin with #, if its first
// and last words are numbers: y and x of a point.
func TestHgrmIsReadAsPlotFilesDoes(t *testing.T) {
	values := latencies(rand.New(rand.NewPCG(17, 18)), 100_000)
	var b strings.Builder
	require.NoError(t, WriteHgrm(&b, record(10, values)))
	slices.Sort(values)
	points, lastX, lastY := 0, 0.0, 0.0
	for line := range strings.SplitSeq(b.String(), "\n") {
		words := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(words) != 4 || words[3] == "inf" {
			continue
		}
		y, err := strconv.ParseFloat(words[0], 64)
		if err != nil {
			continue // the header
		}
		p, err := strconv.ParseFloat(words[1], 64)
		require.NoError(t, err)
		x, err := strconv.ParseFloat(words[3], 64)
		require.NoError(t, err)
		require.Greater(t, x, lastX)
		require.GreaterOrEqual(t, y, lastY)
		require.InEpsilon(t, float64(values[stat.Rank(p, 100_000)-1])/1e6, y, 0.0005)
		points, lastX, lastY = points+1, x, y
	}
	assert.Equal(t, 84, points, "five for each halving down to one of 100,000")
	assert.LessOrEqual(t, lastX, 100_000.0)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("no space left on device")

func TestWritersReportWriteErrors(t *testing.T) {
	assert.ErrorIs(t, WriteHgrm(fullDisk{}, New(10)), errFull)
	assert.ErrorIs(t, WriteHDRLog(fullDisk{}, someStart, "", nil), errFull)
}
