package stat

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRank(t *testing.T) {
	for _, c := range []struct {
		q    float64
		n    int64
		want int64
		why  string
	}{
		{0.07, 100, 7, "the product is 7.000000000000001 in float64"},
		{0.5, 1, 1, "the least rank is 1"},
		{0.5, 2, 1, "the lower of two is the median"},
		{0.5, 3, 2, "the middle one"},
		{0.99, 100, 99, "exact"},
		{0.99, 101, 100, "rounded up, not to the nearest"},
		{99.9 / 100, 1000, 999, "a percentile divided by 100 is off by its own rounding"},
		{1 - 1e-6, 1_000_000, 999_999, "so is a complement"},
		{0.999999, 1_000_001, 1_000_000, "a true fraction still rounds up at a million"},
		{1, 10, 10, "the maximum"},
		{1.5, 10, 10, "above 1 is 1"},
		{0, 10, 1, "0 is the minimum"},
		{-1, 10, 1, "below 0 is 0"},
		{math.NaN(), 10, 1, "NaN must not index"},
		{math.Inf(1), 10, 10, "infinity must not overflow"},
		{0.5, 0, 0, "no samples have no rank"},
		{0.5, -3, 0, "nor does a negative number"},
		{1, math.MaxInt64, math.MaxInt64, "float64 rounds this n up, past int64"},
		{math.Nextafter(1, 0), math.MaxInt64, math.MaxInt64 - 1023, "largest product below"},
	} {
		require.NotEmpty(t, c.why)
		assert.Equal(t, c.want, Rank(c.q, c.n), "Rank(%v, %d): %s", c.q, c.n, c.why)
	}
}

// Every q of up to four decimals must give the rank of exact arithmetic, however
// the caller computed its float.
func TestRankMeansTheDecimal(t *testing.T) {
	for _, d := range []int64{10, 100, 1000, 10_000} {
		step := max(1, d/500) // every one up to 1000, every 20th of the 10,000
		for k := int64(1); k <= d; k += step {
			q, percent, complement := float64(k)/float64(d), float64(k)*100/float64(d)/100, 1-float64(d-k)/float64(d)
			for n := int64(1); n <= 3000; n += 1 + n/40 {
				want := (k*n + d - 1) / d
				if Rank(q, n) != want || Rank(percent, n) != want || Rank(complement, n) != want {
					t.Fatalf("Rank(%d/%d, %d) = %d; from a percentile %d, a complement %d; want %d",
						k, d, n, Rank(q, n), Rank(percent, n), Rank(complement, n), want)
				}
			}
		}
	}
}

func TestEnough(t *testing.T) {
	for _, c := range []struct {
		q    float64
		need int64
	}{{0.5, 2}, {0.9, 10}, {0.95, 20}, {0.99, 100}, {0.999, 1000}, {0.9999, 10_000}, {0.999999, 1_000_000}} {
		assert.True(t, Enough(c.q, c.need), "q %v, n %d", c.q, c.need)
		assert.False(t, Enough(c.q, c.need-1), "q %v, n %d", c.q, c.need-1)
	}
	assert.False(t, Enough(0.5, 0), "nothing to show")
	assert.False(t, Enough(1, 1_000_000), "no number of samples is enough for the maximum")
}
