package verdict

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// The least times of load for a fail: a machine may be slow for a second or two,
// which is enough to make a tail.
const (
	leastTime     = 10 * time.Second
	leastTimeBulk = 2 * time.Second // for limits on the bulk of the requests
	bulk          = 0.95            // the highest quantile that is one of these
)

// leastTime returns the time of load from which on l can fail.
func (l Limit) leastTime() time.Duration {
	if l.Metric == Max || l.Metric == Quantile && l.Q > bulk {
		return leastTime
	}
	return leastTimeBulk
}

const (
	// clusterSize is the design effect assumed, from simulations, where few or no
	// requests were slow, and the least where most were.
	clusterSize = 30
	// far is how many times the slowest request has to fit into the limit for the
	// assumption whatever shows close to the quantile: how requests of 20 ms
	// cluster says nothing of those that would take 10 s.
	far = 4
)

// judgeQuantile turns the limit into one on the share of requests that were
// not within it, counted exactly: p99<=T holds if at most 1 % were not.
func (j *judgement) judgeQuantile() {
	seen, q, beyond := j.seen, j.Limit.Q, 1-j.Limit.Q
	rank := stat.Rank(q, seen.Due)
	if rank <= seen.Succeeded && stat.Enough(q, seen.Succeeded) {
		v, _ := seen.Response.Quantile(q)
		j.Observed, j.HaveObserved = float64(v), true
	}
	t := j.newTail()
	bad := float64(seen.Due - seen.Within[j.threshold])
	j.Holds = bad <= beyond*float64(seen.Due) != j.Limit.lower()
	if seen.Due-rank < leastBeyond {
		switch {
		case !mostly(bad/float64(seen.Due), beyond):
			j.judgeFew(t, bad)
			return
		case seen.Due < leastRequests:
			j.tooFew(leastRequests)
			return
		}
	}
	j.setInterval(0, math.Inf(1))
	if t.freedom == 0 {
		j.tooShort()
	} else {
		j.judgeTail(t, bad, beyond)
	}
	if j.Limit.noisy() && j.missedAlone(beyond) {
		j.Verdict, j.Needs, j.Exact = Fail, 0, true
		return
	}
	j.judgeNoise(t.over(j.threshold), beyond)
}

// leastBeyond is how many requests a quantile needs beyond it: an interval from
// fewer is not to be trusted.
const leastBeyond = 30

// needed returns how many requests it takes to judge quantile q, ceil(30/(1-q)):
// the least n with 30 ranks above that of q.
func needed(q float64) int64 {
	return int64(stat.Bisect(0, 2*leastBeyond/(1-q), func(n float64) bool {
		return int64(n)-stat.Rank(q, int64(n)) >= leastBeyond
	}))
}

// mostly reports whether a share of bad requests is nearer to all than to what is
// allowed.
func mostly(share, allowed float64) bool { return share > (1+allowed)/2 }

// A pass of few requests rests on none being late, and none coming near to that.
const (
	// farBeyond is how many requests beyond the quantile it needs, on average: were
	// as many late as are allowed, none would be among the first with a probability
	// of 5 % where they come in pairs, and of 0.25 % where they come alone.
	farBeyond = 6
	// farTime is the least time of load for it: what a machine or a target does
	// every few seconds is to be seen.
	farTime = 5 * time.Second
	// farDesign is the largest design effect for it: where times that are usual
	// cluster, late ones would too. Of independent requests 1 run in 50 shows more.
	farDesign = 6
)

// neededFar returns from how many requests on quantile q can pass if none came near
// to the limit.
func neededFar(q float64) int64 {
	return max(leastRequests, int64(math.Ceil(farBeyond/(1-q)*(1-1e-12))))
}

// judgeFew passes an upper limit that no request came near. It may be called at any
// time, as often as one likes: whether the first requests were all far within the
// limit does not change.
func (j *judgement) judgeFew(t *tail, bad float64) {
	q, near := j.Limit.Q, float64(j.seen.Response.Max())*far > float64(j.Limit.Time)
	if j.Limit.lower() || bad > 0 || near {
		j.tooFew(needed(q))
		return
	}
	if least := neededFar(q); j.seen.Due < least {
		j.tooFew(least)
		j.doubt("needs %s requests to judge, or %s if none comes near the limit, has %s", unit.Count(needed(q)), unit.Count(least), unit.Count(j.seen.Due))
		return
	}
	if left := farTime - j.seen.Course(); left > 0 {
		j.doubt("needs %s requests to judge, or %s of load if none comes near the limit, has %s", unit.Count(needed(q)), unit.Duration(farTime), unit.Count(j.seen.Due))
		j.Needs = wholeSeconds(left)
		return
	}
	if design, _ := t.design(j.threshold); t.freedom == 0 || design > farDesign {
		j.tooFew(needed(q))
		j.DesignEffect = design
		j.doubt("needs %s requests to judge, as slow ones came together, has %s", unit.Count(needed(q)), unit.Count(j.seen.Due))
		return
	}
	j.Verdict, j.Anytime, j.Confidence = Pass, true, 1-DefaultStandard.Pass
}

// judgeTail judges by the requests that were not within the limit.
func (j *judgement) judgeTail(t *tail, bad, beyond float64) {
	share := bad / float64(j.seen.Due)
	design, own := t.design(j.threshold)
	j.DesignEffect = design
	j.interval(t, design)
	switch longest := float64(j.seen.Response.Max()); {
	case mostly(share, beyond):
		j.DesignEffect = min(design, max(clusterSize, own))
	case bad == 0 && longest*far <= float64(j.Limit.Time):
		j.DesignEffect = min(design, clusterSize)
	case share <= beyond/2:
		j.DesignEffect = min(design, max(clusterSize*(1+4*share/beyond), 3*own))
	}
	j.judgeShare(bad, beyond, t.freedom)
	switch want := float64(j.Limit.Time); {
	case j.Limit.lower():
	case j.Verdict == Pass:
		j.High = min(j.High, want)
	case j.Verdict == Fail:
		j.Low = max(j.Low, want)
	}
}

// interval sets the quantile's confidence interval: the limits at which the
// run would just not fail and just pass (Woodruff 1952, by inversion of the
// test).
func (j *judgement) interval(t *tail, design float64) {
	n, e := float64(j.seen.Due), 1-j.Limit.Q
	lowAlpha, highAlpha := j.alphas()
	above := stat.LeastAbove(stat.EffectiveSize(n, design, t.freedom, lowAlpha), e, lowAlpha)
	below := stat.MostAtMost(stat.EffectiveSize(n, design, t.freedom, highAlpha), e, highAlpha)
	if above <= 1 {
		j.Low = t.value(j.seen.Due - int64(math.Ceil(above*n)) + 1)
	}
	if below >= 0 {
		j.High = t.value(j.seen.Due - int64(math.Floor(below*n)))
	}
	if j.HaveObserved { // the interval is from narrower buckets
		j.Low, j.High = min(j.Low, j.Observed), max(j.High, j.Observed)
	}
}

// A tail is the slow end of a run's response times, interval by interval.
type tail struct {
	intervals []hist.Interval // up to the last in which a request was due
	all       *hist.Histogram // of the succeeded
	due       int64
	freedom   float64
	beyond    float64 // 1 - q
}

func (j *judgement) newTail() *tail {
	return &tail{
		intervals: j.intervals, all: merged(j.intervals), due: j.seen.Due,
		freedom: freedom(len(j.intervals)), beyond: 1 - j.Limit.Q,
	}
}

// merged returns the response times of several intervals.
func merged(intervals []hist.Interval) *hist.Histogram {
	all := hist.New(7) // as [hist.Interval] has it
	for i := range intervals {
		all.Merge(intervals[i].Response)
	}
	return all
}

// value returns the response time at a rank among all that were due, to 0.4 %;
// +Inf at the ranks of those that did not succeed.
func (t *tail) value(rank int64) float64 {
	n := t.all.Count()
	if rank > n {
		return math.Inf(1)
	}
	v, _ := t.all.Quantile(float64(rank) / float64(n))
	return float64(v)
}

// design returns the largest design effect over the limit's threshold and the
// quantiles around the judged one: where nothing was slower than the limit, times
// close to it show how slow requests cluster. own is that of the threshold alone.
func (t *tail) design(threshold int) (all, own float64) {
	own = designEffect(t.over(threshold))
	all = own
	for _, times := range []float64{3, 1, 1. / 2, 1. / 4} {
		q := 1 - times*t.beyond
		if times == 3 && q < 0.5 {
			continue
		}
		v := t.value(stat.Rank(q, t.due))
		all = max(all, designEffect(t.slow(func(i *hist.Interval) int64 {
			if math.IsInf(v, 1) {
				return 0
			}
			return i.Response.Above(int64(v))
		})))
	}
	return all, own
}

// over returns for each interval how many of its requests exceeded the series'
// threshold, exactly.
func (t *tail) over(threshold int) []batch {
	return t.slow(func(i *hist.Interval) int64 { return i.Over[threshold] })
}

// slow returns for each interval how many of its requests did not succeed
// within a time, given how many of those that succeeded took longer.
func (t *tail) slow(over func(*hist.Interval) int64) []batch {
	out := make([]batch, len(t.intervals))
	for k := range out {
		i := &t.intervals[k]
		within := i.Response.Count() - over(i)
		out[k] = batch{float64(i.Due - within), float64(i.Due)}
	}
	return out
}
