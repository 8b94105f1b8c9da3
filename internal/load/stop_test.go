package load

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// What became due while an arrival before a stop was being sent counts as due.
func TestStopCountsWhatIsDue(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := &peer{mux: mux, delay: func(n int64) time.Duration {
			if n == 4 { // due at 4 ms
				time.Sleep(5500 * time.Microsecond)
				cancel()
			}
			return time.Millisecond
		}}
		o := runUntil(t, ctx, context.Background(), p, Config{Schedule: rate(1000), Requests: 100})
		assert.Equal(t, int64(10), o.Due, "0 to 9 ms")
	})
}

// Permits that were exhausted in the warm-up were not in the run.
func TestExhaustedInTheWarmupAlone(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(n int64) time.Duration {
			if n == 0 {
				return 900 * time.Millisecond
			}
			return 0
		}}
		o := run(t, p, Config{Schedule: rate(100), Warmup: time.Second, Duration: time.Second, Concurrency: 1})
		assert.Zero(t, o.Exhausted)
	})
}

// Starting many places takes its time, which no request is charged with but its
// own and those of a batch or two.
func TestFirstRoundIsTimedOneByOne(t *testing.T) {
	inBoth(t, func(t *testing.T, mux bool) {
		p := &peer{mux: mux, delay: func(int64) time.Duration {
			time.Sleep(time.Millisecond)
			return 10 * time.Millisecond
		}}
		o := run(t, p, Config{Requests: 100, Concurrency: 100})
		assert.LessOrEqual(t, time.Duration(o.Response.Max()), (1+10+3*startsAtOnce)*time.Millisecond)
	})
}
