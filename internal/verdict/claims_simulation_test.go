package verdict

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A claimTrial is a simulated comparison that is made many times.
type claimTrial struct {
	world    claimWorld
	base     claimTarget
	head     func(*rand.Rand) claimTarget // nil is base
	again    func(*rand.Rand) claimTarget // head of a repeat; nil is another head
	claims   []Claim
	rounds   int                 // at most; 0 is no bound
	repeated bool                // if it failed
	broken   func(*claimContest) // breaks a rule; may be nil
}

// head returns how to make a target that is always the same.
func always(t claimTarget) func(*rand.Rand) claimTarget {
	return func(*rand.Rand) claimTarget { return t }
}

// A claimTally is what came out of trials.
type claimTally struct {
	runs          int
	pass, fail    int // of the first comparison
	confirmed     int // failed, and again when repeated
	refuted       int // some claim was at some look, whether another agreed or not
	passes, fails map[string]int
	seconds       []float64 // the repeat included
	readings      []float64 // the most of any claim
}

// run makes the given number of trials.
func (t claimTrial) run(seed uint64, runs int) *claimTally {
	a := &claimTally{passes: map[string]int{}, fails: map[string]int{}}
	for k := range runs {
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		c := t.contest(rng, t.head, t.claims)
		seconds := c.run() / 1e3
		if claims := c.Again(); t.repeated && len(claims) > 0 {
			again := t.again
			if again == nil {
				again = t.head
			}
			r := t.contest(rng, again, claims)
			seconds += r.run() / 1e3
			if r.Verdict() == Fail {
				a.confirmed++
			}
		}
		a.add(c, seconds)
	}
	return a
}

func (t claimTrial) contest(rng *rand.Rand, made func(*rand.Rand) claimTarget, claims []Claim) *claimContest {
	head := t.base
	if made != nil {
		head = made(rng)
	}
	c := newClaimContest(rng, t.world, head, claims)
	if c.base = t.base; t.rounds > 0 {
		c.most = t.rounds
	}
	if t.broken != nil {
		t.broken(c)
	}
	return c
}

func (a *claimTally) add(c *claimContest, seconds float64) {
	a.runs++
	switch c.Verdict() {
	case Pass:
		a.pass++
	case Fail:
		a.fail++
	}
	if c.refuted || c.Verdict() == Fail {
		a.refuted++
	}
	most := 0
	for _, q := range c.questions {
		most = max(most, len(q.readings), len(q.rounds))
		switch {
		case q.verdict == Pass:
			a.passes[q.title()]++
		case q.verdict == Fail, c.ever[q.Name]:
			a.fails[q.title()]++
		}
	}
	a.readings = append(a.readings, float64(most))
	a.seconds = append(a.seconds, seconds)
}

// percent writes n as a part of the runs.
func (a *claimTally) percent(n int) string {
	return fmt.Sprintf("%.1f", 100*float64(n)/float64(a.runs))
}

// time writes the median of the seconds and their 90 % quantile.
func (a *claimTally) time() string {
	s := slices.Sorted(slices.Values(a.seconds))
	return fmt.Sprintf("%.2f (%.2f)", s[len(s)/2], s[len(s)*9/10])
}

// most returns the largest of counts.
func most(counts map[string]int) int {
	return slices.Max(append(slices.Collect(maps.Values(counts)), 0))
}

// inWorlds calls f in each world, at the same time, and then logs the rows that it
// returns as a table.
func inWorlds(t *testing.T, columns string, f func(t *testing.T, w claimWorld) (row string)) {
	rows := make([]string, len(claimWorlds))
	t.Cleanup(func() {
		cells := strings.Count(columns, "|") - 2
		t.Logf("\n%s\n|---|%s\n%s", columns, strings.Repeat("--:|", cells), strings.Join(rows, "\n"))
	})
	for k, w := range claimWorlds {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			rows[k] = "| " + w.name + " | " + f(t, w) + " |"
		})
	}
}

// strictly are claims that fail and pass at the same ratio.
func strictly(ratio float64) []Claim {
	return ClaimsOf([]Tolerance{{0.5, ratio}, {0.99, ratio}}, 0, 0, 0, 1, nil)
}

// rounds bounds a simulation: all of them, or few.
func rounds(few int) int {
	if simulateAll {
		return 0
	}
	return few
}

// Equal targets differ by chance only, in each claim and in all of them together,
// whatever the machine does; no claim needs another to agree for that.
func TestClaimsOnEqualTargets(t *testing.T) {
	t.Parallel()
	n := runs(500, 10)
	inWorlds(t, "| world | some claim refuted, % | most of one claim, % | proved, most of one claim, % |", func(t *testing.T, w claimWorld) string {
		a := claimTrial{world: w, claims: strictly(1), rounds: rounds(24)}.run(31, n)
		assert.LessOrEqual(t, a.refuted, abMost(n), "%v", a.fails)
		assert.LessOrEqual(t, most(a.passes), abMost(n), "%v", a.passes)
		return a.percent(a.refuted) + " | " + a.percent(most(a.fails)) + " | " + a.percent(most(a.passes))
	})
}

// At exactly what is allowed neither verdict is given more often than it may be.
func TestClaimsAtTheTolerance(t *testing.T) {
	t.Parallel()
	n := runs(400, 10)
	inWorlds(t, "| world | some claim refuted, % | most of one claim, % | proved, most of one claim, % |", func(t *testing.T, w claimWorld) string {
		a := claimTrial{world: w, claims: strictly(1.05), head: always(claimTarget{time: 0.05}), rounds: rounds(24)}.run(32, n)
		assert.LessOrEqual(t, a.refuted, abMost(n), "%v", a.fails)
		assert.LessOrEqual(t, most(a.passes), abMost(n), "%v", a.passes)
		return a.percent(a.refuted) + " | " + a.percent(most(a.fails)) + " | " + a.percent(most(a.passes))
	})
}

// Equal targets pass and slower ones fail, within seconds.
func TestClaimsFindSlowerHeads(t *testing.T) {
	t.Parallel()
	n := runs(100, 3)
	columns := "| world | equal: pass, % | s (90 %) | readings | +10 % work: fail, % | again, % | s | +20 %: fail, % | again, % | s | 1 ms sleep: again, % | half wait 1 ms | lock |"
	inWorlds(t, columns, func(t *testing.T, w claimWorld) string {
		trial := claimTrial{world: w, claims: ClaimsOf(nil, 0, 0, 0, 0, nil), repeated: true}
		equal := trial.run(33, n)
		assert.LessOrEqual(t, equal.fail, abMost(n), "%v", equal.fails)
		find := func(head claimTarget) *claimTally {
			trial.head = always(head)
			return trial.run(34, n)
		}
		ten, twenty := find(claimTarget{work: 0.1}), find(claimTarget{work: 0.2})
		assert.GreaterOrEqual(t, twenty.confirmed, n*9/10, "%v", twenty.fails)
		row := []string{equal.percent(equal.pass), equal.time(), fmt.Sprint(slices.Sorted(slices.Values(equal.readings))[n/2])}
		for _, a := range []*claimTally{ten, twenty} {
			row = append(row, a.percent(a.fail), a.percent(a.confirmed), a.time())
		}
		for _, head := range []claimTarget{{sleep: 1}, {sleep: 1, share: 0.5}, {lock: true}} {
			a := find(head)
			assert.GreaterOrEqual(t, a.confirmed, n*9/10, "%+v: %v", head, a.fails)
			row = append(row, a.percent(a.confirmed))
		}
		return strings.Join(row, " | ")
	})
}

// Beside a hog a request waits for a processor that base's waits for, too, so that 5 %
// more work is less than 5 % more time. A claim on time may then pass, and is right.
func TestClaimsOnWorkBesideAHog(t *testing.T) {
	t.Parallel()
	n := runs(500, 10)
	hog := claimWorlds[slices.IndexFunc(claimWorlds, func(w claimWorld) bool { return w.hog })]
	a := claimTrial{world: hog, claims: strictly(1.05), head: always(claimTarget{work: 0.05}), rounds: rounds(24)}.run(35, n)
	t.Logf("5 %% more work beside a hog: refuted %s %%, passes %v of %d", a.percent(a.refuted), a.passes, n)
	assert.LessOrEqual(t, a.refuted, abMost(n), "%v", a.fails)
	assert.LessOrEqual(t, a.passes[Work], abMost(n), "the claim on work does not wait")
}
