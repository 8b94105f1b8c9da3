package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// enumerate returns the share of all assignments of signs to the sizes of d whose score
// is at least that of d. Scores must not need rounding.
func enumerate(d []float64, score func([]float64) float64) float64 {
	signed := make([]float64, len(d))
	want, reached := score(d), 0
	for mask := range 1 << len(d) {
		for i, x := range d {
			signed[i] = math.Abs(x)
			if mask>>i&1 == 1 {
				signed[i] = -signed[i]
			}
		}
		if score(signed) >= want {
			reached++
		}
	}
	return float64(reached) / float64(int(1)<<len(d))
}

// rankSum returns the sum of the ranks of the positive numbers in d by counting: a rank
// is the number of those that are smaller plus half the number of those that are equal.
func rankSum(d []float64) float64 {
	sum := 0.0
	for _, x := range d {
		if x <= 0 {
			continue
		}
		rank := 0.5
		for _, y := range d {
			switch {
			case math.Abs(y) < x:
				rank++
			case math.Abs(y) == x:
				rank += 0.5
			}
		}
		sum += rank
	}
	return sum
}

func TestSignedRank(t *testing.T) {
	check := func(want float64, d ...float64) {
		t.Helper()
		assert.InEpsilon(t, want, SignedRank(d), 1e-12)
	}
	inf := math.Inf(1)
	check(1.0/4096, steps(12, 1, 1)...)
	check(1, steps(12, -12, 1)...)
	check(1)
	check(1, 0, 0, 0)
	check(1.0/8, 1, 1, 1)
	check(1.0/4, 0, 3, 2)     // a zero counts for neither sign: 2 coins
	check(2.0/4, -0.1, 0, 3)  // ranks 2, 1, 3: sums 5 and 3 of 5, 3, 2, 0
	check(1.0/8, inf, inf, 1) // all sums are at most this one
	check(5.0/8, -inf, 1, 2)  // ranks 3, 1, 2: 3 is reached by 6, 5, 4, 3 and 3

	// The depression scale of Hollander and Wolfe, the example of R's
	// wilcox.test: V = 40, p = 0.01953, which is 10/512.
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	d := make([]float64, len(x))
	for i := range d {
		d[i] = x[i] - y[i]
	}
	check(10.0/512, d...)
}

// The exact probability equals that from enumerating all signs, even with ties, zeros
// and infinities.
func TestSignedRankAgainstAllSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		d := make([]float64, 1+rng.IntN(10))
		for i := range d {
			d[i] = float64(rng.IntN(13) - 6)
			if d[i] == 6 {
				d[i] = math.Inf(1)
			}
		}
		assert.InEpsilon(t, enumerate(d, rankSum), SignedRank(d), 1e-12, "%v", d)
	}
}

// From 26 differences on, the normal approximation is within a tenth of the exact
// probability where that is usual, and never below it where it is very small.
func TestSignedRankNormal(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		d := make([]float64, 26+rng.IntN(30))
		shift := rng.Float64()
		for i := range d {
			d[i] = math.Round(20 * (rng.NormFloat64() + shift)) // with ties
		}
		var weights []int
		positive := 0
		for i, r := range doubleRanks(d) {
			if d[i] != 0 {
				weights = append(weights, r)
			}
			if d[i] > 0 {
				positive += r
			}
		}
		exact, got := atLeast(coinSums(weights), positive), SignedRank(d)
		if exact > 0.01 {
			assert.InEpsilon(t, exact, got, 0.1)
		}
		assert.Greater(t, got, 0.95*exact)
		if exact < 0.001 {
			assert.GreaterOrEqual(t, got, exact)
		}
	}
}

// The interval of Hodges and Lehmann contains what the test does not reject: relative
// to a point just below its lower end the numbers are significantly above 0, relative
// to one just above it they are not.
func TestHodgesLehmann(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	const eps = 1e-9
	for _, n := range []int{1, 2, 7, 8, 12, 19, 25, 26, 40} {
		x := make([]float64, n)
		var means []float64
		for i := range x {
			x[i] = rng.NormFloat64()
			for j := range i + 1 {
				means = append(means, (x[i]+x[j])/2)
			}
		}
		point, low, high := HodgesLehmann(x, 0.99)
		below, above := 0, 0
		for _, m := range means {
			if m < point-eps {
				below++
			}
			if m > point+eps {
				above++
			}
		}
		assert.Equal(t, below, above, "equally many means on either side")
		if n < 8 { // 2^-7 is more than 0.005
			assert.Equal(t, math.Inf(-1), low)
			assert.Equal(t, math.Inf(1), high)
			continue
		}
		moved := func(by, sign float64) float64 {
			y := make([]float64, n)
			for i := range x {
				y[i] = sign * (x[i] - by)
			}
			return SignedRank(y)
		}
		assert.LessOrEqual(t, moved(low-eps, 1), 0.005, "n %d", n)
		assert.Greater(t, moved(low+eps, 1), 0.005, "n %d", n)
		assert.LessOrEqual(t, moved(high+eps, -1), 0.005, "n %d", n)
		assert.Greater(t, moved(high-eps, -1), 0.005, "n %d", n)
	}

	point, _, _ := HodgesLehmann([]float64{3, 1}, 0.99)
	assert.Equal(t, 2.0, point)
	point, low, high := HodgesLehmann(append(steps(12, 0, 1), math.Inf(1), math.Inf(-1)), 0.99)
	assert.Equal(t, 5.5, point, "opposite infinities cancel")
	assert.Less(t, low, 5.5)
	assert.Greater(t, high, 5.5)
	point, _, high = HodgesLehmann([]float64{0, 1, 2, 3, 4, 5, 6, 7, 8, math.Inf(1)}, 0.99)
	assert.False(t, math.IsInf(point, 0))
	assert.Equal(t, math.Inf(1), high)

	// The 1 % points of the test, two-sided, in the usual tables.
	for n, c := range map[int]int{7: 0, 8: 1, 9: 2, 10: 4, 12: 8, 15: 16, 20: 38, 25: 69} {
		assert.Equal(t, c, criticalRank(n, 0.005), "n %d", n)
	}
}

func TestSignFlip(t *testing.T) {
	check := func(want float64, d ...int64) {
		t.Helper()
		assert.InEpsilon(t, want, SignFlip(d), 1e-12, "%v", d)
	}
	check(1)
	check(1, 0, 0)
	check(0.5, 7)
	check(1, -7)
	check(1.0/8, 1, 5, 2, 0)
	check(2.0/8, 3, -1, 2) // 3-1+2 is reached by itself and 3+1+2 only
	check(1.0/1024, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	check(1.0/1024, 1e9, 2e9, 3e9, 4e9, 5e9, 6e9, 7e9, 8e9, 9e9, 10e9)

	// 12 of 9,012 in units of 2: each still counts as one unit.
	check(1.0/8192, 9000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)

	rng := rand.New(rand.NewPCG(1, 4))
	sum := func(d []float64) float64 {
		s := 0.0
		for _, x := range d {
			s += x
		}
		return s
	}
	for range 300 {
		d := make([]int64, 1+rng.IntN(10))
		f, large := make([]float64, len(d)), make([]int64, len(d))
		for i := range d {
			d[i] = rng.Int64N(13) - 5
			f[i] = float64(d[i])
			large[i] = 1e12 * d[i]
		}
		want := enumerate(f, sum)
		assert.InEpsilon(t, want, SignFlip(d), 1e-12, "%v", d)
		assert.InDelta(t, want, SignFlip(large), 0.15, "%v: rounding may break a tie", d)
	}
}

func TestSignEvidence(t *testing.T) {
	check := func(heads, n int, want float64) {
		t.Helper()
		assert.InDelta(t, want, SignEvidence(heads, n), 1e-8)
	}
	check(9, 9, 4.62790967)
	check(9, 9, math.Log(1024.0/10*(1-1.0/1024))) // the mean of x^9 over (1/2, 1)
	check(0, 0, 0)
	check(1, 1, math.Log(1.5))
	check(0, 1, math.Log(0.5))
	check(0, 200, -math.Log(201))

	// It is a fair game: on average the next throw of a fair coin leaves the evidence
	// unchanged. That is why it may be looked at after every throw.
	for n := range 200 {
		for heads := range n + 1 {
			next := (math.Exp(SignEvidence(heads+1, n+1)) + math.Exp(SignEvidence(heads, n+1))) / 2
			assert.InEpsilon(t, math.Exp(SignEvidence(heads, n)), next, 1e-9)
		}
	}
}

// steps returns n numbers, each step above the last.
func steps(n int, from, step float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = from + float64(i)*step
	}
	return out
}

// TestWalshMeansAreThoseOfAllPairs compares with the sorted means, which at finds
// without making them.
func TestWalshMeansAreThoseOfAllPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	special := []float64{math.Inf(1), math.Inf(-1), 0, 1, 1, -1}
	for n := range 60 {
		x := make([]float64, n+1)
		for i := range x {
			x[i] = rng.NormFloat64() + float64(n%3)*10 - 10
			if rng.IntN(3) == 0 {
				x[i] = special[rng.IntN(len(special))]
			}
		}
		var means []float64
		for i := range x {
			for j := range i + 1 {
				means = append(means, middle(x[i], x[j]))
			}
		}
		slices.Sort(means)
		w := newWalsh(x)
		require.Equal(t, len(means), w.count())
		for k, want := range means {
			require.InDelta(t, 0, middle(want, -w.at(k+1)), 1e-12, "mean %d of %v", k+1, x)
		}
	}
	w := newWalsh([]float64{math.Inf(1), 6, math.Inf(-1), 5})
	assert.Equal(t, []float64{0, 5, 5.5, 6}, []float64{w.at(4), w.at(5), w.at(6), w.at(7)}, "what cancels may lie outside")
}
