package verdict

import (
	"math"
	"slices"

	"github.com/loadtestkit/load-tester/internal/hist"
)

const (
	// trendParts and trendRho are chosen: a rank correlation of more than 0.6
	// over 32 parts happens by chance in fewer than 0.05 % of runs whose parts
	// do not depend on each other.
	trendParts = 32
	trendRho   = 0.6
)

// trend says which way the response times went during the run, by Spearman's
// rank correlation of the medians of its parts with time: "rose", "fell", or ""
// if neither way. Fewer than 32 intervals do not tell.
func trend(intervals []hist.Interval) string {
	intervals = loaded(intervals)
	if len(intervals) < trendParts {
		return ""
	}
	var medians []float64
	for i := range trendParts {
		h := merged(intervals[i*len(intervals)/trendParts : (i+1)*len(intervals)/trendParts])
		if v, ok := h.Quantile(0.5); ok {
			medians = append(medians, float64(v))
		}
	}
	switch rho := rankCorrelation(medians); {
	case rho > trendRho:
		return "rose"
	case rho < -trendRho:
		return "fell"
	}
	return ""
}

// rankCorrelation returns Spearman's correlation of values with their position;
// equal values share the mean of their ranks. It is 0 if all are equal.
func rankCorrelation(values []float64) float64 {
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

// throughoutShare is chosen: what three quarters of a run show is no matter of
// when it began or ended.
const throughoutShare = 0.75

// throughout reports whether a run missed its limit in most of its parts,
// however its times changed in between: their ratio was above most.
func throughout(parts []batch, most float64) bool {
	if len(parts) < trendParts {
		return false
	}
	missed := 0
	for _, b := range merge(parts, trendParts) {
		if b.sum > most*b.of {
			missed++
		}
	}
	return float64(missed) >= throughoutShare*trendParts
}
