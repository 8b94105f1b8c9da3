// Package load decides when requests are sent and records what was seen of
// them: the schedule says when arrivals are due, permits bound how many are in
// flight, the pacer wakes on time, and the recorder counts. What sending means
// is the business of the Sender it is given.
package load

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// An Arrival is a request that has become due.
type Arrival struct {
	N   int64         // its index, counted from 0 over the whole run, warm-up included
	Due time.Duration // offset from the start of the run
}

// A Sender performs exchanges for one permit, one at a time.
type Sender interface {
	// Send performs the exchange of arrival n and returns what it saw. It
	// sends at most once, whatever happens. idled is how long ago the Sender's
	// last exchange ended, 0 for its first.
	Send(n int64, idled time.Duration) record.Result
	// Expire ends the exchange of arrival n as soon as possible if it is under
	// way. It may be called from any goroutine.
	Expire(n int64)
	// Close frees what the Sender holds. It is called once, after the last Send.
	Close()
}
