package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// What makes a comparison exact are rules. Each of these tests holds one of them and
// shows that equal targets then fail by chance only, and breaks it and shows that they
// fail far more often: a simulation that could not see that would prove nothing.

// Without the coin, whatever comes first after a break is found slower.
func TestClaimsNeedRandomOrder(t *testing.T) {
	t.Parallel()
	n := runs(300, 20)
	trial := claimTrial{world: claimWorld{name: "first is slower", spread: 0.2, first: 0.05}, claims: strictly(1), rounds: 35}
	drawn := trial.run(41, n)
	trial.broken = func(c *claimContest) { c.fixed = true }
	fixed := trial.run(41, n)
	t.Logf("equal targets refuted: drawn order %d, fixed order %d, of %d", drawn.refuted, fixed.refuted, n)
	assert.LessOrEqual(t, drawn.refuted, abMost(n))
	assert.Greater(t, fixed.refuted, n/2)
}

// The error is shared by all looks of all claims. If each takes all of it, equal
// targets fail several times as often as promised.
func TestClaimsShareTheError(t *testing.T) {
	t.Parallel()
	n := runs(1000, 200)
	trial := claimTrial{world: claimWorlds[0], claims: ClaimsOf([]Tolerance{{0.5, 1}}, 0, 0, 0, 1, []string{Work, Quick, Alone, Burst}), rounds: 35}
	shared := trial.run(42, n)
	trial.broken = func(c *claimContest) {
		for _, q := range c.questions {
			q.fail = comparisonAlpha
		}
	}
	whole := trial.run(42, n)
	t.Logf("equal targets refuted: shared error %d, the whole error each %d, of %d", shared.refuted, whole.refuted, n)
	assert.LessOrEqual(t, shared.refuted, abMost(n))
	assert.Greater(t, whole.refuted, 2*abMost(n))
}

// A look is at a number of readings, whichever way they point. Readings are not made
// again because base was slow in them, and are not judged when head looks slow.
func TestClaimsNeedBlindStopping(t *testing.T) {
	t.Parallel()
	n := runs(2000, 200)
	readings := func(rng *rand.Rand) Reading {
		return Reading{math.Exp(0.3 * rng.NormFloat64()), math.Exp(0.3 * rng.NormFloat64())}
	}
	claim := Claim{Name: Work, Fail: 1, Pass: 1}
	count := func(refuted func(rng *rand.Rand, i *Inquiry) bool) (fails int) {
		for k := range n {
			if refuted(rand.New(rand.NewPCG(43, uint64(k))), NewInquiry([]Claim{claim}, true)) {
				fails++
			}
		}
		return fails
	}
	blind := count(func(rng *rand.Rand, i *Inquiry) bool {
		for range 70 {
			i.Add(Work, readings(rng))
		}
		return i.Verdict() == Fail
	})
	peeking := count(func(rng *rand.Rand, i *Inquiry) bool {
		q := i.questions[0]
		for len(q.readings) < 70 {
			q.readings = append(q.readings, readings(rng))
			if len(q.readings) >= claimLooks[0] && stat.SignedRank(q.logs()) <= comparisonAlpha {
				return true
			}
		}
		return false
	})
	again := count(func(rng *rand.Rand, i *Inquiry) bool {
		for range 70 {
			r := readings(rng)
			if r.Base > 1.3 { // base was disturbed
				r = readings(rng)
			}
			i.Add(Work, r)
		}
		return i.Verdict() == Fail
	})
	t.Logf("equal targets refuted: looks %d, at any reading %d, slow readings of base made again %d, of %d", blind, peeking, again, n)
	assert.LessOrEqual(t, blind, abMost(n))
	assert.Greater(t, peeking, 2*abMost(n))
	assert.Greater(t, again, 2*abMost(n))
}

// Where head's quickest requests take longer, as its server happened to get the worse
// place and not for what it does, quick alone would fail it. No coin helps there.
func TestQuickNeedsAgreement(t *testing.T) {
	t.Parallel()
	n := runs(200, 20)
	placed := claimWorld{name: "placed", spread: 0.02, calm: 0.17}
	claims := ClaimsOf(nil, 0, 0, 0, 0, []string{Quick, Alone, Work})
	trial := claimTrial{world: placed, claims: claims, head: always(claimTarget{placed: true}), rounds: 80}
	agreed := trial.run(44, n)
	trial.claims = slices.DeleteFunc(slices.Clone(claims), func(c Claim) bool { return c.Name != Quick })
	single := trial.run(44, n)
	t.Logf("fails of %d: with agreement %d, by itself %d", n, agreed.fail, single.fail)
	assert.LessOrEqual(t, agreed.fail, abMost(n), "%v", agreed.fails)
	assert.Greater(t, single.fail, n/2, "%v", single.fails)

	// What head does is found with agreement all the same.
	trial.claims, trial.head = claims, always(claimTarget{work: 0.2})
	found := trial.run(45, n)
	assert.GreaterOrEqual(t, found.fail, n*9/10)
}

// In a tenth of cases head's instance takes a fifth longer, by how its memory is laid
// out. A repeat with another instance confirms a tenth of these; one with the same
// servers confirms all of them.
func TestRepeatNeedsFreshTargets(t *testing.T) {
	t.Parallel()
	n := runs(1000, 100)
	instance := func(rng *rand.Rand) claimTarget {
		if rng.IntN(10) == 0 {
			return claimTarget{time: 0.2}
		}
		return claimTarget{}
	}
	trial := claimTrial{world: claimWorld{name: "calm", spread: 0.05}, claims: ClaimsOf(nil, 0, 0, 0, 0, []string{Quick, Alone, Work}), repeated: true, rounds: 24, head: instance}
	fresh := trial.run(46, n)
	var same claimTarget
	trial.head = func(rng *rand.Rand) claimTarget { same = instance(rng); return same }
	trial.again = func(*rand.Rand) claimTarget { return same }
	kept := trial.run(46, n)
	t.Logf("of %d: first fails %d; again with fresh targets %d, with the same %d", n, fresh.fail, fresh.confirmed, kept.confirmed)
	assert.LessOrEqual(t, fresh.confirmed, abMost(n))
	assert.Greater(t, kept.confirmed, 2*abMost(n))
}
