package loadtestkit

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Limits are what a run is judged by. A time is the longest allowed response
// time, from when a request was due; a request that failed, was never sent or
// never finished misses every limit on time. 0 means no limit, but for
// ErrorRatio.
//
// A limit is judged from an interval around what was measured: it passes or
// fails only if the whole interval says so. A fail counts if a second run,
// after a pause, fails as well; but a failed request, where none may, is no
// matter of luck, and counts at once.
type Limits struct {
	P50, P90, P95, P99, P999, Mean, Max time.Duration

	// ErrorRatio is the highest allowed part of the requests due that did not
	// succeed, in [0, 1]. 0 means that none may fail.
	ErrorRatio float64
	Throughput float64 // least completed responses per second
	Goodput    float64 // least succeeded responses per second

	// MinRate offers this many arrivals per second, an open workload in place
	// of Rate, in one piece: without Requests and Duration for Options.Budget,
	// 10s if that is 0. At least 95 % of the rate has to succeed, the time until
	// the last response included; give limits on time beside it. 0 means no
	// such limit.
	MinRate float64

	// Relative is a limit that means the same on every machine: the target's
	// median response time over a reference's, measured as [Compare] does. The
	// zero value means no such limit.
	Relative Relative
}

// Relative allows a target at most Times the median response time of To, such
// as a handler that does the least work that could serve.
type Relative struct {
	To    Target
	Times float64 // at least 1
}

// list returns the limits as the engine judges them. ErrorRatio comes last, so
// that a time missed because requests failed is explained by what follows.
func (l Limits) list() ([]verdict.Limit, error) {
	var limits []verdict.Limit
	var errs []error
	for _, t := range []struct {
		name   string
		metric verdict.Metric
		q      float64
		most   time.Duration
	}{
		{"P50", verdict.Quantile, 0.50, l.P50},
		{"P90", verdict.Quantile, 0.90, l.P90},
		{"P95", verdict.Quantile, 0.95, l.P95},
		{"P99", verdict.Quantile, 0.99, l.P99},
		{"P999", verdict.Quantile, 0.999, l.P999},
		{"Mean", verdict.Mean, 0, l.Mean},
		{"Max", verdict.Max, 0, l.Max},
	} {
		if t.most < 0 {
			errs = append(errs, fmt.Errorf("limits: %s: %v is negative, want a time such as 50ms", t.name, t.most))
		} else if t.most > 0 {
			limits = append(limits, verdict.Limit{Metric: t.metric, Q: t.q, Op: verdict.AtMost, Time: t.most})
		}
	}
	for _, r := range []struct {
		name   string
		metric verdict.Metric
		least  float64
	}{
		{"Throughput", verdict.Throughput, l.Throughput},
		{"Goodput", verdict.Goodput, l.Goodput},
	} {
		if !(r.least >= 0) || math.IsInf(r.least, 0) {
			errs = append(errs, fmt.Errorf("limits: %s: %v is out of range, want responses per second such as 500", r.name, r.least))
		} else if r.least > 0 {
			limits = append(limits, verdict.Limit{Metric: r.metric, Op: verdict.AtLeast, Value: r.least})
		}
	}
	if !(l.ErrorRatio >= 0 && l.ErrorRatio <= 1) {
		errs = append(errs, fmt.Errorf("limits: ErrorRatio: %v is out of range, want 0 to 1", l.ErrorRatio))
	}
	limits = append(limits, verdict.Limit{Metric: verdict.Errors, Op: verdict.AtMost, Value: l.ErrorRatio})
	return limits, errors.Join(errs...)
}
