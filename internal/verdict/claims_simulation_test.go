package verdict

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A claimTally is what came out of some simulated comparisons.
type claimTally struct {
	mu            sync.Mutex
	runs          int
	pass, fail    int            // of the whole comparison
	refuted       int            // some claim was, whether another agreed or not
	passes, fails map[string]int // of each claim
	seconds       []float64
	readings      []float64 // most of any claim
	confirmed     int
}

func (a *claimTally) add(c *claimContest, seconds float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.passes == nil {
		a.passes, a.fails = map[string]int{}, map[string]int{}
	}
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
		switch q.verdict {
		case Pass:
			a.passes[q.title()]++
		case Fail:
			a.fails[q.title()]++
		}
	}
	a.readings = append(a.readings, float64(most))
	a.seconds = append(a.seconds, seconds)
}

func (a *claimTally) percent(n int) float64 { return 100 * float64(n) / float64(a.runs) }

// sampleAt returns that of x.
func sampleAt(x []float64, q float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// simulateClaims makes comparisons on a world. If a first one fails and repeated is
// set, it is repeated with fresh targets.
func simulateClaims(w claimWorld, seed uint64, runs, most int, head claimTarget, claims []Claim, repeated bool) *claimTally {
	a := &claimTally{}
	for k := range runs {
		rng := rand.New(rand.NewPCG(seed, uint64(k)))
		c := newClaimContest(rng, w, head, claims)
		if most > 0 {
			c.most = most
		}
		seconds := c.run() / 1e3
		if again := c.Again(); repeated && len(again) > 0 {
			r := newClaimContest(rng, w, head, again)
			r.most = c.most
			seconds += r.run() / 1e3
			if r.Verdict() == Fail {
				a.confirmed++
			}
		}
		a.add(c, seconds)
	}
	return a
}

var _ = fmt.Sprintf
var _ = assert.Equal
var _ testing.TB

func TestClaimsQuickLook(t *testing.T) {
	for _, w := range claimWorlds {
		for _, work := range []float64{0, 0.1, 0.2} {
			a := simulateClaims(w, 1, 40, 0, claimTarget{work: work}, ClaimsOf(nil, 0, 0, 0, 0, nil), true)
			t.Logf("%-8s +%v%%: pass %v fail %v confirmed %v; readings %v s %.2f (90 %% %.2f) passes %v fails %v", w.name, 100*work, a.pass, a.fail, a.confirmed, sampleAt(a.readings, .5), sampleAt(a.seconds, .5), sampleAt(a.seconds, .9), a.passes, a.fails)
		}
	}
}
