package verdict

import (
	"cmp"
	"math"
	"slices"
)

// mostExact is up to how many differences the chance of a signed-rank sum is
// counted out. Chosen, as in tables of the test: beyond, the normal curve is
// near, and on the safe side of the small chances that looks ask for.
const mostExact = 25

// signedRank returns Wilcoxon's signed-rank p value for "d tends to be above
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
func signedRank(d []float64) float64 {
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
		return chanceOf(coinSums(weights), positive)
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

// coinSums returns the chance of each sum, from 0 to that of all weights, when
// a fair coin decides for each weight whether it is added. Weights are above 0.
func coinSums(weights []int) []float64 {
	total := 0
	for _, w := range weights {
		total += w
	}
	chance := make([]float64, total+1)
	chance[0] = 1
	most := 0 // the largest sum so far
	for _, w := range weights {
		most += w
		for s := most; s >= w; s-- {
			chance[s] = (chance[s] + chance[s-w]) / 2
		}
		for s := range w {
			chance[s] /= 2
		}
	}
	return chance
}

// chanceOf returns the chance of a sum of at least so much.
func chanceOf(chance []float64, least int) float64 {
	p := 0.0
	for s := len(chance) - 1; s >= least; s-- { // the small ones first
		p += chance[s]
	}
	return min(p, 1)
}
