package record

import (
	"fmt"
	"time"
)

// A Result is how one request ended.
type Result struct {
	Status int   // HTTP status code; 0 if no complete response arrived or no HTTP is involved
	Kind   Kind  // NoError if a complete response arrived, whatever its status
	Err    error // the cause, nil exactly when Kind is NoError
	// Unexpected reports that a complete response arrived and its status is not one
	// that means success.
	Unexpected bool
	Redirects  int // redirects that were followed

	Octets // of this exchange; Body counts incomplete responses too

	// Arriving is the time from the first octet of the response to the last; 0 if
	// they came together.
	Arriving time.Duration
	// Stale is how long a connection had been idle, at least 1, that ended before one
	// octet of the response: the server had closed it. 0 means that none did.
	Stale time.Duration
	// SentAgain reports that the request met such a connection and was sent once more
	// on a new one, which is how it ended.
	SentAgain bool
	// Unanswered reports a timeout on a connection on which the server never sent
	// anything. The load keeps it only if others were idle.
	Unanswered bool
	// Disconnected reports that the permit was left without an idle connection.
	Disconnected bool

	// Pause is the least time from this request to the permit's next one, because
	// connecting keeps failing. 0 means no pause.
	Pause time.Duration
	// Checked is how long a check of the response took once it was complete. It is
	// not part of the response time.
	Checked time.Duration
}

// Octets are counts of octets.
type Octets struct {
	Sent     int64 `json:"sent"`     // on the wire
	Received int64 `json:"received"` // on the wire
	Body     int64 `json:"body"`     // decoded, of bodies
	Surplus  int64 `json:"surplus"`  // received, but not part of any response
}

// Add adds other counts.
func (o *Octets) Add(p Octets) {
	o.Sent += p.Sent
	o.Received += p.Received
	o.Body += p.Body
	o.Surplus += p.Surplus
}

// Succeeded reports whether the request succeeded: with a complete response of a
// status that was expected, or without an error if there is no status.
func (r *Result) Succeeded() bool { return r.Kind == NoError && !r.Unexpected }

// A Sample is the measurement of one request. Its instants are offsets on the
// monotonic clock. In a closed workload Due equals Sent.
type Sample struct {
	N               int64
	Due, Sent, Done time.Duration
	Waited          time.Duration // the part of Sent-Due spent waiting for a permit
	Result
}

// ResponseTime returns how long a user who arrived at Due waited.
func (s *Sample) ResponseTime() time.Duration { return s.Done - s.Due }

// ServiceTime returns how long the exchange took, including the opening of a
// connection if that was necessary.
func (s *Sample) ServiceTime() time.Duration { return s.Done - s.Sent }

// FirstOctet returns how long after it was sent the first octet of its response
// arrived, including the opening of a connection if that was necessary.
func (s *Sample) FirstOctet() time.Duration { return s.ServiceTime() - s.Arriving }

// Lateness returns how long after Due the request was sent because of the generator,
// which leaves out waiting for a permit.
func (s *Sample) Lateness() time.Duration { return s.Sent - s.Due - s.Waited }

// A Failure is one request that got no complete response, or one that failed a
// check.
type Failure struct {
	N    int64  `json:"n"`
	Text string `json:"text"` // what went wrong
}

// A Slow is one of the slowest complete responses. Its instants are offsets in
// the course of the run.
type Slow struct {
	N      int64         `json:"n"`
	Due    time.Duration `json:"due_ns"`
	Sent   time.Duration `json:"sent_ns"`
	Done   time.Duration `json:"done_ns"`
	Status int           `json:"status"` // 0 if no HTTP is involved
}

// ResponseTime returns how long its user waited.
func (s *Slow) ResponseTime() time.Duration { return s.Done - s.Due }

// ServiceTime returns how long the exchange took.
func (s *Slow) ServiceTime() time.Duration { return s.Done - s.Sent }

// Totals are exact counts of requests: Due = Sent + Unsent, and Sent =
// Succeeded + Failed + Unfinished.
type Totals struct {
	Due        int64 `json:"due"`
	Sent       int64 `json:"sent"`
	Succeeded  int64 `json:"succeeded"`
	Failed     int64 `json:"failed"`
	Unsent     int64 `json:"unsent"`
	Unfinished int64 `json:"unfinished"`
}

// Missed returns how many requests were due and did not succeed. They count as
// exceeding any limit on response times.
func (t *Totals) Missed() int64 { return t.Failed + t.Unsent + t.Unfinished }

// Add adds other counts.
func (t *Totals) Add(o Totals) {
	t.Due += o.Due
	t.Sent += o.Sent
	t.Succeeded += o.Succeeded
	t.Failed += o.Failed
	t.Unsent += o.Unsent
	t.Unfinished += o.Unfinished
}

// check returns one error for each way in which the counts do not add up.
func (t *Totals) check() (errs []error) {
	for _, n := range []int64{t.Due, t.Sent, t.Succeeded, t.Failed, t.Unsent, t.Unfinished} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("a negative count in %+v", *t))
			break
		}
	}
	errs = append(errs, equal("sent + unsent", t.Sent+t.Unsent, t.Due))
	return append(errs, equal("succeeded + failed + unfinished", t.Succeeded+t.Failed+t.Unfinished, t.Sent))
}
