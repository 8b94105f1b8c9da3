package loadtestkit

import (
	"context"
	"errors"
	"testing"

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
