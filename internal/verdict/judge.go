package verdict

import (
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
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

// Judge returns the verdict on l from the counts of a run: pass or fail where
// the run shows it as surely as s asks for, else inconclusive.
//
// A limit on time is about every request that was due: one that failed, was
// unsent or is unfinished counts as slower than any time. How much a run shows
// is less than its number of requests suggests, because requests close in time
// are slow together; how much less, its intervals tell.
//
// A quantile needs 30 requests beyond it on average, Due >= 30/(1-Q). A machine
// that is slow for a while looks like a slow target, so what noise can cause
// is a fail only from a least time of load on, 10 s for tails and 2 s for what
// is about the bulk of the requests, and if the times followed no trend or were
// too long throughout. Noise never makes a target faster, so a pass needs none
// of this; nor does a fail that the requests which did not succeed make alone.
func Judge(l Limit, c Counts, s Standard) Result {
	j := &judgement{Result: Result{Limit: l, N: c.Due, Verdict: Inconclusive}, c: &c, s: s}
	if c.Due == 0 {
		j.Reason = fmt.Sprintf("%s, want %s %s: no request was due", l.subject(), l.Op, l.wantText())
		return j.Result
	}
	switch l.Metric {
	case Quantile:
		j.judgeQuantile()
	case Mean:
		j.judgeMean()
	case Max:
		j.judgeMax()
	case Errors:
		j.judgeErrors()
	case Throughput:
		j.judgeRate(c.Completed)
	case Goodput:
		j.judgeRate(c.Succeeded)
	}
	j.sure()
	j.Reason = reason(j)
	j.Detail = detail(j)
	return j.Result
}

// A judgement is a result in the making.
type judgement struct {
	Result
	c   *Counts
	s   Standard
	why string // there is no verdict
}

// doubt makes the verdict inconclusive and says why.
func (j *judgement) doubt(format string, args ...any) {
	j.Verdict, j.why = Inconclusive, fmt.Sprintf(format, args...)
}

// alphas returns the probability of being wrong of the lower and the upper end
// of an interval: each is that of the verdict that hangs on it.
func (j *judgement) alphas() (low, high float64) {
	if j.Limit.lower() {
		return j.s.Pass, j.s.Fail
	}
	return j.s.Fail, j.s.Pass
}

func (j *judgement) setInterval(low, high float64) {
	j.Low, j.High, j.HaveInterval = low, high, true
}

// judgeShare judges a limit by the share of bad requests: below or at most p
// for an upper limit, above it for a lower one.
func (j *judgement) judgeShare(bad, p, freedom float64) {
	n := float64(j.c.Due)
	decide := func(alpha float64, shows func(x, n, p, alpha float64) bool) bool {
		j.NEffective = stat.EffectiveSize(n, j.DesignEffect, freedom, alpha)
		return shows(bad/n*j.NEffective, j.NEffective, p, alpha)
	}
	low, high := j.alphas()
	above, atMost := Fail, Pass
	if j.Limit.lower() {
		above, atMost = Pass, Fail
	}
	switch {
	case decide(low, stat.SurelyAbove):
		j.Verdict = above
	case decide(high, stat.SurelyAtMost):
		j.Verdict = atMost
	default:
		j.lackRequests(bad/n, p, freedom)
	}
}

// judgeInterval judges by an interval that the limit's value lies beside or in.
func (j *judgement) judgeInterval(low, high float64) {
	j.setInterval(low, high)
	want := j.Limit.Value
	if j.Limit.Metric.IsTime() {
		want = float64(j.Limit.Time)
	}
	best, worst := low, high
	if j.Limit.lower() {
		best, worst = high, low
	}
	switch {
	case j.Limit.Op.holds(worst, want):
		j.Verdict = Pass
	case !j.Limit.Op.holds(best, want):
		j.Verdict = Fail
	default:
		j.lackWidth(low, high, want)
	}
}

// observe judges a value that is known exactly.
func (j *judgement) observe(v float64) {
	j.Observed, j.HaveObserved = v, true
	want := j.Limit.Value
	if j.Limit.Metric.IsTime() {
		want = float64(j.Limit.Time)
	}
	j.Verdict = Fail
	if j.Limit.Op.holds(v, want) {
		j.Verdict = Pass
	}
}

// judgeNoise takes a fail back that a slow spell of the machine could explain.
// Parts of the run missed the limit where their ratio is above most.
func (j *judgement) judgeNoise(parts []batch, most float64) {
	if j.Verdict != Fail || !j.Limit.noisy() {
		return
	}
	least := j.Limit.leastTime()
	if t := j.c.Measured; t < least && !j.s.Repeated {
		j.doubt("missed, but %s of load may all be a slow spell of the machine, a fail needs %s", unit.Duration(t), unit.Duration(least))
		j.Needs = wholeSeconds(least - t)
		return
	}
	if way := trend(j.c.Intervals); way != "" && !throughout(parts, most) {
		j.doubt("missed, but the response times %s during the run", way)
	}
}

// sure sets the confidence of a verdict that an interval gave.
func (j *judgement) sure() {
	switch {
	case !j.HaveInterval:
	case j.Verdict == Pass:
		j.Confidence = 1 - j.s.Pass
	case j.Verdict == Fail:
		j.Confidence = 1 - j.s.Fail
	}
}
