package verdict

import (
	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
)

const (
	// A rank correlation above trendRho over trendParts happens by chance in
	// fewer than 0.05 % of runs whose parts do not depend on each other.
	trendParts = 32
	trendRho   = 0.6
)

// trend says which way the response times went during the run, by Spearman's
// rank correlation of the medians of its parts with time: "rose", "fell", or ""
// if neither way. Fewer than 32 intervals do not tell.
func trend(intervals []hist.Interval) string {
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
	switch rho := stat.RankCorrelation(medians); {
	case rho > trendRho:
		return "rose"
	case rho < -trendRho:
		return "fell"
	}
	return ""
}

// throughoutShare: what three quarters of a run show does not depend on when it
// began or ended.
const throughoutShare = 0.75

// throughout reports whether a run missed its limit in three quarters of its
// parts, however its times changed: their ratio was above most.
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
