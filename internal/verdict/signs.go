package verdict

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// signEvidence returns the logarithm of the evidence that a coin favours heads,
// after so many heads of n throws: how much more likely they are if its chance
// of heads is anywhere in (1/2, 1), evenly, than if it is fair,
//
//	2^n * mean of x^heads * (1-x)^(n-heads) over x in (1/2, 1).
//
// Whenever one looks, and however often, a fair coin's evidence ever reaches E
// with a chance of at most 1/E (Ville 1939): 9 heads of 9 are evidence of 102.
// It is 0 for no throws.
func signEvidence(heads, n int) float64 {
	a, b := float64(heads+1), float64(n-heads+1)
	// The integral over (1/2, 1) is Beta(a, b)'s part above 1/2.
	return float64(n+1)*math.Ln2 + mathext.Lbeta(a, b) + math.Log(mathext.RegIncBeta(b, a, 0.5))
}
