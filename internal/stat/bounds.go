package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// LowShare returns the lower bound of a share, with confidence 1-alpha, after x of n
// independent trials, which need not be whole numbers (Clopper and Pearson 1934).
func LowShare(x, n, alpha float64) float64 {
	if x <= 0 {
		return 0
	}
	return betaQuantile(alpha, x, n-x+1)
}

// HighShare returns the upper bound; see [LowShare].
func HighShare(x, n, alpha float64) float64 {
	if x >= n {
		return 1
	}
	return betaQuantile(1-alpha, x+1, n-x)
}

// EffectiveSize returns how many independent trials n dependent ones are worth for a
// bound with confidence 1-alpha. design is their design effect, estimated with the
// given degrees of freedom (Korn and Graubard 1998).
func EffectiveSize(n, design, freedom, alpha float64) float64 {
	z, t := normalQuantile(1-alpha), StudentQuantile(1-alpha, freedom)
	return n / design * (z / t) * (z / t)
}

// SurelyAbove reports whether x of n independent trials show, with confidence 1-alpha,
// a share above p: whether LowShare(x, n, alpha) > p.
func SurelyAbove(x, n, p, alpha float64) bool {
	return x > 0 && mathext.RegIncBeta(x, n-x+1, p) < alpha
}

// SurelyAtMost reports whether they show a share of at most p: whether
// HighShare(x, n, alpha) <= p.
func SurelyAtMost(x, n, p, alpha float64) bool {
	return x < n && mathext.RegIncBeta(x+1, n-x, p) >= 1-alpha
}

// LeastAbove returns the least share of n independent trials that shows, with
// confidence 1-alpha, a share above p; +Inf if even all of them would not.
func LeastAbove(n, p, alpha float64) float64 {
	if !SurelyAbove(n, n, p, alpha) {
		return math.Inf(1)
	}
	return Bisect(0, 1, func(f float64) bool { return SurelyAbove(f*n, n, p, alpha) })
}

// MostAtMost returns the greatest share of n independent trials that shows, with
// confidence 1-alpha, a share of at most p; -1 if not even 0 does.
func MostAtMost(n, p, alpha float64) float64 {
	if !SurelyAtMost(0, n, p, alpha) {
		return -1
	}
	return Bisect(0, 1, func(f float64) bool { return !SurelyAtMost(f*n, n, p, alpha) })
}

// Bisect returns the point between low, where holds is false, and high, where it is
// true, at which it becomes true.
func Bisect(low, high float64, holds func(float64) bool) float64 {
	// 50 halvings use up the 53 bits of a float64 between the ends.
	for range 50 {
		if mid := (low + high) / 2; holds(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}
