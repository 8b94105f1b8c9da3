package loadtestkit

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Limits are what a run is judged by. A time is the longest allowed response
// time, from when a request was due; a request that failed, was never sent or
// never finished misses every limit on time. 0 means no limit, except for
// ErrorRatio.
//
// A limit is judged from an interval around what was measured: it passes or
// fails only if the whole interval says so. A fail counts if a second run, after
// a pause, fails as well; a failed request, where none may fail, is a fact and
// counts at once.
type Limits struct {
	P50, P90, P95, P99, P999, Mean, Max time.Duration

	// ErrorRatio is the highest allowed part of the requests due that did not
	// succeed, in [0, 1]. 0 means that none may fail.
	ErrorRatio float64
	Throughput float64 // least completed responses per second
	Goodput    float64 // least succeeded responses per second

	// Kept is the least part of the rate of an [Open] load that has to succeed,
	// in [0, 1], the time until the last response included: 0.95 leaves room for
	// responses that are still on their way at the end. It needs an Open load.
	// Without Count and Duration the rate is then offered in one piece, for
	// Options.Budget, or 10s if that is 0. Give limits on time beside it.
	Kept float64
}

// list returns the limits as the engine judges them, except Kept. ErrorRatio
// comes last, so that a time missed because requests failed is explained by what
// follows. parent comes before the names of fields in faults, such as "Limits.".
func (l Limits) list(parent string) (limits []verdict.Limit, f faults) {
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
		f.add(t.most < 0, parent+t.name, "%v is negative, want a time such as 50ms", t.most)
		if t.most > 0 {
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
		f.add(!(r.least >= 0) || math.IsInf(r.least, 0), parent+r.name, "%v is out of range, want responses per second such as 500", r.least)
		if r.least > 0 {
			limits = append(limits, verdict.Limit{Metric: r.metric, Op: verdict.AtLeast, Value: r.least})
		}
	}
	f.add(!(l.ErrorRatio >= 0 && l.ErrorRatio <= 1), parent+"ErrorRatio", "%v is out of range, want 0 to 1", l.ErrorRatio)
	return append(limits, verdict.Limit{Metric: verdict.Errors, Op: verdict.AtMost, Value: l.ErrorRatio}), f
}

// A Tolerance is by how much a target may be slower than another, or than it was
// in earlier runs. The quantiles are of response times, and they and CPU are
// shares: 0.05 is 5 %. 0 means that the quantile is not judged; a Tolerance without
// quantiles and CPU judges P50 at 0.05 and P99 at 0.10.
//
// In [Compare] P50 is for the claims quick, alone, burst, locks and load, and the
// others are for tail and load; see [Claim]. By a baseline P50 is for a request alone,
// and under load can only fail.
type Tolerance struct {
	P50, P90, P95, P99, P999 float64

	CPU    float64 // of the processor time of a request; 0 means as P50
	Allocs float64 // how many objects more a request may allocate in this process: 0.5 allows none; 0 means that this is not judged
	Bytes  float64 // how many octets more, likewise
}

// list returns the tolerances of quantiles as the engine judges them; none for its
// defaults.
func (t Tolerance) list() (list []verdict.Tolerance, f faults) {
	for _, q := range []struct {
		name  string
		q     float64
		share float64
	}{{"P50", 0.5, t.P50}, {"P90", 0.9, t.P90}, {"P95", 0.95, t.P95}, {"P99", 0.99, t.P99}, {"P999", 0.999, t.P999}, {"CPU", 0, t.CPU}} {
		f.add(!(q.share >= 0 && q.share < 1e6), "Tolerance."+q.name, "%v is out of range, want a share such as 0.05, which is 5 %%", q.share)
		if q.share > 0 && q.q > 0 {
			list = append(list, verdict.SlowerBy(q.q, q.share))
		}
	}
	f.add(!(t.Allocs >= 0) || math.IsInf(t.Allocs, 0), "Tolerance.Allocs", "%v is out of range, want a number of objects such as 2", t.Allocs)
	f.add(!(t.Bytes >= 0) || math.IsInf(t.Bytes, 0), "Tolerance.Bytes", "%v is out of range, want a number of octets such as 512", t.Bytes)
	return list, f
}

// cpu returns the tolerance of processor time as the engine judges it.
func (t Tolerance) cpu() float64 {
	if !(t.CPU > 0) {
		return 0
	}
	return verdict.SlowerBy(0, t.CPU).Ratio
}
