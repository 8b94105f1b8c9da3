package stat

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	check := func(want float64, x ...float64) {
		t.Helper()
		assert.Equal(t, want, Median(x))
	}
	inf := math.Inf(1)
	check(3, 3)
	check(2, 3, 1)
	check(2, 9, 1, 2)
	check(0, -inf, inf)
	check(inf, inf, inf)
	check(math.MaxFloat64, math.MaxFloat64, math.MaxFloat64) // no overflow

	x := []float64{3, 1, 2}
	Median(x)
	assert.Equal(t, []float64{3, 1, 2}, x, "the argument is not changed")
}

func TestRankCorrelation(t *testing.T) {
	check := func(want float64, values ...float64) {
		t.Helper()
		assert.InDelta(t, want, RankCorrelation(values), 1e-12)
	}
	check(1, 1, 2, 30)
	check(-1, 3, 2, 1)
	check(0, 2, 2, 2)
	check(0.5, 1, 3, 2)
	check(math.Sqrt(3)/2, 1, 1, 2) // ranks 1.5, 1.5, 3
	check(1, 1, math.Nextafter(1, 2), 2)
	check(0)
}

// The reference values are those of R's wilcox.test(exact = FALSE, correct =
// FALSE), whose variance is the same where no values are equal.
