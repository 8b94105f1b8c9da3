package verdict

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// tooFew says that any verdict needs more requests.
func (j *judgement) tooFew(need int64) {
	j.Least = need
	j.doubt("needs %s requests to judge, has %s", unit.Count(need), unit.Count(j.seen.Due))
	j.setNeeds(float64(need) / float64(j.seen.Due))
}

// tooShort says that the run has too few intervals.
func (j *judgement) tooShort() {
	j.doubt("the run was too short to see how its requests depend on each other")
}

// tooClose: a run that needs this many times its load is not worth waiting for.
const tooClose = 100

// lackRequests says that a share f is too close to p, and how many independent
// requests would show on which side of it f is.
func (j *judgement) lackRequests(f, p, freedom float64) {
	alpha, _ := j.alphas()
	shows := func(n float64) bool { return stat.SurelyAbove(f*n, n, p, alpha) }
	if f < p {
		_, alpha = j.alphas()
		shows = func(n float64) bool { return stat.SurelyAtMost(f*n, n, p, alpha) }
	}
	have := stat.EffectiveSize(float64(j.seen.Due), j.DesignEffect, freedom, alpha)
	if f == p || !shows(have*tooClose) {
		j.doubt("too close to the limit to tell")
		return
	}
	need := stat.Bisect(have, have*tooClose, shows)
	j.NEffective = have
	j.doubt("n_eff %s of %s", unit.Count(int64(have)), unit.Count(int64(math.Ceil(need))))
	j.setNeeds(need / have)
}

// lackWidth says that the limit is within the interval, whose width shrinks with
// the root of the load.
func (j *judgement) lackWidth(low, high, want float64) {
	near, far := j.Observed-want, j.Observed-low
	if near < 0 {
		near, far = -near, high-j.Observed
	}
	if near == 0 || far/near > math.Sqrt(tooClose) {
		j.doubt("too close to the limit to tell")
		return
	}
	j.doubt("the limit is within what it may be")
	j.setNeeds(far / near * (far / near))
}

// setNeeds sets how much more load is needed, given how many times as much as
// there was it takes in all.
func (j *judgement) setNeeds(times float64) {
	if d := (times - 1) * float64(j.seen.Course()); d > 0 && d < math.MaxInt64/2 {
		j.Needs = wholeSeconds(time.Duration(d))
	}
}

// wholeSeconds rounds up.
func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
