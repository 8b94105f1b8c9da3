package report

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
)

// A Distribution summarizes times. A quantile q of fewer than 1/(1-q) times is nil,
// and without any times everything except Count is nil. Min and Max are exact, and
// Mean is computed from the exact sum.
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

// Summarize summarizes a histogram of nanoseconds; nil counts as empty.
func Summarize(h *hist.Histogram) Distribution {
	if h == nil || h.Count() == 0 {
		return Distribution{}
	}
	d := Distribution{
		Count:  h.Count(),
		Min:    new(time.Duration(h.Min())),
		Mean:   new(time.Duration(math.Round(h.Mean()))),
		StdDev: new(time.Duration(math.Round(h.StdDev()))),
		Max:    new(time.Duration(h.Max())),
	}
	for q, field := range d.quantiles() {
		if v, ok := h.Quantile(q); ok && stat.Enough(q, h.Count()) {
			*field = new(time.Duration(v))
		}
	}
	return d
}

// Quantile returns d's quantile q; nil if it is not known or d has no such field.
func (d *Distribution) Quantile(q float64) *time.Duration {
	if field := d.quantiles()[q]; field != nil {
		return *field
	}
	return nil
}

// quantiles returns the field for each quantile.
func (d *Distribution) quantiles() map[float64]**time.Duration {
	return map[float64]**time.Duration{
		0.5: &d.P50, 0.75: &d.P75, 0.9: &d.P90, 0.95: &d.P95, 0.99: &d.P99, 0.999: &d.P999, 0.9999: &d.P9999,
	}
}
