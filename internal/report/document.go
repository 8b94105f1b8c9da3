// Package report holds the result of a measurement as data: one Document for runs,
// comparisons and searches, built from records and verdicts. Schema describes each
// field of its JSON form with its unit. Other packages show it to people and to other
// programs.
package report

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// SchemaVersion is the version of the JSON form. It changes when a field changes its
// meaning or is removed, not when one is added.
const SchemaVersion = 2

// A Kind is a kind of measurement.
type Kind string

const (
	Run        Kind = "run"        // one load on one target
	Comparison Kind = "comparison" // two targets measured against each other
	Search     Kind = "search"     // trials at many rates, for the highest at which the limits hold
)

// A Document is the result of one measurement. Counts and times leave the
// warm-up out. Durations are nanoseconds in JSON; instants are offsets in the
// course of what was measured.
type Document struct {
	Schema      int       `json:"schema"` // SchemaVersion
	Kind        Kind      `json:"kind"`
	Tool        Tool      `json:"tool"`
	RunID       string    `json:"run_id"` // request n has the id RunID-n
	StartedAt   time.Time `json:"started_at"`
	Interrupted bool      `json:"interrupted"` // stopped by a signal or a cancelled context
	Config      Config    `json:"config"`      // what was asked for

	// Took is how long everything took, including what is not counted: warm-up,
	// breaks, the other target of a comparison. The repeat is not included.
	Took time.Duration `json:"took_ns"`

	// The results: of a run, of a comparison's head, or of all trials of a search.
	Arm

	Base   *Arm    `json:"base"`   // what head is compared with; nil except in a comparison
	Pairs  *Pairs  `json:"pairs"`  // how the two were compared; nil except in a comparison
	Ratios []Ratio `json:"ratios"` // of head over base; empty except in a comparison
	Found  *Found  `json:"search"` // what a search found; nil except in a search

	Limits   []LimitResult   `json:"limits"`
	Verdict  verdict.Verdict `json:"verdict"`  // of all ratios and limits, or of a search; null if nothing was judged
	Recorded string          `json:"recorded"` // whether a baseline was updated; "" if that was not asked for
	Repeat   *Document       `json:"repeat"`   // the second measurement, made after a fail; nil if there was none

	Generator Generator `json:"generator"`
}

// An Arm holds the results of the requests to one target.
type Arm struct {
	Target      string           `json:"target"`
	Elapsed     time.Duration    `json:"elapsed_ns"` // first due to last done
	Requests    Requests         `json:"requests"`
	Rate        Rate             `json:"rate"`
	Bytes       record.Octets    `json:"bytes"`
	StatusCodes map[string]int64 `json:"status_codes"` // requests by status of the response
	Errors      []ErrorCount     `json:"errors"`       // most frequent first; a kind that did not occur is left out

	ResponseTime Distribution `json:"response_time_ns"`        // done - due, of the succeeded
	ServiceTime  Distribution `json:"service_time_ns"`         // done - sent, of the succeeded
	FailedTime   Distribution `json:"failed_response_time_ns"` // done - due, of the failed
	Lateness     Distribution `json:"lateness_ns"`             // the generator's own part of sent - due
	PermitWait   Distribution `json:"permit_wait_ns"`          // the part of sent - due spent waiting for a permit

	Slowest   []Slow     `json:"slowest"`   // at most 10, slowest first
	Warmup    *Warmup    `json:"warmup"`    // nil without one
	Intervals []Interval `json:"intervals"` // at most 128, of equal width

	// What one request allocates in this process, counted after a comparison; nil if
	// the target is not in this process, and except in a comparison.
	AllocsPerRequest *float64 `json:"allocs_per_request"`
	BytesPerRequest  *float64 `json:"bytes_per_request"`

	// Record is what the fields above were computed from, so that a saved result can
	// be merged, compared and drawn; nil if nothing was sent.
	Record *record.Record `json:"record"`
}

// Quantile returns the response time of the succeeded requests at rank ceil(q*count),
// with q in (0, 1]; q = 1 is the longest. It returns false if there are too few
// requests: fewer than 1/(1-q), or none.
func (a *Arm) Quantile(q float64) (time.Duration, bool) {
	if a.Record == nil || a.Record.Response.Count() == 0 || q < 1 && !stat.Enough(q, a.Record.Response.Count()) {
		return 0, false
	}
	v, ok := a.Record.Response.Quantile(q)
	return time.Duration(v), ok
}

// Pairs describes how two targets were compared: in pairs of short blocks, one for
// each target, in random order.
type Pairs struct {
	Judged int           `json:"judged"`   // pairs that the verdict is based on
	Block  time.Duration `json:"block_ns"` // length of each block, the guard included
	Guard  time.Duration `json:"guard_ns"` // requests due in a block before the end of the guard are sent but not counted
	Seed   uint64        `json:"seed"`     // of the order within each pair
}

// A Ratio is head's response time divided by base's at one quantile.
type Ratio struct {
	Quantile   string          `json:"quantile"`  // such as p50
	Tolerance  float64         `json:"tolerance"` // the largest ratio that passes, such as 1.05
	Ratio      *float64        `json:"ratio"`     // Hodges-Lehmann estimate over the pairs; nil if unknown or without bound
	Low        *float64        `json:"low"`       // its confidence interval
	High       *float64        `json:"high"`
	Confidence float64         `json:"confidence"` // of the interval, in [0, 1]
	Base       *time.Duration  `json:"base_ns"`    // the quantile over all of base's blocks
	Head       *time.Duration  `json:"head_ns"`
	Pairs      int             `json:"pairs"`       // that the ratio is based on
	BlockLevel bool            `json:"block_level"` // a block has too few requests for this quantile: the ratio is of the blocks' maxima
	Verdict    verdict.Verdict `json:"verdict"`
	Reason     string          `json:"reason"` // one line for a person
	Detail     string          `json:"detail"` // another for readers who know statistics; empty without any
}

// NewRatio returns r in the form of a document. If waive is not empty, it is the
// reason why ratios are not judged.
func NewRatio(r verdict.Ratio, waive string) Ratio {
	d := Ratio{
		Quantile:   r.Name(),
		Tolerance:  r.Tolerance.Ratio,
		Confidence: r.Confidence,
		Pairs:      r.Pairs,
		BlockLevel: r.BlockLevel,
		Verdict:    r.Verdict,
		Reason:     r.Reason,
		Detail:     r.Detail,
		Ratio:      Finite(r.Estimate),
		Low:        Finite(r.Low),
		High:       Finite(r.High),
		Base:       span(r.Base),
		Head:       span(r.Head),
	}
	if waive != "" {
		d.Verdict, d.Reason = verdict.NotJudged, "not judged: "+waive+"; "+r.Reason
	}
	return d
}

// Finite returns f in the form of a document: nil if it is unknown or infinite.
func Finite(f float64) *float64 {
	if f <= 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

// span does the same for a time in ns.
func span(ns float64) *time.Duration {
	if Finite(ns) == nil {
		return nil
	}
	return new(time.Duration(ns))
}

// Found is the result of a search for the highest arrival rate at which the
// limits hold. The document's verdict is pass if both ends were verified, else
// inconclusive.
type Found struct {
	Limits    []string `json:"limits"`
	Low       *float64 `json:"low_per_s"`  // a rate at which the limits held; nil if there is none
	High      *float64 `json:"high_per_s"` // a higher rate at which they did not; nil if there is none
	StoppedBy string   `json:"stopped_by"` // "target", "generator", "host", "budget", "most" (the highest rate allowed) or "interrupt"
	Reason    string   `json:"reason"`     // one line for a person
	Trials    []Trial  `json:"trials"`     // in order
}

// A Trial is a short run at one rate.
type Trial struct {
	Rate      float64        `json:"rate_per_s"`
	Duration  time.Duration  `json:"duration_ns"`
	Purpose   string         `json:"purpose"` // "control", "search" or "verify"
	Due       int64          `json:"due"`
	Sent      int64          `json:"sent"`
	Succeeded int64          `json:"succeeded"`
	P50       *time.Duration `json:"p50_ns"`
	P99       *time.Duration `json:"p99_ns"`
	Held      bool           `json:"held"`   // all limits held and the rate was reached
	Reason    string         `json:"reason"` // why it did not hold; empty if it did
}

// Judged returns everything that has a verdict in one list: each ratio, each limit,
// and the result of a search.
func (d *Document) Judged() []LimitResult {
	var all []LimitResult
	for _, r := range d.Ratios {
		all = append(all, LimitResult{
			Limit: r.Quantile + "<=" + unit.Decimal(r.Tolerance, 0) + "x base", Verdict: r.Verdict,
			Observed: r.Ratio, Low: r.Low, High: r.High, N: int64(r.Pairs), Reason: r.Reason, Detail: r.Detail,
		})
	}
	all = append(all, d.Limits...)
	if d.Found != nil {
		all = append(all, LimitResult{Limit: "capacity", Verdict: d.Verdict, Observed: d.Found.Low, Low: d.Found.Low, High: d.Found.High, Reason: d.Found.Reason})
	}
	return all
}

// Tool is the program that measured.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Config is what was asked for, with defaults filled in.
type Config struct {
	Target           string        `json:"target"`
	Method           string        `json:"method"`        // empty if the target is a Go function
	Workload         string        `json:"workload"`      // "closed" or "open"
	Requests         int64         `json:"requests"`      // 0: no bound
	Duration         time.Duration `json:"duration_ns"`   // warm-up left out; 0: no bound
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

// Requests counts requests by how they ended: Due = Sent + Unsent, and Sent =
// Succeeded + Failed + Unfinished.
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
	Status       int           `json:"status"` // 0 if the target is a Go function
}

// Warmup counts the requests of the warm-up, which are counted nowhere else.
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
	Confidence   *float64        `json:"confidence"`    // of a pass or a fail, in [0, 1]; nil if exact or inconclusive
	Exact        bool            `json:"exact"`         // noise cannot cause it, so it is neither repeated nor excused
	Reason       string          `json:"reason"`        // one line for a person
	Detail       string          `json:"detail"`        // another for readers who know statistics; empty without any
}

// Overall returns the verdict on all limits together.
func Overall(limits []LimitResult) verdict.Verdict {
	var all []verdict.Result
	for _, l := range limits {
		all = append(all, verdict.Result{Verdict: l.Verdict})
	}
	return verdict.Overall(all)
}

// NewLimitResult returns r in the form of a document.
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

// An Interval is one slice of time.
type Interval struct {
	Start      time.Duration  `json:"start_ns"`
	Width      time.Duration  `json:"width_ns"`
	Due        int64          `json:"due"`              // by due time
	Sent       int64          `json:"sent"`             // by sent time
	Succeeded  int64          `json:"succeeded"`        // by done time
	Failed     int64          `json:"failed"`           // by done time
	Throughput float64        `json:"throughput_per_s"` // complete responses, by done time
	P50        *time.Duration `json:"p50_ns"`           // response times of the succeeded, by due time
	P99        *time.Duration `json:"p99_ns"`
	Max        *time.Duration `json:"max_ns"`
}
