package record

import "time"

// A Result is what a sender saw of one request.
type Result struct {
	Status int   // HTTP status code; 0 if no complete response arrived, or where there is no such thing
	Kind   Kind  // NoError if a complete response arrived, whatever its status
	Err    error // the cause, nil exactly when Kind is NoError

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
	return r.Kind == NoError && (r.Status == 0 || 200 <= r.Status && r.Status < 400)
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

// A Failure is one request that got no complete response.
type Failure struct {
	N   int64
	Err error
}

// Totals are exact counts of requests: Due = Sent + Unsent, and Sent =
// Succeeded + Failed + Unfinished.
type Totals struct {
	Due, Sent, Succeeded, Failed, Unsent, Unfinished int64
}

// Plus returns the sum of both, count by count.
func (t Totals) Plus(o Totals) Totals {
	return Totals{
		Due: t.Due + o.Due, Sent: t.Sent + o.Sent,
		Succeeded: t.Succeeded + o.Succeeded, Failed: t.Failed + o.Failed,
		Unsent: t.Unsent + o.Unsent, Unfinished: t.Unfinished + o.Unfinished,
	}
}
