package loadtestkit

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindCapacityFindsWhatATargetCanTake(t *testing.T) {
	needTimes(t)
	inBubble(t, func(t *testing.T) {
		one := make(chan struct{}, 1) // a call at a time, of 2 ms: 500/s
		f := &fakeTB{}
		var c Capacity
		f.run(func(t testing.TB) {
			c = FindCapacity(t, CapacityOptions{
				Target: Func(func(context.Context) error {
					one <- struct{}{}
					time.Sleep(2 * time.Millisecond)
					<-one
					return nil
				}),
				P99: 10 * time.Millisecond,
			})
		})
		assert.Empty(t, f.errors)
		assert.Empty(t, f.skips)
		assert.Equal(t, Passed, c.Verdict)
		assert.LessOrEqual(t, c.Low, 510.0)
		assert.GreaterOrEqual(t, c.High, 490.0)
		assert.Less(t, c.High/c.Low, 1.2, "%v to %v", c.Low, c.High)
		assert.Equal(t, "target", c.StoppedBy)
		assert.Positive(t, c.Succeeded)
	})
}

func TestFindCapacityIsSkippedWhenUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := &fakeTB{}
		f.run(func(t testing.TB) {
			FindCapacity(t, CapacityOptions{Target: taking(time.Millisecond), P99: time.Minute, Budget: time.Second})
		})
		require.Len(t, f.skips, 1)
		assert.Contains(t, f.skips[0], "loadtestkit: inconclusive: ")
		assert.Contains(t, f.skips[0], "trials are over")

		var c Capacity
		f = &fakeTB{}
		f.run(func(t testing.TB) {
			c = FindCapacity(t, CapacityOptions{Target: taking(time.Millisecond), P99: time.Minute, Most: 200, OnInconclusive: Passed})
		})
		assert.Equal(t, "most", c.StoppedBy)
		assert.Equal(t, math.Inf(1), c.High, "no rate was too high")
		assert.InDelta(t, 200, c.Low, 1e-9)
	})
}
