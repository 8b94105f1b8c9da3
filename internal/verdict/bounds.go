package verdict

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// lowShare returns the share that is exceeded with confidence 1-alpha when x of
// n independent requests were seen; neither need be whole (Clopper and Pearson
// 1934). highShare returns the one that is not reached.
func lowShare(x, n, alpha float64) float64 {
	if x <= 0 {
		return 0
	}
	return betaQuantile(alpha, x, n-x+1)
}

func highShare(x, n, alpha float64) float64 {
	if x >= n {
		return 1
	}
	return betaQuantile(1-alpha, x+1, n-x)
}

// effective returns how many independent requests n are worth whose design
// effect was estimated with so many degrees of freedom, for a bound of
// confidence 1-alpha (Korn and Graubard 1998).
func effective(n, design, freedom, alpha float64) float64 {
	z, t := normalQuantile(1-alpha), studentQuantile(1-alpha, freedom)
	return n / design * (z / t) * (z / t)
}

// surelyAbove reports whether x of n independent requests show, with confidence
// 1-alpha, a share above p: the same as lowShare(x, n, alpha) > p.
func surelyAbove(x, n, p, alpha float64) bool {
	return x > 0 && mathext.RegIncBeta(x, n-x+1, p) < alpha
}

// surelyAtMost is the other side: the same as highShare(x, n, alpha) <= p.
func surelyAtMost(x, n, p, alpha float64) bool {
	return x < n && mathext.RegIncBeta(x+1, n-x, p) >= 1-alpha
}

// leastAbove returns the least share of n independent requests that shows, with
// confidence 1-alpha, one above p; +Inf if even all of them would not.
func leastAbove(n, p, alpha float64) float64 {
	if !surelyAbove(n, n, p, alpha) {
		return math.Inf(1)
	}
	return bisect(0, 1, func(f float64) bool { return surelyAbove(f*n, n, p, alpha) })
}

// mostAtMost returns the greatest share that shows one of at most p; -1 if even
// none of them would not.
func mostAtMost(n, p, alpha float64) float64 {
	if !surelyAtMost(0, n, p, alpha) {
		return -1
	}
	return bisect(0, 1, func(f float64) bool { return !surelyAtMost(f*n, n, p, alpha) })
}

// bisect returns where holds, false at low and true at high, becomes true.
func bisect(low, high float64, holds func(float64) bool) float64 {
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
