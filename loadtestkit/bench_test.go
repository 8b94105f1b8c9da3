package loadtestkit

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A benchmark is made once: nothing is repeated while its time is taken.
func TestBenchRepeatsNothing(t *testing.T) {
	var reports []Report
	result := testing.Benchmark(func(b *testing.B) {
		if b.N == 1 {
			reports = append(reports, Bench(b, BenchOptions{Target: sleeping(0)}))
		}
	})
	require.Len(t, reports, 1)
	assert.Nil(t, reports[0].data.Repeat)
	assert.EqualValues(t, 1, reports[0].Due)
	assert.Positive(t, result.N)
}

// What the warm-up takes is not what b.N requests take: neither its allocations nor its
// time, by which the testing package finds the next b.N.
func TestBenchLeavesWarmupOut(t *testing.T) {
	var calls atomic.Int64
	var kept atomic.Pointer[int64] // on the heap
	allocating := Func(func(context.Context) error {
		n := calls.Add(1)
		for range 10 {
			kept.Store(new(n))
		}
		return nil
	})
	result := testing.Benchmark(func(b *testing.B) {
		if b.N > 1 {
			Bench(b, BenchOptions{Target: allocating, Warmup: 300 * time.Millisecond})
			b.Fail() // and no larger b.N
		}
	})
	assert.Greater(t, calls.Load(), 10*int64(result.N), "most calls are of the warm-up")
	assert.Less(t, float64(result.MemAllocs), 0.9*10*float64(calls.Load()))
}

func TestBenchFailsIfRequestsFail(t *testing.T) {
	bench := func(errorRatio float64, result error) (failed bool) {
		testing.Benchmark(func(b *testing.B) {
			if b.N == 1 {
				Bench(b, BenchOptions{Target: Func(func(context.Context) error { return result }), ErrorRatio: errorRatio})
				failed = b.Failed()
			}
		})
		return failed
	}
	assert.True(t, bench(0, errors.New("no")))
	assert.True(t, bench(1, errors.New("no")), "nothing was measured")
	assert.False(t, bench(0, nil))
}
