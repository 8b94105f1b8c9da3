package verdict

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// A tally counts the trials at one rate, 0 if none were planned.
type tally struct {
	rate                                float64
	held, byTarget, byGenerator, byHost int
}

func (t *tally) add(r TrialResult) {
	switch {
	case r.Held:
		t.held++
	case r.Limit == ByGenerator:
		t.byGenerator++
	case r.Limit == ByHost:
		t.byHost++
	default:
		t.byTarget++
	}
}

func (t *tally) failed() int { return t.byTarget + t.byGenerator + t.byHost }

// cause is why most of the failed trials did. It is the target only if it was
// so in more than half of them.
func (t *tally) cause() string {
	switch {
	case 2*t.byTarget > t.failed():
		return ByTarget
	case t.byGenerator >= t.byHost:
		return ByGenerator
	}
	return ByHost
}

func (t *tally) String() string {
	return fmt.Sprintf("%d of %d trials at %s", t.held, t.held+t.failed(), unit.Rate(t.rate))
}
