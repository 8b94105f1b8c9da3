package verdict

import (
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// tooFew is the doubt of a run that needs more requests for any verdict.
func (j *judgement) tooFew(need int64) {
	j.doubt("needs %s requests to judge, has %s", unit.Count(need), unit.Count(j.seen.Due))
	j.more(float64(need) / float64(j.seen.Due))
}

// tooShort is the doubt of a run that has too few intervals.
func (j *judgement) tooShort() {
	j.doubt("the run was too short to see how its requests depend on each other")
}

// tooClose is how many times the load that was measured is not worth waiting
// for; chosen.
const tooClose = 100

// lackRequests is the doubt of a share f that is too close to p: it says how
// many independent requests would show on which side of it f is.
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
	j.more(need / have)
}

// lackWidth is the doubt of an interval that spans the limit. Its width goes
// with the root of the load.
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
	j.more(far / near * (far / near))
}

// more sets how much more load is needed, given how many times what there was.
func (j *judgement) more(times float64) {
	if d := (times - 1) * float64(j.seen.Course()); d > 0 && d < math.MaxInt64/2 {
		j.Needs = wholeSeconds(time.Duration(d))
	}
}

// wholeSeconds rounds up.
func wholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
