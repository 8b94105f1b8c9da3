// Package verdict turns the record of a run into pass, fail or inconclusive,
// one verdict per limit. It is pure: no I/O, no clock. A limit on time is judged
// from exact counts, never from a quantile that a histogram has rounded to a
// bucket; histograms only say how far requests depend on each other, and where
// the interval around a quantile ends.
package verdict

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// A Metric is the quantity that a limit bounds. Times are response times.
type Metric uint8

const (
	_          Metric = iota
	Quantile          // response time at rank ceil(Q*due)
	Mean              // mean response time
	Max               // longest response time
	Errors            // (failed + unsent + unfinished) / due, in [0, 1]
	Throughput        // completed responses per second, whatever their status
	Goodput           // succeeded responses per second
)

// IsTime reports whether the metric is a response time.
func (m Metric) IsTime() bool { return m == Quantile || m == Mean || m == Max }

// An Op compares the metric, on its left, with the limit's value.
type Op uint8

const (
	_       Op = iota
	Below      // <
	AtMost     // <=
	Above      // >
	AtLeast    // >=
)

var opText = [...]string{"", "<", "<=", ">", ">="}

func (o Op) String() string { return opText[o] }

// holds reports whether a o b.
func (o Op) holds(a, b float64) bool {
	switch o {
	case Below:
		return a < b
	case AtMost:
		return a <= b
	case Above:
		return a > b
	}
	return a >= b
}

// A Limit is an assertion on one metric of a run. Limits are comparable with
// ==. The zero Limit is not valid.
type Limit struct {
	Metric Metric
	Q      float64 // of a Quantile: in (0, 1)
	Op     Op
	Time   time.Duration // of Quantile, Mean and Max: what is compared with, > 0
	Value  float64       // of Errors: a ratio in [0, 1]; of Throughput and Goodput: per second, > 0
}

// String returns the limit as [Parse] reads it: p99<=50ms, errors<=0.1%,
// throughput>=5000.
func (l Limit) String() string { return l.name() + l.Op.String() + l.want() }

// name returns the metric as limits spell it.
func (l Limit) name() string {
	switch l.Metric {
	case Quantile:
		return unit.QuantileName(l.Q)
	case Mean:
		return "mean"
	case Max:
		return "max"
	case Errors:
		return "errors"
	case Throughput:
		return "throughput"
	}
	return "goodput"
}

// want returns the limit's value as limits spell it.
func (l Limit) want() string {
	switch {
	case l.Metric.IsTime():
		return unit.Exact(l.Time)
	case l.Metric == Errors:
		return unit.Decimal(l.Value, 2) + "%"
	}
	return unit.Decimal(l.Value, 0)
}

// lower reports whether the limit is a lower bound.
func (l Limit) lower() bool { return l.Op == Above || l.Op == AtLeast }

// noisy reports whether a slow machine can make l fail: it makes responses late
// and few, never early or wrong.
func (l Limit) noisy() bool { return l.Metric != Errors && l.Metric.IsTime() != l.lower() }

// Threshold returns the T for which the number of succeeded requests with a
// response time of at most T decides the limit. It returns false where no such
// count is needed: only quantiles need one.
func (l Limit) Threshold() (time.Duration, bool) {
	if l.Metric != Quantile {
		return 0, false
	}
	if l.Op == Below || l.Op == AtLeast {
		return l.Time - 1, true // times are whole nanoseconds
	}
	return l.Time, true
}

// Thresholds returns the response times that a record has to count exactly to
// be judged by the limits, one for each limit that has one, in their order.
func Thresholds(limits []Limit) (all []time.Duration) {
	for _, l := range limits {
		if t, ok := l.Threshold(); ok {
			all = append(all, t)
		}
	}
	return all
}
