package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// mostUnits bounds the time SignFlip takes: 200 differences take under 2 ms,
// and a pair of middling size is still 40 units.
const mostUnits = 8192

// SignFlip returns the chance that the differences add up to at least as much
// as they do when each sign is a fair coin's and their sizes stay: the p value
// of "the sum is above 0", exact where a coin decided which of two measurements
// was subtracted from which (Fisher 1935). It is 1 if none is above 0.
//
// Sizes are counted in units so large that there are at most 8192, which is in
// ones if their sum is small. Rounding them does not make the p value wrong: it
// is exact for the rounded ones too, since a sign has no part in rounding.
//
// Note: drawing some thousand signs at random instead could not show a p value
// below one in as many, and the first looks at a comparison ask for less.
func SignFlip(differences []int64) float64 {
	total := int64(0)
	for _, d := range differences {
		total += max(d, -d)
	}
	unit := (total + mostUnits - 1) / mostUnits
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

// atLeast returns the chance of a sum of at least least, from those of each.
func atLeast(chance []float64, least int) float64 {
	p := 0.0
	for s := len(chance) - 1; s >= least; s-- { // the small ones first
		p += chance[s]
	}
	return min(p, 1)
}

// SignEvidence returns the logarithm of the evidence that a coin favours heads,
// after heads of n throws: how much more likely they are if its chance of heads
// is anywhere in (1/2, 1), evenly, than if it is fair,
//
//	2^n * mean of x^heads * (1-x)^(n-heads) over x in (1/2, 1).
//
// Whenever one looks, and however often, a fair coin's evidence ever reaches E
// with a chance of at most 1/E (Ville 1939): 9 heads of 9 are evidence of 102.
// It is 0 for no throws.
func SignEvidence(heads, n int) float64 {
	a, b := float64(heads+1), float64(n-heads+1)
	// The integral over (1/2, 1) is Beta(a, b)'s part above 1/2.
	return float64(n+1)*math.Ln2 + mathext.Lbeta(a, b) + math.Log(mathext.RegIncBeta(b, a, 0.5))
}
