package verdict

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
)

// leastRequests: a mean or a rate of fewer has no interval to trust.
const leastRequests = 30

// judgeMean judges by the t interval of the mean.
func (j *judgement) judgeMean() {
	if j.unbounded() {
		return
	}
	j.Observed, j.HaveObserved = math.Trunc(j.seen.Response.Mean()), true // times are whole nanoseconds
	if j.seen.Due < leastRequests {
		j.tooFew(leastRequests)
		return
	}
	times := make([]batch, len(j.intervals))
	for i := range times {
		h := j.intervals[i].Response
		times[i] = batch{h.Mean() * float64(h.Count()), float64(h.Count())}
	}
	if freedom(len(times)) == 0 {
		j.tooShort()
		return
	}
	low, high := j.alphas()
	j.judgeInterval(studentBounds(j.Observed, times, low, high))
	j.judgeNoise(times, float64(j.Limit.Time))
}

// judgeMax judges the longest response time, which is a fact; only whether the
// target caused it may be in doubt.
func (j *judgement) judgeMax() {
	if j.unbounded() {
		return
	}
	j.observe(float64(j.seen.Response.Max()))
	j.Exact = j.Verdict == Pass || !j.Limit.noisy()
	over := make([]batch, len(j.intervals))
	for i := range over {
		over[i].of = 1
		if j.intervals[i].Response.Max() > int64(j.Limit.Time) {
			over[i].sum = 1
		}
	}
	j.judgeNoise(over, 0)
}

// unbounded reports whether a request was missed, which makes a mean and a
// maximum longer than any time, and then judges them.
func (j *judgement) unbounded() bool {
	if j.seen.Missed() == 0 {
		return false
	}
	j.Verdict, j.Exact = Fail, true
	if j.Limit.lower() {
		j.Verdict = Pass
	}
	return true
}

// judgeErrors judges the share of requests that did not succeed. Whether none
// or all of them did is a fact.
func (j *judgement) judgeErrors() {
	missed, n, want := float64(j.seen.Missed()), float64(j.seen.Due), j.Limit.Value
	if want == 0 || want == 1 {
		j.observe(missed / n)
		j.Exact = true
		return
	}
	j.Observed, j.HaveObserved = missed/n, true
	design, df := j.missedDesign()
	j.DesignEffect = design
	low, high := j.alphas()
	lowN, highN := stat.EffectiveSize(n, design, df, low), stat.EffectiveSize(n, design, df, high)
	j.setInterval(stat.LowShare(missed/n*lowN, lowN, low), stat.HighShare(missed/n*highN, highN, high))
	j.judgeShare(missed, want, df)
}

const (
	// Fewer errors than fewMissed do not show how they cluster, nor does a run
	// that is too short for its intervals: they are taken to come in groups of
	// fewDesign.
	fewMissed = 20
	fewDesign = 5
)

// missedDesign returns the design effect of the requests that were missed, and
// its degrees of freedom.
func (j *judgement) missedDesign() (design, df float64) {
	missed := make([]batch, len(j.intervals))
	for i := range missed {
		missed[i] = batch{float64(j.intervals[i].Missed), float64(j.intervals[i].Due)}
	}
	design, df = designEffect(missed), freedom(len(missed))
	if df == 0 || min(j.seen.Missed(), j.seen.Succeeded) < fewMissed {
		design = max(design, fewDesign)
	}
	return design, max(df, fewestBatches-1)
}

// missedAlone reports whether the missed requests alone are surely a greater
// share than p: a slow machine does not make answers wrong. If so, the result
// rests on them.
func (j *judgement) missedAlone(p float64) bool {
	missed, n := float64(j.seen.Missed()), float64(j.seen.Due)
	if missed <= p*n {
		return false
	}
	design, df := j.missedDesign()
	independent := stat.EffectiveSize(n, design, df, j.s.Fail)
	if !stat.SurelyAbove(missed/n*independent, independent, p, j.s.Fail) {
		return false
	}
	j.DesignEffect, j.NEffective = design, independent
	return true
}

// From fewResponses on a rate passes without an interval if it is rateRoom times the
// least that was wanted: at that least, as many would come in such a time with a
// probability of 1 % if they come in pairs, and of 0.03 % if they come alone.
const (
	fewResponses = 10
	rateRoom     = 4
)

// judgeRate judges by the t interval of a rate, from the number of responses in
// all and in each interval.
func (j *judgement) judgeRate(responses int64, in func(*hist.Interval) int64) {
	if j.seen.Span() <= 0 {
		j.doubt("no time passed")
		return
	}
	if responses == 0 { // no spread to tell, and no need of it
		j.observe(0)
		return
	}
	j.Observed, j.HaveObserved = float64(responses)/j.seen.Span().Seconds(), true
	windows := j.windows(in)
	few := j.seen.Due < leastRequests || freedom(len(windows)) == 0
	if few && j.Limit.lower() && responses >= fewResponses && j.Observed >= rateRoom*j.Limit.Value {
		j.Verdict, j.Confidence = Pass, 1-DefaultStandard.Pass
		return
	}
	if j.seen.Due < leastRequests {
		j.tooFew(leastRequests)
		return
	}
	if freedom(len(windows)) == 0 {
		j.tooShort()
		return
	}
	low, high := j.alphas()
	low, high = studentBounds(j.Observed, windows, low, high)
	j.judgeInterval(math.Max(low, 0), high)
	short := make([]batch, len(windows)) // of the responses that were wanted
	for i, w := range windows {
		short[i] = batch{j.Limit.Value*w.of - w.sum, 1}
	}
	j.judgeNoise(short, 0)
}

// windows returns the responses and the seconds of each interval up to the end
// of the run, whether or not anything happened in it.
func (j *judgement) windows(in func(*hist.Interval) int64) (windows []batch) {
	width := j.all[0].Width // there is one, as responses came
	for at := 0; ; at++ {
		left := min(width, j.seen.Span()-width*time.Duration(at))
		if left <= 0 {
			return windows
		}
		b := batch{of: left.Seconds()}
		if at < len(j.all) {
			b.sum = float64(in(&j.all[at]))
		}
		windows = append(windows, b)
	}
}
