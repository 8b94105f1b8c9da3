package verdict

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// How a trial is looked at while it goes on, and what a stall is.
const (
	LookEvery = 100 * time.Millisecond
	easyAfter = 300 * time.Millisecond // a trial is as long as that, at least, unless its limits are missed
	easyPart  = 2                      // a rate is easy where times are within their limits divided by this
	stallPart = 0.2                    // of the tightest limit on time: a longer hiccup is a stall
)

// A TrialWatch watches a trial while it goes on.
type TrialWatch struct {
	TrialPlan
	Limits []Limit
	Origin time.Duration // where in the course of the search it begins, warm-up left out
	Warm   int64         // requests due in the warm-up
	Behind string        // how the target fell behind; "" if it did not

	glances []glance
}

// A glance is what had ended at some time after the warm-up.
type glance struct {
	at         time.Duration
	due, ended int64         // all requests, those of the warm-up as well
	warm       float64       // part of those due in the warm-up that had ended
	least      time.Duration // of the response times
}

// Decided reports whether what was seen so far makes the outcome of the trial clear: a
// limit is missed whatever the rest brings, the target falls behind, or, in a search,
// the rate is easy. So far due requests became due, those of the warm-up as well.
func (t *TrialWatch) Decided(seen *record.Record, due int64) bool {
	at, ended, warm := seen.Until-t.Origin, seen.Succeeded+seen.Failed, seen.Warmup.Succeeded+seen.Warmup.Failed
	least := at
	if seen.Succeeded > 0 {
		least = time.Duration(seen.Response.Min())
	}
	t.Behind = t.fellBehind(glance{at, due, ended + warm, ratio(warm, t.Warm), least})
	if t.Behind != "" || t.foregone(seen) {
		return true
	}
	enough := max(trialArrivals, 0.9*t.Rate*at.Seconds())
	return t.Purpose == "search" && at >= easyAfter && float64(ended) >= enough && Easy(t.Limits, seen)
}

// foregone reports whether a limit would be missed even if all the rest of the trial
// were within it.
func (t *TrialWatch) foregone(seen *record.Record) bool {
	rest := max(0, int64(t.Rate*t.For.Seconds())-seen.Due)
	best := *seen
	best.Due, best.Succeeded, best.Within = seen.Due+rest, seen.Succeeded+rest, slices.Clone(seen.Within)
	for i := range best.Within {
		best.Within[i] += rest
	}
	return len(missedLimits(t.Limits, &best)) > 0
}

// fellBehind says how the target fell behind in the second half of the time up to
// now, which is later than all glances before; "" if it did not.
//
// Where requests take long, few end at first, however well the target keeps up. Those
// of the warm-up show how many to expect: at least the part of them that had ended
// when that half began, as what ends in it has had no less time. Chance may take off
// twice the standard deviation of Poisson arrivals: of those that become due in that
// half and, as far as it is another time, of those due a response time earlier.
func (t *TrialWatch) fellBehind(now glance) string {
	t.glances = append(t.glances, now)
	if now.at < easyAfter {
		return ""
	}
	half := t.glances[0]
	for _, g := range t.glances {
		if g.at <= now.at/2 {
			half = g
		}
	}
	d, due, ended := now.at-half.at, now.due-half.due, now.ended-half.ended
	chance := 2 * math.Sqrt(float64(due)+t.Rate*min(d, now.least).Seconds())
	if float64(ended) < leastGoodput*half.warm*float64(due)-chance {
		return fmt.Sprintf("fell behind: in %s %d ended and %d became due", unit.Duration(d), ended, due)
	}
	return ""
}

// Easy reports whether the limits would hold if those on time were half of what they
// are.
func Easy(limits []Limit, r *record.Record) bool {
	for _, l := range limits {
		if l.Metric.IsTime() && (r.Failed > 0 || quantile(r.Response, l.quantile()) > l.Time/easyPart) {
			return false
		}
	}
	return len(missedLimits(limits, r)) == 0
}

// quantile is that of a limit on a quantile or on the longest time.
func (l Limit) quantile() float64 {
	if l.Metric == Max {
		return 1
	}
	return l.Q
}

// Stalled reports whether the machine stood still during a trial for long enough to
// make requests late: what watches it woke late. In the target's own process the
// target may be the cause, so that tells nothing.
func Stalled(limits []Limit, r *record.Record) bool {
	if r.Place == record.InProcess {
		return false
	}
	tightest := tightestTime(limits)
	return Steal.Excuses(r) != "" || tightest > 0 && over(r.Machine.HiccupMax, stallPart, max(tightest, 5*hiccupFloor))
}

// leastGoodput is the part of what is to end in half a trial that ends in it where the
// target keeps up, chance left out. What does not end waits, longer and longer.
const leastGoodput = 0.95

// Blame says what kept a trial at one rate from holding its limits: one of the
// words above and the reason in a line; "" for both if it held them. fell is how the
// target fell behind, "" if it did not.
func Blame(limits []Limit, r *record.Record, fell string) (limit, why string) {
	behind := float64(r.Due-r.Sent) > MostUnsent*float64(r.Due)
	sent := unit.Percent(ratio(r.Sent, r.Due)) + " of what was due was sent"
	if behind && r.PeakInFlight < r.Concurrency {
		return ByGenerator, sent
	}
	if missed := missedLimits(limits, r); len(missed) > 0 {
		return attribute(r, missed[0], lateAlone(limits, r))
	}
	if why := failedByStatus(limits, r); why != "" {
		return ByTarget, why
	}
	if behind {
		fell = sent + ", as all permits were taken"
	}
	if fell != "" {
		return attribute(r, fell, r.Lateness.Mean() > r.Service.Mean()+r.Waited.Mean())
	}
	return "", ""
}

// attribute says what was at fault in a trial: the target unless something else
// explains it. late reports that most of it was the generator's own lateness.
func attribute(r *record.Record, fault string, late bool) (limit, why string) {
	if why := Steal.Excuses(r); why != "" {
		return ByHost, fault + ", while " + why
	}
	if why := ExcuseOwnCPU(r); why != "" {
		return ByGenerator, fault + ", while " + why
	}
	if late {
		return ByGenerator, fault + ", most of it the generator's own lateness"
	}
	return ByTarget, fault
}

// failedByStatus says that responses had a status that was not expected, where no
// limit says how many requests may fail, or where none succeeded. Such responses
// may be fast, and a rate of them is no capacity.
func failedByStatus(limits []Limit, r *record.Record) string {
	limited := slices.ContainsFunc(limits, func(l Limit) bool { return l.Metric == Errors })
	if len(r.Rejected) == 0 || limited && r.Succeeded > 0 {
		return ""
	}
	all := causes(r)
	return unit.Count(r.Failed) + " of " + unit.Count(r.Due) + " failed" + missedBy(all, r)
}

// lateAlone reports whether a limit on time that was missed would have been kept
// if the generator had sent on time.
func lateAlone(limits []Limit, r *record.Record) bool {
	for _, l := range limits {
		if l.Metric != Quantile || float64(r.Failed) > (1-l.Q)*float64(r.Due) {
			continue // those that failed would have missed it at any time
		}
		late, _ := r.Lateness.Quantile(l.Q)
		service, _ := r.Service.Quantile(l.Q)
		waited, _ := r.Waited.Quantile(l.Q)
		if time.Duration(late) > l.Time/2 && time.Duration(service+waited) < l.Time/2 {
			return true
		}
	}
	return false
}

// missedLimits says which limits a trial missed, by what was counted alone: a trial
// is one of many, and it is those together that are judged.
func missedLimits(limits []Limit, r *record.Record) (missed []string) {
	within := r.Within
	for _, l := range limits {
		bad := r.Missed()
		text := fmt.Sprintf("error ratio %.3g", ratio(bad, r.Due))
		kept := l.Op.holds(ratio(bad, r.Due), l.Value)
		switch l.Metric {
		case Quantile:
			within, bad = within[1:], r.Due-within[0]
			kept = float64(bad) <= (1-l.Q)*float64(r.Due)*(1+1e-12)
			text = fmt.Sprintf("%d of %d not within %v", bad, r.Due, l.Time)
			if r.Failed > 0 {
				text += fmt.Sprintf(", %d of them failed", r.Failed)
			}
		case Max:
			kept = bad == 0 && l.Op.holds(float64(r.Response.Max()), float64(l.Time))
			text = "max " + unit.Duration(time.Duration(r.Response.Max()))
			if bad > 0 {
				text = fmt.Sprintf("%d of %d did not succeed", bad, r.Due)
			}
		}
		if !kept {
			missed = append(missed, fmt.Sprintf("%v: %s", l, text))
		}
	}
	return missed
}

// ratio is a/b; 1 where nothing was due.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}
