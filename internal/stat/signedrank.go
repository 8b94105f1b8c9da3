package stat

import (
	"cmp"
	"math"
	"slices"
)

// mostExact is up to how many differences the chance of a signed-rank sum is
// counted out, as in tables of the test: beyond, the normal curve is near, and
// on the safe side of the small chances that looks at a comparison ask for.
const mostExact = 25

// SignedRank returns Wilcoxon's signed-rank p value for "d tends to be above
// 0": the chance that the ranks of the positive add up to as much as they do
// when each sign is a fair coin's (Wilcoxon 1945). Differences of equal size
// share the mean of their ranks. Zeros are ranked, as the smallest, and then
// count for neither sign (Pratt 1959), so that a difference which shrinks to 0
// never makes the others look stronger. Infinite differences are the largest.
// It is 1 if nothing is above 0.
//
// Sizes and ranks have no part in signs. So where a coin decided which of two
// measurements was subtracted from which, the p value is exact, however the
// noise in them behaves: up to 25 differences that are not 0 by counting, beyond
// by the normal curve with its variance for these very ranks.
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
	if len(weights) <= mostExact {
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
	// Half a rank of continuity is 1 in doubled ranks.
	return normalTail((float64(positive) - 1 - sum/2) / (math.Sqrt(squares) / 2))
}

// doubleRanks returns twice the rank of each |d|, a whole number even where
// equal ones share the mean of theirs.
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

// HodgesLehmann returns the point around which x lies evenly, by the median of
// the means of all pairs of x, each with itself too (Hodges and Lehmann 1963),
// and its interval of the given confidence: all points which [SignedRank] does
// not reject on either side, from the smallest such mean whose rank a coin's
// chance allows to the largest. Bounds that so few x do not give are infinite.
// x is not empty and may hold infinities.
func HodgesLehmann(x []float64, confidence float64) (point, low, high float64) {
	n := len(x)
	means := make([]float64, 0, n*(n+1)/2)
	for i := range x {
		for j := range i + 1 {
			means = append(means, middle(x[i], x[j]))
		}
	}
	slices.Sort(means)
	low, high = math.Inf(-1), math.Inf(1)
	if c := criticalRank(n, (1-confidence)/2); c > 0 {
		low, high = means[c-1], means[len(means)-c]
	}
	return Median(means), low, high
}

// criticalRank returns the largest c for which a signed-rank sum of n fair
// coins is below c with a chance of at most p; 0 if there is none.
func criticalRank(n int, p float64) int {
	if n > mostExact {
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
