package report

import (
	"io"
	"time"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Comparison is the result of two targets measured against each other in one
// run: in pairs of short blocks, one of each, in random order.
type Comparison struct {
	Schema      int           `json:"schema"` // SchemaVersion
	Tool        Tool          `json:"tool"`
	RunID       string        `json:"run_id"`
	StartedAt   time.Time     `json:"started_at"`
	Interrupted bool          `json:"interrupted"`
	Config      Config        `json:"config"` // of both arms, but for the target: that is head's
	Elapsed     time.Duration `json:"elapsed_ns"`

	Pairs int           `json:"pairs"`    // that were judged
	Block time.Duration `json:"block_ns"` // length of each block, the guard included
	Guard time.Duration `json:"guard_ns"` // what is due in a block before its end is sent and not counted
	Seed  uint64        `json:"seed"`     // of the order within each pair

	Base Arm `json:"base"`
	Head Arm `json:"head"`

	Ratios  []Ratio         `json:"ratios"`
	Limits  []LimitResult   `json:"limits"` // of head alone, such as its error ratio
	Verdict verdict.Verdict `json:"verdict"`

	Repeat *Comparison `json:"repeat"` // the fresh run that a fail was repeated in; nil if there was none

	Generator Generator `json:"generator"`
}

// An Arm is what one of the two targets did, guards left out.
type Arm struct {
	Target       string           `json:"target"`
	Requests     Requests         `json:"requests"`
	Rate         Rate             `json:"rate"` // over the time of its own blocks
	StatusCodes  map[string]int64 `json:"status_codes"`
	Errors       []ErrorCount     `json:"errors"`
	ResponseTime Distribution     `json:"response_time_ns"`

	// What one request allocates in this process, over the wire: exact where
	// the target is in it. Nil where it is not.
	AllocsPerRequest *float64 `json:"allocs_per_request"`
	BytesPerRequest  *float64 `json:"bytes_per_request"`
}

// A Ratio is head's response time over base's at one quantile.
type Ratio struct {
	Quantile   string          `json:"quantile"`  // such as p50
	Tolerance  float64         `json:"tolerance"` // the largest ratio that passes, such as 1.05
	Ratio      *float64        `json:"ratio"`     // Hodges-Lehmann estimate over the pairs; nil if unknown or without bound
	Low        *float64        `json:"low"`       // its confidence interval
	High       *float64        `json:"high"`
	Confidence float64         `json:"confidence"` // of the interval, in [0, 1]
	Base       *time.Duration  `json:"base_ns"`    // the quantile of all that base's blocks counted
	Head       *time.Duration  `json:"head_ns"`
	Pairs      int             `json:"pairs"`       // that the ratio is from
	BlockLevel bool            `json:"block_level"` // a block has too few requests for this quantile: the ratio is of block maxima
	Verdict    verdict.Verdict `json:"verdict"`
	Reason     string          `json:"reason"` // one line for a person
	Detail     string          `json:"detail"` // another for one who knows statistics; empty without any
}

// Judged is the verdict and the reason of each ratio, then each limit of head.
func (c *Comparison) Judged() []LimitResult {
	var all []LimitResult
	for _, r := range c.Ratios {
		all = append(all, LimitResult{Verdict: r.Verdict, N: int64(r.Pairs), Reason: r.Reason})
	}
	return append(all, c.Limits...)
}

// WriteJSON writes c as [WriteJSON] writes a report.
func (c *Comparison) WriteJSON(w io.Writer) error { return writeObject(w, c.whole()) }

// whole is a copy of c without nil lists; nil of nil.
func (c *Comparison) whole() *Comparison {
	if c == nil {
		return nil
	}
	out := *c
	out.Config = c.Config.whole()
	for _, a := range []*Arm{&out.Base, &out.Head} {
		a.StatusCodes, a.Errors = object(a.StatusCodes), wholeErrors(a.Errors)
	}
	out.Ratios, out.Limits = list(c.Ratios), list(c.Limits)
	out.Repeat = c.Repeat.whole()
	out.Generator = c.Generator.whole()
	return &out
}
