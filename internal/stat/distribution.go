// Package stat provides the statistics behind verdicts: quantiles of distributions,
// bounds of shares, tests based on ranks and signs. It works on plain numbers and does
// not know about requests, limits or verdicts.
package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// betaQuantile returns the value that a Beta(a, b) variable does not exceed
// with probability p; a and b are above 0.
func betaQuantile(p, a, b float64) float64 { return mathext.InvRegIncBeta(a, b, p) }

// normalQuantile returns the value that a standard normal variable does not
// exceed with probability p, in (0, 1).
func normalQuantile(p float64) float64 { return mathext.NormalQuantile(p) }

// normalTail returns the probability that a standard normal variable is at
// least z.
func normalTail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// StudentQuantile returns the value that a Student t variable with the given
// degrees of freedom, above 0, does not exceed with probability p, in (0, 1).
func StudentQuantile(p, freedom float64) float64 {
	if p < 0.5 {
		return -StudentQuantile(1-p, freedom)
	}
	// freedom/(freedom+t²) is Beta(freedom/2, 1/2), and exceeded by |t| on
	// both sides.
	x := betaQuantile(2*(1-p), freedom/2, 0.5)
	return math.Sqrt(freedom * (1 - x) / x)
}
