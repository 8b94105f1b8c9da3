package verdict

import (
	"fmt"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// stop ends the search.
func (s *Search) stop(by string) {
	s.stoppedBy = by
	s.reason = s.describe(by) + s.noise()
}

// Result returns what is known, inconclusive while the search goes on.
func (s *Search) Result() SearchResult {
	r := SearchResult{Low: s.low.rate, High: s.high.rate, StoppedBy: s.stoppedBy, Verdict: Inconclusive, Reason: s.reason}
	if s.high.cause() != ByTarget {
		r.High = 0
	}
	switch s.stoppedBy {
	case "":
		r.Reason = "the search is not over"
	case ByMost:
		r.Verdict = Pass
	case ByTarget:
		if s.low.verified {
			r.Verdict = Pass
		}
	}
	return r
}

// describe returns in one line why the search ended.
func (s *Search) describe(by string) string {
	switch {
	case by == ByBudget:
		return fmt.Sprintf("the %s for all trials are over: %s", unit.Exact(s.o.Budget), s.between())
	case by == ByInterrupt:
		return "interrupted: " + s.between()
	case by == ByMost:
		return fmt.Sprintf("the limits held at %s, the most that was to be tried", unit.Rate(s.low.rate))
	case by == ByHost && s.high.verified && s.high.rate > widest*s.low.rate && s.low.verified:
		return disturbed(&s.low.tally, &s.high.tally)
	case by == ByHost && s.tally.held > 0 && s.plan.Purpose == "control":
		return disturbed(&s.mixed, &s.tally)
	case by == ByHost && s.tally.held > 0:
		return disturbed(&s.low.tally, &s.tally)
	case s.low.rate == 0:
		return fmt.Sprintf("the limits do not hold even at %s: %s", unit.Rate(s.tally.rate), causeText(by))
	}
	return s.between()
}

// noise names what disturbed a search that found the ends; "" if nothing did.
func (s *Search) noise() (text string) {
	if s.low.verified && s.high.verified && s.disputed > 0 {
		text = "; in between trials disagreed"
	}
	if s.again > 0 {
		text += fmt.Sprintf(" (%s in which this machine stalled not counted)", unit.Plural(int64(s.again), "trial"))
	}
	return text
}

// disturbed describes trials that rates do not explain, where there were some.
func disturbed(all ...*tally) string {
	var held []string
	for _, t := range all {
		if t.held+t.failed() > 0 {
			held = append(held, "in "+t.String())
		}
	}
	return "the limits held " + strings.Join(held, " and ") + ": something other than the rate decides, such as a busy host; " +
		"try again on a quieter one or with wider limits"
}

// between describes where the limits held and where they did not.
func (s *Search) between() string {
	low, high := &s.low, &s.high
	switch {
	case low.rate == 0 && high.rate == 0 && s.tally.held+s.tally.failed() == 0 && s.tally.void > 0:
		return fmt.Sprintf("this machine stalled in each of the trials at %s", unit.Rate(s.plan.Rate))
	case low.rate == 0 && high.rate == 0:
		return fmt.Sprintf("the limits held in %s", &s.tally)
	case low.rate == 0:
		return fmt.Sprintf("at %s %s, and no lower rate is known to hold", unit.Rate(high.rate), causeText(high.cause()))
	}
	held := "the limits held at " + unit.Rate(low.rate)
	if !low.verified {
		held += " (not verified)"
	}
	missed := unit.Rate(high.rate)
	if !high.verified {
		missed += " (not verified)"
	}
	switch {
	case high.rate == 0:
		return held + "; no rate was too high"
	case high.cause() == ByTarget:
		return held + " and not at " + missed
	}
	return held + "; at " + missed + " " + causeText(high.cause()) + ", so the target may bear more"
}

// causeText describes what kept a rate from being held.
func causeText(cause string) string {
	switch cause {
	case ByGenerator:
		return "the generator did not keep up"
	case ByHost:
		return "the host was too busy"
	}
	return "a limit was missed"
}

// A tally counts the trials at one rate, 0 if none were planned.
type tally struct {
	rate                                float64
	held, byTarget, byGenerator, byHost int
	void                                int // in which the machine stalled, made again
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

func (t *tally) merge(o tally) {
	t.held += o.held
	t.byTarget += o.byTarget
	t.byGenerator += o.byGenerator
	t.byHost += o.byHost
}

func (t *tally) failed() int { return t.byTarget + t.byGenerator + t.byHost }

// cause returns what most trials failed by: the target only if it was that in
// more than half of them.
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
