package verdict

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// repeat returns n batches of the sums in turn, of 10 each.
func repeat(n int, sums ...float64) []batch {
	out := make([]batch, n)
	for i := range out {
		out[i] = batch{sums[i%len(sums)], 10}
	}
	return out
}

func TestLevels(t *testing.T) {
	check := func(intervals int, df float64, want ...int) {
		t.Helper()
		assert.Equal(t, want, levels(intervals))
		assert.Equal(t, df, freedom(intervals))
	}
	check(128, 15, 64, 32, 16)
	check(64, 15, 64, 32, 16)
	check(63, 15, 32, 16)
	check(16, 15, 16)
	check(15, 14, 15)
	check(8, 7, 8)
	check(7, 0)
	check(0, 0)
}

// Merging keeps every count, whatever the numbers.
func TestMerge(t *testing.T) {
	for n := 16; n <= 128; n++ {
		all := make([]batch, n)
		for i := range all {
			all[i] = batch{float64(i), 1}
		}
		for _, count := range levels(n) {
			merged := merge(all, count)
			assert.Len(t, merged, count)
			assert.Equal(t, batch{float64(n * (n - 1) / 2), float64(n)}, total(merged))
			for _, b := range merged {
				assert.InDelta(t, float64(n)/float64(count), b.of, 1, "%d in %d", n, count)
			}
		}
	}
}

func TestDesignEffect(t *testing.T) {
	check := func(want float64, all []batch, why string) {
		t.Helper()
		assert.InEpsilon(t, want, designEffect(all), 1e-9, why)
	}
	check(1, repeat(64, 1), "evenly spread: less than independent ones vary, but never below 1")
	check(1, repeat(64, 0), "none")
	check(1, repeat(64, 10), "all")
	check(1, nil, "nothing")
	check(1, repeat(7, 0, 10), "too few batches to tell")

	// All or nothing in turn: of 64 batches each is 5 off its mean 5, so the
	// sum of squares is 64*25; independent requests have 640*0.25. Merged they
	// are equal, and neighbours differ, which corrects nothing.
	check(10*64./63, repeat(64, 0, 10), "ten at once")
	// Pairs: 32 batches of 20 then differ by 10 from their mean 10. Among the 64
	// neighbours, 32 pairs agree and 31 differ: r = 1/64.
	check(20*32./31, repeat(64, 0, 0, 10, 10), "twenty at once show in half as many batches")

	// One half all, one half nothing: 16 batches of 40, each 20 off. Of 15
	// neighbours 14 agree and one differs: r = 13/16, (1+r)/(1-r) = 29/3.
	half := append(repeat(32, 0), repeat(32, 10)...)
	most := 0.0
	for _, n := range []float64{64, 32, 16} {
		r := min((n-3)/n, maxCorrelation)
		most = max(most, 640/n*n/(n-1)*(1+r)/(1-r))
	}
	check(most, half, "a change for good is what varies most")

	// Batches of unequal size at the same ratio do not vary at all.
	uneven := make([]batch, 64)
	for i := range uneven {
		uneven[i] = batch{float64(i + 1), float64(10 * (i + 1))}
	}
	check(1, uneven, "a rate that rises is no dependence")
}

func TestStudentBounds(t *testing.T) {
	// 16 seconds of 90 and 110 in turn: the ratio is 100, its variance
	// 16*100*16/15/16², the t quantiles of 15 degrees of freedom.
	seconds := make([]batch, 16)
	for i := range seconds {
		seconds[i] = batch{90 + 20*float64(i%2), 1}
	}
	se := math.Sqrt(100. / 15)
	low, high := studentBounds(100, seconds, 0.01, 0.05)
	assert.InDelta(t, 100-2.6024802950*se, low, 1e-6)
	assert.InDelta(t, 100+1.7530503557*se, high, 1e-6)
}
