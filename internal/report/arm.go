package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// An Arm holds the results of the requests to one target.
type Arm struct {
	Target      string           `json:"target"`
	ASCIIHost   string           `json:"ascii_host"` // its host as looked up and sent if Target has other letters; else empty
	RunID       string           `json:"run_id"`     // request n has the id RunID-n
	Elapsed     time.Duration    `json:"elapsed_ns"` // until the last request ended and the time for arrivals was up
	Requests    Requests         `json:"requests"`
	Rate        Rate             `json:"rate"`
	Bytes       record.Octets    `json:"bytes"`
	Addresses   []record.Address `json:"addresses"`    // of the target, sorted; empty if it is not reached over TCP
	StatusCodes map[string]int64 `json:"status_codes"` // requests by status of the response
	Errors      []ErrorCount     `json:"errors"`       // most frequent first; a kind that did not occur is left out

	FailedStatuses    []FailedStatus `json:"failed_statuses"`    // most frequent first
	RedirectsFollowed int64          `json:"redirects_followed"` // by all requests; each is a request on the wire and counted in Bytes, and in nothing else

	ResponseTime Distribution `json:"response_time_ns"`        // done - due, of the succeeded
	ServiceTime  Distribution `json:"service_time_ns"`         // done - sent, of the succeeded
	FailedTime   Distribution `json:"failed_response_time_ns"` // done - due, of the failed
	Lateness     Distribution `json:"lateness_ns"`             // the generator's own part of sent - due
	PermitWait   Distribution `json:"permit_wait_ns"`          // the part of sent - due spent waiting for a permit

	ConnectTime Distribution `json:"connect_time_ns"` // of the connections opened over TCP
	TLSTime     Distribution `json:"tls_time_ns"`     // of their TLS handshakes
	FirstOctet  Distribution `json:"first_octet_ns"`  // first octet of the response - sent, of the succeeded

	Slowest   []SlowRequest `json:"slowest"`   // at most 10, slowest first
	Stalls    []Stall       `json:"stalls"`    // the slowest 100 by what they waited in together; at most 10, longest first
	Warmup    *Warmup       `json:"warmup"`    // nil without one, and except in a run
	Intervals []TimeSlice   `json:"intervals"` // at most 128, of equal width

	// What one request allocates in this process, counted after a comparison; nil if
	// the target is not in this process, and except in a comparison.
	AllocsPerRequest *float64 `json:"allocs_per_request"`
	BytesPerRequest  *float64 `json:"bytes_per_request"`

	// Record is what the fields above were computed from, so that a saved result can
	// be merged, compared and drawn. Each measurement has one, with counts of 0 if
	// nothing was sent.
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

// NewArm returns the results for one target from its record.
func NewArm(f Facts, r *record.Record) Arm {
	a := Arm{
		Target:  f.Target,
		RunID:   f.RunID,
		Elapsed: max(r.Elapsed, r.Until),
		Requests: Requests{
			Due: r.Due, Sent: r.Sent, Succeeded: r.Succeeded, Failed: r.Failed,
			Unsent: r.Unsent, Unfinished: r.Unfinished, Completed: r.Completed(), SentAgain: r.SentAgain,
		},
		ASCIIHost:   f.Host,
		Rate:        newRate(r),
		Bytes:       r.Octets,
		Addresses:   r.Addresses,
		StatusCodes: map[string]int64{},
		Errors:      errorCounts(f, r),

		FailedStatuses:    failedStatuses(f, r),
		RedirectsFollowed: r.Redirects,

		ResponseTime: Summarize(r.Response),
		ServiceTime:  Summarize(r.Service),
		FailedTime:   Summarize(r.Failures),
		Lateness:     Summarize(r.Lateness),
		PermitWait:   Summarize(r.Waited),
		ConnectTime:  Summarize(r.Connecting),
		TLSTime:      Summarize(r.Handshakes),
		FirstOctet:   Summarize(r.FirstOctets()),
		Intervals:    intervals(r.Series.Intervals()),
		Record:       r,
	}
	for status, n := range r.Statuses {
		a.StatusCodes[unit.Status(status)] = n
	}
	for i := range r.Slowest[:min(len(r.Slowest), mostSlowest)] {
		a.Slowest = append(a.Slowest, slowRequest(f, &r.Slowest[i]))
	}
	a.Stalls = stalls(f, r.Slowest)
	if f.Warmup > 0 {
		w := &r.Warmup
		a.Warmup = &Warmup{Due: w.Due, Sent: w.Sent, Succeeded: w.Succeeded, Failed: w.Failed, Duration: f.Warmup}
	}
	return a
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
	SentAgain  int64 `json:"sent_again"` // once more, as the first connection had ended before they were processed
}

// Rate is in requests per second. In an open workload the gap after the last arrival
// counts too: n requests sent one second apart are one a second, whatever n is.
type Rate struct {
	Offered    *float64 `json:"offered_per_s"` // planned arrivals; nil in a closed workload, which plans none
	Achieved   float64  `json:"achieved_per_s"`
	Throughput float64  `json:"throughput_per_s"` // completed responses, whatever their status
	Goodput    float64  `json:"goodput_per_s"`    // succeeded responses
}

// ErrorCount is how many requests failed in one way.
type ErrorCount struct {
	Kind    string          `json:"kind"`
	Count   int64           `json:"count"`
	First   string          `json:"first"`   // the first message, with its cause
	Samples []FailedRequest `json:"samples"` // at most 5
}

// A FailedRequest is one of them.
type FailedRequest struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// A SlowRequest is one of the slowest.
type SlowRequest struct {
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

// A TimeSlice is one slice of the time that was measured.
type TimeSlice struct {
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

// newRate returns rates over the record's span, except that in an open workload the
// offered and achieved rates are over the time in which arrivals were due or sent.
func newRate(r *record.Record) Rate {
	rate := Rate{
		Throughput: perSecond(r.Completed(), r.Span()),
		Goodput:    perSecond(r.Succeeded, r.Span()),
		Achieved:   perSecond(r.Sent, r.Span()),
	}
	if r.Open {
		rate.Offered = new(perSecond(r.Due, r.Offering))
		rate.Achieved = perSecond(r.Sent, max(r.Offering, r.LastSent))
	}
	return rate
}

// errorCounts lists the error kinds that occurred, most frequent first.
func errorCounts(f Facts, r *record.Record) (counts []ErrorCount) {
	for kind := record.NoError + 1; kind < record.Kinds; kind++ {
		if r.Kinds[kind] == 0 {
			continue
		}
		c := ErrorCount{Kind: kind.String(), Count: r.Kinds[kind]}
		for i, s := range r.Samples[kind] {
			if i == 0 {
				c.First = s.Text
			}
			c.Samples = append(c.Samples, FailedRequest{ID: f.ID(s.N), Message: s.Text})
		}
		counts = append(counts, c)
	}
	slices.SortStableFunc(counts, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return counts
}

// intervals returns the intervals of a run.
func intervals(series []hist.Interval) []TimeSlice {
	all := make([]TimeSlice, len(series))
	for i, s := range series {
		d := Summarize(s.Response)
		all[i] = TimeSlice{
			Start: s.Start, Width: s.Width,
			Due: s.Due, Sent: s.Sent, Succeeded: s.Succeeded, Failed: s.Failed,
			Throughput: perSecond(s.Completed, s.Width),
			P50:        d.P50, P99: d.P99, Max: d.Max,
		}
	}
	return all
}

func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
