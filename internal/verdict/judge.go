package verdict

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Judge returns the verdict on each limit from the record of a run: pass or fail
// where the run shows it as surely as s asks for, else inconclusive. The record
// must count the [Thresholds] of the limits.
//
// A limit on time is about every request that was due: one that failed, was
// unsent or is unfinished counts as slower than any time. How much a run shows
// is less than its number of requests suggests, because requests close in time
// are slow together; how much less is estimated from the course of the run.
//
// A quantile needs 30 requests beyond it on average, Due >= 30/(1-Q); fewer fail
// where most were beyond the limit, and pass from 6/(1-Q) on if none of them took
// more than a quarter of it in 5 s. A machine
// that is slow for a while looks like a slow target, so what noise can cause
// is a fail only from a least time of load on, 10 s for tails and 2 s for what
// is about the bulk of the requests, and if the times followed no trend or were
// too long throughout. Noise never makes a target faster, so a pass needs none
// of this; nor does a fail that the requests which did not succeed make alone.
func Judge(limits []Limit, r *record.Record, s Standard) []Finding {
	all := r.Series.Intervals()
	results := make([]Finding, 0, len(limits))
	threshold := 0
	for _, l := range limits {
		j := &judgement{
			Finding: Finding{Limit: l, N: r.Due, Verdict: Inconclusive},
			seen:    r, all: all, intervals: loaded(all), threshold: threshold, s: s,
		}
		if _, ok := l.Threshold(); ok {
			threshold++
		}
		j.judge()
		results = append(results, j.Finding)
	}
	return results
}

// A judgement is a result in the making.
type judgement struct {
	Finding
	seen      *record.Record
	all       []hist.Interval // the course of the run
	intervals []hist.Interval // up to the last in which a request was due
	threshold int             // index of the limit's threshold in seen, where it has one
	s         Standard
	why       string // why there is no verdict
}

func (j *judgement) judge() {
	l := j.Limit
	if j.seen.Due == 0 {
		j.Reason = fmt.Sprintf("%s, want %s %s: no request was due", l.subject(), l.Op, l.wantText())
		j.Summary, j.Basis = j.summary(), "no request was due"
		return
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
		j.judgeRate(j.seen.Completed(), func(i *hist.Interval) int64 { return i.Completed })
	case Goodput:
		j.judgeRate(j.seen.Succeeded, func(i *hist.Interval) int64 { return i.Succeeded })
	}
	if l.Metric != Quantile {
		want := l.Value
		if l.Metric.IsTime() {
			want = float64(l.Time)
		}
		j.Holds = j.HaveObserved && l.Op.holds(j.Observed, want)
	}
	j.Noisy = j.Verdict == Inconclusive && l.noisy() && l.Metric.IsTime() && j.DesignEffect > clusterSize
	j.judgeTick()
	j.setConfidence()
	j.Reason, j.Summary, j.Basis = j.reason(), j.summary(), j.basis()
	j.Detail = j.detail()
}

// loaded returns the intervals up to the last in which a request was due.
func loaded(all []hist.Interval) []hist.Interval {
	n := len(all)
	for n > 0 && all[n-1].Due == 0 {
		n--
	}
	return all[:n]
}

// doubt makes the verdict inconclusive and says why.
func (j *judgement) doubt(format string, args ...any) {
	j.Verdict, j.why = Inconclusive, fmt.Sprintf(format, args...)
}

// alphas returns the probabilities with which the lower and the upper end of an
// interval may be wrong: each is that of the verdict it decides.
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
	n := float64(j.seen.Due)
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

// judgeInterval judges by an interval and whether the limit's value is in it.
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

// judgeNoise withdraws a fail that a slow spell of the machine could explain.
// Parts of the run missed the limit where their ratio is above most.
func (j *judgement) judgeNoise(parts []batch, most float64) {
	if j.Verdict != Fail || !j.Limit.noisy() {
		return
	}
	least := j.Limit.leastTime()
	if t := j.seen.Course(); t < least && !j.s.Repeated {
		j.doubt("missed, but %s of load may all be a slow spell of the machine, a fail needs %s", unit.Duration(t), unit.Duration(least))
		j.Needs = wholeSeconds(least - t)
		return
	}
	if way := trend(j.intervals); way != "" && !throughout(parts, most) {
		j.doubt("missed, but the response times %s during the run", way)
	}
}

// judgeTick withdraws a verdict on a time that is shorter than a step of the clock,
// unless the requests that did not succeed decide alone.
func (j *judgement) judgeTick() {
	tick := j.seen.Machine.ClockTick
	if !j.Limit.Metric.IsTime() || j.Limit.Time >= tick || j.Exact && j.seen.Missed() > 0 {
		return
	}
	j.doubt("the clock of this machine moves on in steps of %s only", unit.Duration(tick))
	j.Exact, j.Needs, j.Holds, j.Noisy = false, 0, false, false
}

// setConfidence sets the confidence of a verdict that comes from an interval.
func (j *judgement) setConfidence() {
	switch {
	case !j.HaveInterval:
	case j.Verdict == Pass:
		j.Confidence = 1 - j.s.Pass
	case j.Verdict == Fail:
		j.Confidence = 1 - j.s.Fail
	}
}
