package report

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
)

// A Distribution summarizes times. A quantile q of fewer than 1/(1-q) times is
// nil, and so is everything but Count when there are none. Min and Max are
// exact, Mean comes from the exact sum.
type Distribution struct {
	Count  int64          `json:"count"`
	Min    *time.Duration `json:"min"`
	Mean   *time.Duration `json:"mean"`
	StdDev *time.Duration `json:"stddev"`
	P50    *time.Duration `json:"p50"`
	P75    *time.Duration `json:"p75"`
	P90    *time.Duration `json:"p90"`
	P95    *time.Duration `json:"p95"`
	P99    *time.Duration `json:"p99"`
	P999   *time.Duration `json:"p99_9"`
	P9999  *time.Duration `json:"p99_99"`
	Max    *time.Duration `json:"max"`
}

// Summarize describes a histogram of nanoseconds; nil is an empty one.
func Summarize(h *hist.Histogram) Distribution {
	if h == nil || h.Count() == 0 {
		return Distribution{}
	}
	quantile := func(q float64) *time.Duration {
		v, ok := h.Quantile(q)
		if !ok || !stat.Enough(q, h.Count()) {
			return nil
		}
		return new(time.Duration(v))
	}
	return Distribution{
		Count:  h.Count(),
		Min:    new(time.Duration(h.Min())),
		Mean:   new(time.Duration(math.Round(h.Mean()))),
		StdDev: new(time.Duration(math.Round(h.StdDev()))),
		P50:    quantile(0.5),
		P75:    quantile(0.75),
		P90:    quantile(0.9),
		P95:    quantile(0.95),
		P99:    quantile(0.99),
		P999:   quantile(0.999),
		P9999:  quantile(0.9999),
		Max:    new(time.Duration(h.Max())),
	}
}
