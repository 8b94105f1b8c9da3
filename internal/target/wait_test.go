package target

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSleepIsNeverShort(t *testing.T) {
	for _, d := range []time.Duration{-1, 0, 1, 10 * time.Microsecond, 999 * time.Microsecond, 3 * ms} {
		began := time.Now()
		assert.NoError(t, Sleep(t.Context(), d))
		assert.GreaterOrEqual(t, time.Since(began), d)
	}
}

// Sleepers that wake in another order than they began, some at the same time.
func TestSleepManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 2000 {
		wg.Go(func() {
			d := time.Duration(i*7919%20) * ms
			began := time.Now()
			assert.NoError(t, Sleep(t.Context(), d))
			assert.GreaterOrEqual(t, time.Since(began), d)
		})
	}
	wg.Wait()
}

// TestMain would see the timer of a sleep that was given up.
func TestSleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { assert.ErrorIs(t, Sleep(ctx, time.Hour), context.Canceled) })
	}
	cancel()
	wg.Wait()
	assert.ErrorIs(t, Sleep(ctx, 0), context.Canceled)
}

// BenchmarkSleep reports how late sleeps of 1 ms are.
func BenchmarkSleep(b *testing.B) {
	var late []time.Duration
	for b.Loop() {
		began := time.Now()
		_ = Sleep(b.Context(), ms)
		late = append(late, time.Since(began)-ms)
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2])/1e3, "p50-us-late")
	b.ReportMetric(float64(late[len(late)*99/100])/1e3, "p99-us-late")
}
