package verdict

import (
	"math"
	"slices"
)

// hodgesLehmann returns the point around which x lies evenly, by the median of
// the means of all pairs of x, each with itself too (Hodges and Lehmann 1963),
// and its interval of the given confidence: all points which [signedRank] does
// not reject on either side, from the smallest such mean whose rank a coin's
// chance allows to the largest. Bounds that so few x do not give are infinite.
// x is not empty and may hold infinities.
func hodgesLehmann(x []float64, confidence float64) (point, low, high float64) {
	n := len(x)
	means := make([]float64, 0, n*(n+1)/2)
	for i := range x {
		for j := range i + 1 {
			means = append(means, middle(x[i], x[j]))
		}
	}
	slices.Sort(means)
	m := len(means)
	point = middle(means[(m-1)/2], means[m/2])
	low, high = math.Inf(-1), math.Inf(1)
	if c := criticalRank(n, (1-confidence)/2); c > 0 {
		low, high = means[c-1], means[m-c]
	}
	return point, low, high
}

// middle returns the mean of a and b; opposite infinities cancel.
func middle(a, b float64) float64 {
	if math.IsInf(a, 0) && a == -b {
		return 0
	}
	return a/2 + b/2
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
