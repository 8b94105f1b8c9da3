package verdict

import (
	"math"
	"slices"
	"time"
)

// A Standard is how sure a verdict has to be. Both probabilities are in
// (0, 0.5).
type Standard struct {
	Fail float64 // the highest probability of a wrong fail
	Pass float64 // the highest probability of a wrong pass

	// Repeated says that a fail counts only if a fresh run, some time later,
	// fails too. The least time of a fail is then waived: by the second run a
	// slow spell of the machine is over.
	Repeated bool
}

// DefaultStandard allows one false alarm in a hundred runs before anything is
// repeated; a pass says that the limit was kept with 95 % confidence.
var DefaultStandard = Standard{Fail: 0.01, Pass: 0.05}

// Share returns s with its probabilities times f, in (0, 1]: the part of one look
// of several, any of which may decide.
func (s Standard) Share(f float64) Standard {
	s.Fail *= f
	s.Pass *= f
	return s
}

// Among returns s for one of a run's limits, any of which can fail the run
// (Bonferroni). A run passes only if all of them do, so the probability of a
// wrong pass stays.
func (s Standard) Among(limits int) Standard {
	s.Fail /= float64(max(limits, 1))
	return s
}

// StandardOf returns the standard for the limits of a run. repeated says that a
// fail counts only if a fresh run fails too.
func StandardOf(limits []Limit, repeated bool) Standard {
	judged := 0
	for _, l := range limits {
		if l.Metric != Errors || l.Value != 0 { // which is a fact, not a matter of chance
			judged++
		}
	}
	s := DefaultStandard.Among(judged)
	s.Repeated = repeated
	return s
}

// A Look is a time at which a run may be judged and so ended early.
type Look struct {
	At    time.Duration // of load that was measured
	Share float64       // of both probabilities of a [Standard]
}

// firstLook: no verdict comes earlier than after a second.
const firstLook = time.Second

// Looks returns when to judge a run that may take as long as the budget, earliest
// first: at about one second, and so on to a quarter of the budget, a half, and
// its end. The shares add up to 1 and double from look to look, which keeps the
// probabilities of a [Standard] however the looks depend on each other.
func Looks(budget time.Duration) []Look {
	at := []time.Duration{budget}
	for at[0]/2 >= firstLook {
		at = slices.Insert(at, 0, at[0]/2)
	}
	if at[0] >= firstLook*3/2 {
		at = slices.Insert(at, 0, firstLook)
	}
	looks := make([]Look, len(at))
	for i := range looks {
		looks[i] = Look{At: at[i], Share: math.Exp2(float64(i)) / (math.Exp2(float64(len(at))) - 1)}
	}
	return looks
}
