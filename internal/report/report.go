// Package report is the result of a run as data, and its writers. Schema
// describes each field of the JSON form with its unit.
package report

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// SchemaVersion is the version of the JSON form. It changes when a field
// changes its meaning or goes away, not when one is added.
const SchemaVersion = 1

// A Report is the result of one run. Counts and times leave the warm-up out.
// Durations are nanoseconds in JSON; instants are offsets from the run's start.
type Report struct {
	Schema      int              `json:"schema"` // SchemaVersion
	Tool        Tool             `json:"tool"`
	RunID       string           `json:"run_id"` // request n has the id RunID-n
	StartedAt   time.Time        `json:"started_at"`
	Interrupted bool             `json:"interrupted"` // stopped by a signal or a cancelled context
	Config      Config           `json:"config"`
	Elapsed     time.Duration    `json:"elapsed_ns"` // first due to last done
	Requests    Requests         `json:"requests"`
	Rate        Rate             `json:"rate"`
	Bytes       Bytes            `json:"bytes"`
	StatusCodes map[string]int64 `json:"status_codes"` // requests by status of the response
	Errors      []ErrorCount     `json:"errors"`       // most frequent first; a kind that did not occur is left out

	ResponseTime Distribution `json:"response_time_ns"`        // done - due, of the succeeded
	ServiceTime  Distribution `json:"service_time_ns"`         // done - sent, of the succeeded
	FailedTime   Distribution `json:"failed_response_time_ns"` // done - due, of the failed
	Lateness     Distribution `json:"lateness_ns"`             // the generator's own part of sent - due
	PermitWait   Distribution `json:"permit_wait_ns"`          // the part of sent - due spent waiting for a permit

	Slowest   []Slow          `json:"slowest"` // at most 10, slowest first
	Generator Generator       `json:"generator"`
	Warmup    *Warmup         `json:"warmup"`    // nil without one
	Intervals []Interval      `json:"intervals"` // at most 128, of equal width
	Limits    []LimitResult   `json:"limits"`
	Verdict   verdict.Verdict `json:"verdict"` // of all limits; null if none was judged
	Repeat    *Report         `json:"repeat"`  // the fresh run that a fail was repeated in; nil if there was none

	// What the distributions and the intervals were made from, for the
	// writers of other formats. All nil in a report that was read from JSON.
	ResponseHist, ServiceHist, FailedHist *hist.Histogram `json:"-"`
	LatenessHist, PermitWaitHist          *hist.Histogram `json:"-"`
	Series                                []hist.Interval `json:"-"`
}

// Quantile returns the response time of the succeeded at rank ceil(q*count), q
// in (0, 1]. It returns false where there are too few to tell: fewer than
// 1/(1-q), or none for q = 1, which is the longest.
func (r *Report) Quantile(q float64) (time.Duration, bool) {
	h := r.ResponseHist
	if h == nil || h.Count() == 0 || q < 1 && !stat.Enough(q, h.Count()) {
		return 0, false
	}
	v, ok := h.Quantile(q)
	return time.Duration(v), ok
}

// Tool is the program that measured.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Config is what was asked for, defaults filled in.
type Config struct {
	Target           string        `json:"target"`
	Method           string        `json:"method"`        // empty if the target is a Go function
	Workload         string        `json:"workload"`      // "closed" or "open"
	Requests         int64         `json:"requests"`      // 0: no bound
	Duration         time.Duration `json:"duration_ns"`   // warm-up apart; 0: no bound
	Concurrency      int           `json:"concurrency"`   // most requests in flight
	RatePerSecond    float64       `json:"rate_per_s"`    // constant rate of an open workload; 0 if closed or in stages
	Stages           []Stage       `json:"stages"`        // of an open workload whose rate changes
	Arrivals         string        `json:"arrivals"`      // of an open workload: "constant" or "poisson"; empty if closed
	Seed             uint64        `json:"seed"`          // of poisson arrivals
	Timeout          time.Duration `json:"timeout_ns"`    // per request
	Grace            time.Duration `json:"grace_ns"`      // how long an interrupted run waits for what is in flight
	Warmup           time.Duration `json:"warmup_ns"`     // 0: none
	BodyBytes        int64         `json:"body_bytes"`    // of each request's body
	NoKeepAlive      bool          `json:"no_keep_alive"` // a new connection for each request
	Insecure         bool          `json:"insecure"`      // certificates were not verified
	ConnectionsAhead int           `json:"connections_ahead"`
}

// A Stage changes the arrival rate linearly from From to To, in arrivals/s.
type Stage struct {
	Duration time.Duration `json:"duration_ns"`
	From     float64       `json:"from_per_s"`
	To       float64       `json:"to_per_s"`
}

// Requests counts what became of each. [CheckConservation] says how they add up.
type Requests struct {
	Due        int64 `json:"due"`
	Sent       int64 `json:"sent"`
	Completed  int64 `json:"completed"` // a complete response arrived, whatever its status
	Succeeded  int64 `json:"succeeded"`
	Failed     int64 `json:"failed"`
	Unsent     int64 `json:"unsent"`
	Unfinished int64 `json:"unfinished"`
}

// Rate is in requests per second over the elapsed time.
type Rate struct {
	Offered    *float64 `json:"offered_per_s"` // planned arrivals; nil in a closed workload, which plans none
	Achieved   float64  `json:"achieved_per_s"`
	Throughput float64  `json:"throughput_per_s"` // completed responses, whatever their status
	Goodput    float64  `json:"goodput_per_s"`    // succeeded responses
}

// Bytes counts octets on the wire.
type Bytes struct {
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
	Body     int64 `json:"body"`    // decoded body octets of complete responses
	Surplus  int64 `json:"surplus"` // octets that belonged to no response
}

// ErrorCount is how many requests failed in one way.
type ErrorCount struct {
	Kind    string   `json:"kind"`
	Count   int64    `json:"count"`
	First   string   `json:"first"`   // the first message, with its cause
	Samples []Sample `json:"samples"` // at most 5
}

// A Sample is one failed request.
type Sample struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// Slow is one of the slowest requests.
type Slow struct {
	ID           string        `json:"id"`
	Due          time.Duration `json:"due_ns"`
	ResponseTime time.Duration `json:"response_time_ns"`
	ServiceTime  time.Duration `json:"service_time_ns"`
	Status       int           `json:"status"` // 0 without a final status line
	Error        string        `json:"error"`  // the error kind, empty if a complete response arrived
}

// Warmup counts the requests that the rest of the report leaves out.
type Warmup struct {
	Due       int64         `json:"due"`
	Sent      int64         `json:"sent"`
	Succeeded int64         `json:"succeeded"`
	Failed    int64         `json:"failed"`
	Duration  time.Duration `json:"duration_ns"`
}

// A LimitResult is the verdict on one limit.
type LimitResult struct {
	Limit        string          `json:"limit"`
	Verdict      verdict.Verdict `json:"verdict"`       // null if not judged
	Observed     *float64        `json:"observed"`      // ns, ratio or per second, by the limit's metric; nil if unknown or without bound
	Low          *float64        `json:"low"`           // confidence interval of what was observed; nil without bound
	High         *float64        `json:"high"`          // likewise
	N            int64           `json:"n"`             // requests that were due
	NEffective   *float64        `json:"n_effective"`   // nil where the verdict does not use it
	DesignEffect *float64        `json:"design_effect"` // likewise
	Confidence   *float64        `json:"confidence"`    // of a pass or a fail, in [0, 1]; nil where it is a fact, and in doubt
	Exact        bool            `json:"exact"`         // nothing that noise can make, so neither repeated nor excused
	Reason       string          `json:"reason"`        // one line for a person
	Detail       string          `json:"detail"`        // another for one who knows statistics; empty without any
}

// Overall is the verdict of all limits together.
func Overall(limits []LimitResult) verdict.Verdict {
	var all []verdict.Result
	for _, l := range limits {
		all = append(all, verdict.Result{Verdict: l.Verdict})
	}
	return verdict.Overall(all)
}

// NewLimitResult returns r as a report holds it.
func NewLimitResult(r verdict.Result) LimitResult {
	known := func(v float64, ok bool) *float64 {
		if !ok || math.IsInf(v, 0) {
			return nil
		}
		return &v
	}
	return LimitResult{
		Limit: r.Limit.String(), Verdict: r.Verdict, N: r.N,
		Observed:     known(r.Observed, r.HaveObserved),
		Low:          known(r.Low, r.HaveInterval && (r.Low > 0 || !r.Limit.Metric.IsTime())),
		High:         known(r.High, r.HaveInterval),
		NEffective:   known(r.NEffective, r.NEffective > 0),
		DesignEffect: known(r.DesignEffect, r.NEffective > 0),
		Confidence:   known(r.Confidence, r.Confidence > 0),
		Exact:        r.Exact,
		Reason:       r.String(), Detail: r.Detail,
	}
}
