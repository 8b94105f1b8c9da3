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

// A hiccup reads at most 1/8 too high, and never above the longest.
func TestHiccups(t *testing.T) {
	const seed = 7
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	h := hiccup{late: newHistogram()}
	assert.Zero(t, h.late.quantile(0.99), "nothing was seen")
	h.woke(-time.Second)
	assert.Zero(t, h.most, "a clock that is early counts as in time")
	all := []time.Duration{0}
	for range 5000 {
		d := time.Microsecond + time.Duration(r.Int64N(int64(time.Hour))>>r.IntN(32))
		all = append(all, d)
		h.woke(d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[stat.Rank(q, int64(len(all)))-1]
		got := h.late.quantile(q)
		assert.GreaterOrEqual(t, got, want-1)
		assert.LessOrEqual(t, float64(got), float64(want)*1.125)
	}
	assert.Equal(t, all[len(all)-1], h.most)

	h = hiccup{quit: make(chan struct{}), done: make(chan struct{}), late: newHistogram()}
	close(h.done)
	h.woke(9)
	p99, most := h.end()
	assert.Equal(t, time.Duration(9), p99)
	assert.Equal(t, time.Duration(9), most)
}
