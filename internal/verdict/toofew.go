package verdict

import (
	"fmt"
	"math"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// TooFew says that n requests cannot pass l, however fast and good they are, and how
// many it takes at least; "" if they can.
func (l Limit) TooFew(n int64, s Standard) string {
	need, to := l.least(s), "pass"
	if n >= need {
		return ""
	}
	if l.Metric == Quantile {
		to = "judge" // nor can they miss it
	}
	return fmt.Sprintf("%v needs %s requests to %s", l, unit.Count(need), to)
}

// least returns the least number of requests that can pass l.
func (l Limit) least(s Standard) int64 {
	switch l.Metric {
	case Quantile:
		return needed(l.Q)
	case Mean, Throughput, Goodput:
		return leastRequests
	case Errors:
		if l.Value > 0 && l.Value < 1 && !l.lower() {
			return leastWithoutError(l.Value, s.Pass)
		}
	}
	return 1
}

// leastWithoutError returns how many requests without an error show a share of at most
// p with confidence 1-alpha, over the greatest number of batches.
func leastWithoutError(p, alpha float64) int64 {
	shows := func(n float64) bool { return stat.SurelyAtMost(0, n, p, alpha) }
	one := stat.EffectiveSize(1, fewDesign, freedom(math.MaxInt), alpha)
	return int64(math.Ceil(stat.Bisect(0, -2*math.Log(alpha)/p, shows) / one))
}
