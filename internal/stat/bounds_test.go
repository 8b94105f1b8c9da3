package stat

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The reference values are from the beta and t quantiles of R.
func TestBounds(t *testing.T) {
	check := func(got, want float64) {
		t.Helper()
		assert.InDelta(t, want, got, 1e-9)
	}
	check(HighShare(0, 459, 0.01), 0.00998288736612811) // p99 of 459 requests, none above it
	check(HighShare(0, 299, 0.05), 0.009969146792899907)
	check(LowShare(5, 100, 0.025), 0.01643187918205203)
	check(HighShare(5, 100, 0.025), 0.11283491110546373)
	check(HighShare(3.7, 412.5, 0.01), 0.02677164187841359)
	check(LowShare(12.4, 800.2, 0.01), 0.007142450579762684)
	check(LowShare(0, 100, 0.01), 0)
	check(HighShare(100, 100, 0.01), 1)
	assert.InDelta(t, 1997.627, EffectiveSize(1e4, 4, 15, 0.01), 1e-3)
}

// The functions that decide agree with the bounds that are shown.
func TestSurely(t *testing.T) {
	const p, alpha = 0.01, 0.05
	for _, n := range []float64{30, 298, 299, 1000.5, 100_000} {
		for x := 0.0; x <= n && x < 40; x += 0.7 {
			assert.Equal(t, LowShare(x, n, alpha) > p, SurelyAbove(x, n, p, alpha), "%v of %v", x, n)
			assert.Equal(t, HighShare(x, n, alpha) <= p, SurelyAtMost(x, n, p, alpha), "%v of %v", x, n)
		}
		most, least := MostAtMost(n, p, alpha), LeastAbove(n, p, alpha)
		assert.Less(t, most, p)
		assert.Greater(t, least, p)
		assert.True(t, SurelyAbove(least*n, n, p, alpha))
		if most >= 0 {
			assert.True(t, SurelyAtMost(most*n*(1-1e-9), n, p, alpha))
			assert.False(t, SurelyAtMost(most*n*(1+1e-9), n, p, alpha))
		}
	}
	assert.Equal(t, -1.0, MostAtMost(298, p, alpha), "298 trials are too few")
	assert.GreaterOrEqual(t, MostAtMost(299, p, alpha), 0.0, "299 trials are enough")
	assert.Greater(t, LeastAbove(1, 0.5, 0.01), 1.0, "one trial shows nothing")
}
