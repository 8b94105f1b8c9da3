package stat

import (
	"math"
	"slices"
)

// Median returns the median of x, or the mean of the middle two; opposite infinities
// cancel to 0. x must not be empty and is not changed.
func Median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return middle(s[(len(s)-1)/2], s[len(s)/2])
}

// middle returns the mean of a and b; opposite infinities cancel.
func middle(a, b float64) float64 {
	if math.IsInf(a, 0) && a == -b {
		return 0
	}
	return a/2 + b/2
}

// RankCorrelation returns Spearman's correlation of values with their position
// (Spearman 1904), in [-1, 1]; equal values share the mean of their ranks. It is
// 0 if all are equal.
func RankCorrelation(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := float64(len(values))
	var xy, xx, yy float64
	for i, v := range values {
		first, _ := slices.BinarySearch(sorted, v)
		after, _ := slices.BinarySearch(sorted, math.Nextafter(v, math.Inf(1)))
		x := float64(i) - (n-1)/2
		y := float64(first+after-1)/2 - (n-1)/2
		xy, xx, yy = xy+x*y, xx+x*x, yy+y*y
	}
	if yy == 0 {
		return 0
	}
	return xy / math.Sqrt(xx*yy)
}
