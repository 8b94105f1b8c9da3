package stat

import (
	"cmp"
	"math"
	"slices"
)

// maxExact is the number of differences up to which the distribution of the signed-rank
// sum is counted exactly, as in tables of the test. Beyond it the normal approximation
// is good, and errs on the safe side for the small p values that comparisons need.
const maxExact = 25

// SignedRank returns Wilcoxon's signed-rank p value for "d tends to be above 0": the
// probability that the ranks of the positive differences add up to at least what they
// do if each sign is that of a fair coin (Wilcoxon 1945). Differences of equal size
// share the mean of their ranks. Zeros are ranked as the smallest and then count for
// neither sign (Pratt 1959), so that a difference that shrinks to 0 never makes the
// others look stronger. Infinite differences are the largest. It is 1 if nothing is
// above 0.
//
// Sizes and ranks do not depend on signs. So if a coin decided which of two
// measurements was subtracted from which, the p value is valid however the noise in
// them behaves: exactly up to 25 differences that are not 0, and beyond by the normal
// approximation with the variance of these ranks.
func SignedRank(d []float64) float64 {
	ranks := doubleRanks(d)
	var weights []int
	positive := 0
	for i, x := range d {
		if x == 0 {
			continue
		}
		weights = append(weights, ranks[i])
		if x > 0 {
			positive += ranks[i]
		}
	}
	if len(weights) <= maxExact {
		return atLeast(coinSums(weights), positive)
	}
	if positive == 0 {
		return 1
	}
	sum, squares := 0.0, 0.0
	for _, w := range weights {
		sum += float64(w)
		squares += float64(w) * float64(w)
	}
	// The continuity correction of half a rank is 1 in doubled ranks.
	return normalTail((float64(positive) - 1 - sum/2) / (math.Sqrt(squares) / 2))
}

// doubleRanks returns twice the rank of each |d|, which is a whole number even if equal
// ones share the mean of their ranks.
func doubleRanks(d []float64) []int {
	order := make([]int, len(d))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(math.Abs(d[i]), math.Abs(d[j])) })
	ranks := make([]int, len(d))
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && math.Abs(d[order[to]]) == math.Abs(d[order[from]]) {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = from + 1 + to
		}
		from = to
	}
	return ranks
}

// HodgesLehmann estimates the centre of x: the median of the means of all pairs of x,
// each paired with itself too (Hodges and Lehmann 1963). It also returns the interval
// with the given confidence: all points that [SignedRank] does not reject on either
// side, which reaches from one of the sorted means to another. Bounds that x is too
// short for are infinite. x must not be empty and may contain infinities.
func HodgesLehmann(x []float64, confidence float64) (point, low, high float64) {
	w := newWalsh(x)
	n := w.count()
	low, high = math.Inf(-1), math.Inf(1)
	if c := criticalRank(len(x), (1-confidence)/2); c > 0 {
		low, high = w.at(c), w.at(n+1-c)
	}
	return middle(w.at((n+1)/2), w.at(n/2+1)), low, high
}

// criticalRank returns the largest c such that the signed-rank sum of n fair coins is
// below c with a probability of at most p; 0 if there is none.
func criticalRank(n int, p float64) int {
	if n > maxExact {
		f := float64(n)
		mean, sd := f*(f+1)/4, math.Sqrt(f*(f+1)*(2*f+1)/24)
		return max(0, int(math.Floor(mean+0.5+normalQuantile(p)*sd)))
	}
	ranks := make([]int, n)
	for i := range ranks {
		ranks[i] = i + 1
	}
	c, below := 0, 0.0
	for _, chance := range coinSums(ranks) {
		if below += chance; below > p {
			break
		}
		c++
	}
	return c
}
