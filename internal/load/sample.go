// Package load decides when requests are sent and records what was seen of
// them: the schedule says when arrivals are due, permits bound how many are in
// flight, the pacer wakes on time, and the recorder counts. What sending means
// is the business of the Sender it is given.
package load

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
)

// An Arrival is a request that has become due.
type Arrival struct {
	N   int64         // its index, counted from 0 over the whole run, warm-up included
	Due time.Duration // offset from the start of the run
}

// A Result is what a [Sender] saw of one request.
type Result struct {
	Status int        // HTTP status code; 0 if no complete response arrived, or where there is no such thing
	Kind   http1.Kind // NoError if a complete response arrived, whatever its status
	Err    error      // the cause, nil exactly when Kind is NoError

	// Octets of this exchange: on the wire, of the decoded body, and beyond
	// the end of the response.
	BytesSent, BytesReceived, BytesBody, BytesSurplus int64

	// Pause is how long from this request to the permit's next one, at least,
	// because connecting keeps failing. 0 means not at all.
	Pause time.Duration
}

// Succeeded reports whether the request got what it wanted: a complete response
// with a status from 200 to 399, or no error where there is no status.
func (r *Result) Succeeded() bool {
	return r.Kind == http1.NoError && (r.Status == 0 || 200 <= r.Status && r.Status < 400)
}

// A Sender performs exchanges for one permit, one at a time.
type Sender interface {
	// Send performs the exchange of arrival n and returns what it saw. It
	// sends at most once, whatever happens. idled is how long ago the Sender's
	// last exchange ended, 0 for its first.
	Send(n int64, idled time.Duration) Result
	// Expire ends the exchange of arrival n as soon as possible if it is under
	// way. It may be called from any goroutine.
	Expire(n int64)
	// Close frees what the Sender holds. It is called once, after the last Send.
	Close()
}

// A Sample is one request as recorded. Its instants are offsets from the start
// of the run on the monotonic clock. A closed workload has Due == Sent.
type Sample struct {
	N               int64
	Due, Sent, Done time.Duration
	Waited          time.Duration // the part of Sent-Due spent waiting for a permit
	Result
}

// ResponseTime is what a user who arrived at Due waited.
func (s *Sample) ResponseTime() time.Duration { return s.Done - s.Due }

// ServiceTime is what the exchange took, a connection it had to open included.
func (s *Sample) ServiceTime() time.Duration { return s.Done - s.Sent }

// Lateness is the generator's own fault: how long after Due it sent, apart
// from waiting for a permit.
func (s *Sample) Lateness() time.Duration { return s.Sent - s.Due - s.Waited }
