package report

import "time"

// A Distribution summarizes times. A quantile q of fewer than 1/(1-q) times is
// nil, and so is everything but Count when there are none. Min and Max are
// exact, Mean and StdDev computed from exact sums.
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
