package hist

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/stat"
)

var quantiles = []float64{0.001, 0.01, 0.07, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1}

// check compares all statistics of h with those of the sorted values it counted.
func check(t *testing.T, h *Histogram, sorted []int64) {
	t.Helper()
	n := int64(len(sorted))
	require.Equal(t, n, h.Count())
	if n == 0 {
		_, ok := h.Quantile(0.5)
		require.False(t, ok)
		require.Zero(t, [4]float64{float64(h.Min()), float64(h.Max()), h.Mean(), h.StdDev()})
		return
	}
	require.Equal(t, sorted[0], h.Min())
	require.Equal(t, sorted[n-1], h.Max())
	width := math.Pow(2, -float64(h.bits+1))
	last := int64(0)
	for _, q := range quantiles {
		want := sorted[stat.Rank(q, n)-1]
		got, ok := h.Quantile(q)
		require.True(t, ok)
		if math.Abs(float64(got)-float64(want)) > width*float64(want) {
			t.Fatalf("quantile %v of %d values = %d, want %d within %v of it", q, n, got, want, width)
		}
		require.GreaterOrEqual(t, got, last, "quantiles must not fall")
		last = got
	}
	first, _ := h.Quantile(1 / float64(n))
	require.Equal(t, sorted[0], first, "rank 1 is exact")

	sum := new(big.Int)
	for _, v := range sorted {
		sum.Add(sum, big.NewInt(v))
	}
	mean, _ := new(big.Rat).SetFrac(sum, big.NewInt(n)).Float64()
	require.InDelta(t, mean, h.Mean(), 4e-16*mean)
	var squares, deviations float64
	for _, v := range sorted {
		squares += float64(v) * float64(v)
		deviations += (float64(v) - mean) * (float64(v) - mean)
	}
	rms, dev := math.Sqrt(squares/float64(n)), math.Sqrt(deviations/float64(n))
	require.InDelta(t, dev, h.StdDev(), (width+1e-9)*rms, "as StdDev promises")

	total, at := int64(0), int64(-1)
	for v, c := range h.Buckets() {
		require.Positive(t, c)
		require.Greater(t, v, at, "buckets ascend")
		require.True(t, h.Min() <= v && v <= h.Max())
		total, at = total+c, v
	}
	require.Equal(t, n, total)
}

func record(bits int, values []int64) *Histogram {
	h := New(bits)
	for _, v := range values {
		h.Record(v)
	}
	return h
}

// latencies returns n log-normal times around 2 ms, in nanoseconds.
func latencies(r *rand.Rand, n int) []int64 {
	vs := make([]int64, n)
	for i := range vs {
		vs[i] = int64(2e6 * math.Exp(0.8*r.NormFloat64()))
	}
	return vs
}

func TestHistogramAgainstSortedSlice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var values []int64
	h := New(10)
	for n := 1; n <= 3000; n++ {
		v := latencies(r, 1)[0]
		h.Record(v)
		i, _ := slices.BinarySearch(values, v)
		values = slices.Insert(values, i, v)
		if n < 300 || n%37 == 0 || n == 3000 {
			check(t, h, values)
		}
	}
	for bits := 1; bits <= 16; bits++ {
		h := record(bits, values)
		check(t, h, values)
		require.Equal(t, bits, h.Bits())
	}
}

// Over the whole range, each bucket has the promised width.
func TestHistogramAtTheEdgesOfBuckets(t *testing.T) {
	for _, bits := range []int{1, 7, 10, 16} {
		h := New(bits)
		at := [2]uint64{0, 0}
		for shift := range 63 {
			for _, v := range []int64{1<<shift - 1, 1 << shift, 1<<shift + 1, 3<<shift>>1 - 1, 3 << shift >> 1} {
				if v < 0 {
					continue
				}
				one := record(bits, []int64{v})
				got, _ := one.Quantile(0.5)
				require.Equal(t, v, got, "a lone value is exact: Min and Max are")
				row, col := h.index(v)
				low, width := int64(col), int64(1)
				if row > 0 {
					low, width = int64(1<<bits+col)<<(row-1), 1<<(row-1)
				}
				require.True(t, low <= v && v-low < width, "bits %d: %d is outside [%d, +%d)", bits, v, low, width)
				require.LessOrEqual(t, float64(width), max(1, float64(low)*math.Pow(2, -float64(bits))))
				at = [2]uint64{row, col}
			}
		}
		row, col := h.index(math.MaxInt64)
		require.Equal(t, [2]uint64{uint64(63 - bits), 1<<bits - 1}, [2]uint64{row, col}, "the largest value has the last bucket; before it %v", at)
	}
}

func TestHistogramExtremes(t *testing.T) {
	for _, c := range []struct {
		values []int64
		why    string
	}{
		{nil, "empty is all zero"},
		{[]int64{0}, "0 is a value, not emptiness"},
		{[]int64{0, 0, 0}, "and so often as it comes"},
		{[]int64{math.MaxInt64}, "the largest has a bucket"},
		{[]int64{math.MaxInt64, math.MaxInt64, math.MaxInt64}, "the sum of these needs more than 64 bits"},
		{[]int64{0, 1, math.MaxInt64}, "all rows between are absent"},
		{[]int64{2047, 2048, 2049, 4095, 4096}, "where 10 bits stop being exact"},
		{[]int64{1_000_000, 1_000_001}, "both in one bucket: neither quantile may leave [Min, Max]"},
	} {
		check(t, record(10, c.values), c.values)
		assert.NotEmpty(t, c.why)
	}
	h := record(10, []int64{-1, math.MinInt64})
	check(t, h, []int64{0, 0})
}

func TestMeanIsExactWhereFloatsAreNot(t *testing.T) {
	h := New(10)
	h.RecordN(1<<53+1, 3) // each odd value above 2^53 would lose its last bit
	h.Record(1<<53 + 5)
	assert.Equal(t, float64(1<<53+2), h.Mean())
	h = New(10)
	for range 3 { // the low halves carry
		h.RecordN(math.MaxInt64, 1)
	}
	assert.Equal(t, float64(math.MaxInt64), h.Mean())
	h = New(10)
	h.RecordN(math.MaxInt64, math.MaxInt64)
	assert.Equal(t, float64(math.MaxInt64), h.Mean(), "the largest sum there is")
	assert.Equal(t, int64(math.MaxInt64), h.Count())
	assert.Zero(t, h.StdDev(), "equal values do not deviate")
}

func TestRecordN(t *testing.T) {
	h := New(7)
	h.RecordN(5_000_000, 3)
	h.RecordN(-4, 2)
	h.RecordN(9_000_000_000, 0)
	h.RecordN(9_000_000_000, -7)
	check(t, h, []int64{0, 0, 5_000_000, 5_000_000, 5_000_000})
	assert.Equal(t, record(7, []int64{5_000_000, -1, 5_000_000, -9, 5_000_000}), h)
}

func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := latencies(r, 3000)
	values = append(values, 0, 3, 70e9)
	parts := []*Histogram{New(10), New(10), New(10), New(10)} // the last stays empty
	for _, v := range values {
		parts[r.IntN(3)].Record(v)
	}
	slices.Sort(values)
	for range 10 {
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		before := New(10)
		before.Merge(parts[1])
		all := New(10)
		for _, p := range parts {
			all.Merge(p)
		}
		check(t, all, values)
		require.Equal(t, record(10, values), all, "merged is the same as recorded in one")
		require.Equal(t, before, parts[1], "what was merged stays as it is")
	}
	assert.Panics(t, func() { New(7).Merge(New(10)) }, "a merge that would round is a bug")
}

func TestNewRefusesOtherBits(t *testing.T) {
	assert.Panics(t, func() { New(0) })
	assert.Panics(t, func() { New(17) })
}

func TestReset(t *testing.T) {
	h := record(10, []int64{1, 1e6, math.MaxInt64, math.MaxInt64, math.MaxInt64})
	h.Reset()
	check(t, h, nil)
	h.Record(7)
	check(t, h, []int64{7})
}

func TestBucketsCanStop(t *testing.T) {
	seen := 0
	for range record(10, []int64{1, 2, 3}).Buckets() {
		seen++
		break
	}
	assert.Equal(t, 1, seen)
}

func TestRecordAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	values := latencies(r, 1000)
	h, o := record(10, values), record(10, values)
	i := 0
	assert.Zero(t, testing.AllocsPerRun(1000, func() { h.Record(values[i%len(values)]); i++ }))
	assert.Zero(t, testing.AllocsPerRun(10, func() { h.Merge(o); h.Quantile(0.99) }))
}

func FuzzHistogram(f *testing.F) {
	f.Add(uint8(10), []byte{})
	f.Add(uint8(7), binary.LittleEndian.AppendUint64(nil, 1_000_000))
	f.Add(uint8(1), binary.LittleEndian.AppendUint64(make([]byte, 8), math.MaxInt64))
	f.Add(uint8(16), binary.LittleEndian.AppendUint64([]byte("12345678abcdefgh"), 1<<17))
	f.Fuzz(func(t *testing.T, bits uint8, data []byte) {
		n := 1 + int(bits)%16
		h, even, odd := New(n), New(n), New(n)
		var values []int64
		for i := 0; len(data) >= 8; i++ {
			// The top byte is how many bits of the value are kept, so that
			// all magnitudes occur.
			u := binary.LittleEndian.Uint64(data)
			v := int64(u&(1<<56-1)) << 7 >> (u >> 56 & 63)
			data = data[8:]
			h.Record(v)
			[]*Histogram{even, odd}[i%2].RecordN(v, 1)
			values = append(values, max(v, 0))
		}
		slices.Sort(values)
		check(t, h, values)
		odd.Merge(even)
		require.Equal(t, h, odd)
	})
}

func BenchmarkRecord(b *testing.B) {
	values := latencies(rand.New(rand.NewPCG(7, 8)), 1<<14)
	h := record(10, values)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		h.Record(values[i&(1<<14-1)])
		i++
	}
}

func BenchmarkQuantile(b *testing.B) {
	h := record(10, latencies(rand.New(rand.NewPCG(7, 8)), 1<<14))
	for b.Loop() {
		h.Quantile(0.99)
	}
}

func BenchmarkMerge(b *testing.B) {
	o := record(10, latencies(rand.New(rand.NewPCG(7, 8)), 1<<14))
	h := New(10)
	for b.Loop() {
		h.Merge(o)
	}
}

// Above counts the values in higher buckets. That is exact where each value has
// its own bucket; elsewhere it leaves out the values in v's bucket.
func TestAbove(t *testing.T) {
	h := New(7)
	assert.Zero(t, h.Above(0))
	for v := int64(1); v <= 100_000; v++ {
		h.Record(v)
	}
	check := func(v, want, slack int64) {
		t.Helper()
		got := h.Above(v)
		assert.LessOrEqual(t, got, want)
		assert.GreaterOrEqual(t, got, want-slack)
	}
	check(-5, 100_000, 0)
	check(0, 100_000, 0)
	check(1, 99_999, 0)
	check(255, 99_745, 0)
	check(256, 99_744, 1) // from here on buckets are wider
	check(1000, 99_000, 1000>>7)
	check(65_535, 34_465, 0) // the last of its power of two
	check(65_536, 34_464, 65_536>>7)
	check(99_999, 1, 99_999>>7)
	check(math.MaxInt64, 0, 0)
}

func TestSince(t *testing.T) {
	h := New(5)
	for _, v := range []int64{1, 5, 1000, 1000, 70_000} {
		h.Record(v)
	}
	before := New(5)
	before.Merge(h)
	assert.Zero(t, h.Since(before).Count(), "nothing since")
	for _, v := range []int64{5, 5, 1000, 1 << 40} {
		h.Record(v)
	}
	got := map[int64]int64{}
	for v, n := range h.Since(before).Buckets() {
		got[v] = n
	}
	assert.Len(t, got, 3)
	assert.Equal(t, int64(2), got[5])
	since := h.Since(before)
	assert.Equal(t, int64(4), since.Count())
	assert.InEpsilon(t, 1<<40, since.Max(), 1.0/32)
	all := h.Since(New(5))
	assert.Equal(t, h.Count(), all.Count(), "since it was empty")
	assert.Panics(t, func() { h.Since(New(6)) })
}
