package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// maxUnits bounds the time that SignFlip takes: 200 differences take under 2 ms, and
// one of average size is still 40 units.
const maxUnits = 8192

// SignFlip returns the p value for "the sum of the differences is above 0": the
// probability that they add up to at least what they do if each sign is that of a fair
// coin. It is exact if a coin decided which of two measurements was subtracted from
// which (Fisher 1935). It is 1 if none is above 0.
//
// Sizes are rounded to units large enough that there are at most 8192 in all, and are
// not rounded if their sum is small. The p value stays valid, because rounding does
// not depend on signs.
//
// Drawing a few thousand random signs instead could not show a p value below one in a
// few thousand, and the first looks at a comparison need smaller ones.
func SignFlip(differences []int64) float64 {
	total := int64(0)
	for _, d := range differences {
		total += max(d, -d)
	}
	unit := (total + maxUnits - 1) / maxUnits
	var weights []int
	positive := 0
	for _, d := range differences {
		if d == 0 {
			continue
		}
		w := int((max(d, -d) + unit/2) / unit)
		if w == 0 {
			continue
		}
		weights = append(weights, w)
		if d > 0 {
			positive += w
		}
	}
	return atLeast(coinSums(weights), positive)
}

// coinSums returns the probability of each sum, from 0 to that of all weights, if a fair
// coin decides for each weight whether it is added. Weights are above 0.
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

// atLeast returns the probability of a sum of at least least, given that of each sum.
func atLeast(chance []float64, least int) float64 {
	p := 0.0
	for s := len(chance) - 1; s >= least; s-- { // the small ones first
		p += chance[s]
	}
	return min(p, 1)
}

// SignEvidence returns the logarithm of the evidence that a coin favours heads after
// the given number of heads in n throws: how much more likely these throws are if the
// probability of heads is uniform in (1/2, 1) than if the coin is fair,
//
//	2^n * mean of x^heads * (1-x)^(n-heads) over x in (1/2, 1).
//
// However often one looks, the evidence of a fair coin ever reaches E with a
// probability of at most 1/E (Ville 1939): 9 heads in 9 throws are evidence of 102.
// The logarithm is 0 without throws.
func SignEvidence(heads, n int) float64 {
	a, b := float64(heads+1), float64(n-heads+1)
	// The integral over (1/2, 1) is the part of Beta(a, b) above 1/2.
	return float64(n+1)*math.Ln2 + mathext.Lbeta(a, b) + math.Log(mathext.RegIncBeta(b, a, 0.5))
}
