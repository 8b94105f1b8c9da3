package verdict

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// Counts is everything a verdict reads of a run: exact counts of requests,
// warm-up left out. Due = Succeeded + Failed + Unsent + Unfinished.
type Counts struct {
	Due, Succeeded, Failed, Unsent, Unfinished int64

	Completed int64         // complete responses, whatever their status
	Within    int64         // succeeded with a response time <= [Limit.Threshold]
	Mean, Max time.Duration // response times of the succeeded, exact
	Elapsed   time.Duration // first due to last done
	Measured  time.Duration // of load: how long requests were becoming due

	// Intervals is the course of the run. They tell how requests depend on
	// each other; the totals above decide. Threshold is where Over has the
	// limit's [Limit.Threshold], if it has one.
	Intervals []hist.Interval
	Threshold int

	// For messages only.
	Observed     time.Duration // the limit's quantile among the succeeded, as shown to people
	HaveObserved bool          // false: too few succeeded to show it
	ErrorKinds   []KindCount   // why requests failed, most frequent first
	Workload     string        // what was offered, such as "open, 1000/s for 30s"; may be empty
}

// KindCount is how many requests failed in one way: an error kind, or a status
// outside the success set.
type KindCount struct {
	Name  string // such as "timeout" or "status 503"
	Count int64
	First string // the first message, empty if there is none
}

// missed is how many requests were due and did not succeed: their response
// time counts as longer than any limit.
func (c *Counts) missed() int64 { return c.Failed + c.Unsent + c.Unfinished }
