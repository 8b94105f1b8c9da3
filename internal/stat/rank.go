package stat

import "math"

// Rank returns the rank of quantile q among n ordered samples, counted from 1: the
// nearest rank ceil(q*n), in [1, n], or 0 if n is not positive. q is in (0, 1]; values
// outside are clamped, and NaN counts as 0.
//
// A q written in decimals is seldom exact in binary, so q*n may land just above
// the integer that was meant: 0.07*100 is 7.000000000000001, and its rank is 7,
// not 8.
func Rank(q float64, n int64) int64 {
	x := q * float64(n)
	switch {
	case n <= 0:
		return 0
	case !(x > 1): // NaN too
		return 1
	case x >= float64(n):
		return n
	}
	// q itself, a division or subtraction that made it (99.9/100, 1-0.001), and
	// the product may each be off by up to 2^-53.
	const slack = 0x1p-51
	if r := math.Round(x); math.Abs(x-r) <= float64(n)*slack {
		x = r
	}
	return min(int64(math.Ceil(x)), n)
}

// Enough reports whether n samples are enough to show quantile q: at least
// 1/(1-q) of them, so that one lies above it and it is not merely the largest.
// It is false if q is 1 or more: show the maximum instead.
func Enough(q float64, n int64) bool { return Rank(q, n) < n }
