package host

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/stat"
)

func TestHistogramDelta(t *testing.T) {
	bounds := []float64{math.Inf(-1), 0, 1e-6, 1e-3, math.Inf(1)}
	before := histogram{[]uint64{0, 5, 7, 1}, bounds}
	after := histogram{[]uint64{0, 55, 56, 2}, bounds}
	d := after.since(before)
	assert.Equal(t, int64(100), d.count())
	assert.Equal(t, time.Microsecond, d.quantile(0.5), "50 of 100 lie in the first bucket")
	assert.Equal(t, time.Millisecond, d.quantile(0.51))
	assert.Equal(t, time.Millisecond, d.quantile(0.99))
	assert.Equal(t, time.Millisecond, d.quantile(1), "no upper bound: the lower one")
	assert.Equal(t, []uint64{0, 55, 56, 2}, after.counts, "since leaves its operands alone")
	assert.Zero(t, histogram{}.quantile(0.5))
	assert.Zero(t, before.since(after).count(), "never negative")
}

func TestRuntimeSeesCollections(t *testing.T) {
	a := readRuntime()
	runtime.GC()
	b := readRuntime()
	var u Usage
	require.NoError(t, u.addRuntime(a, b))
	assert.Positive(t, u.GCPauses)
	assert.Positive(t, u.GCPauseTotal)
	assert.Positive(t, u.GCPauseMax)
	assert.LessOrEqual(t, u.SchedLatencyP50, u.SchedLatencyMax)
}

func TestOvershoots(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var o overshoots
	assert.Zero(t, o.quantile(0.99), "nothing was seen")
	var all []time.Duration
	for range 5000 {
		d := time.Duration(r.Int64() >> r.IntN(63))
		all = append(all, d)
		o.record(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[stat.Rank(q, int64(len(all)))-1]
		got := o.quantile(q)
		assert.GreaterOrEqual(t, got, want)
		assert.LessOrEqual(t, float64(got), float64(want)*1.125)
	}
	assert.Equal(t, all[len(all)-1], o.max)
	assert.Equal(t, o.max, o.quantile(1))
}

func TestOvershootBuckets(t *testing.T) {
	var o overshoots
	for i := range o.counts {
		top := overshootBound(i)
		require.Equal(t, i, overshootBucket(top), "the bound of bucket %d is in it", i)
		if top < math.MaxInt64 {
			require.Equal(t, i+1, overshootBucket(top+1), "the next is in the next")
		}
	}
	assert.Equal(t, time.Duration(math.MaxInt64), overshootBound(len(o.counts)-1))
	o.record(-time.Second)
	assert.Zero(t, o.max, "a clock that is early counts as in time")
}
