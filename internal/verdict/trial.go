package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Blame says what kept a trial at one rate from holding its limits: one of the
// words above and the reason in a line; "" for both if it held them.
func Blame(limits []Limit, r *record.Record) (limit, why string) {
	behind := float64(r.Due-r.Sent) > MostUnsent*float64(r.Due)
	sent := unit.Percent(ratio(r.Sent, r.Due)) + " of what was due was sent"
	if behind && r.PeakInFlight < r.Concurrency {
		return ByGenerator, sent
	}
	if missed := missedLimits(limits, r); len(missed) > 0 {
		if why := Steal.Excuses(r); why != "" {
			return ByHost, missed[0] + ", while " + why
		}
		if why := ExcuseOwnCPU(r); why != "" {
			return ByGenerator, missed[0] + ", while " + why
		}
		if lateAlone(limits, r) {
			return ByGenerator, missed[0] + ", most of it the generator's own lateness"
		}
		return ByTarget, missed[0]
	}
	if why := failedByStatus(limits, r); why != "" {
		return ByTarget, why
	}
	if behind {
		return ByTarget, sent + ", as all permits were taken"
	}
	return "", ""
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
