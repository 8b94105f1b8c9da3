package verdict

import (
	"fmt"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A Warning says what makes the numbers of a run doubtful, and what to do.
type Warning struct {
	Code  string `json:"code"`  // stable, for programs
	Text  string `json:"text"`  // for people: one sentence or two, no full stop at the end
	Minor bool   `json:"minor"` // no number that reports show is in doubt because of it
}

// The codes of the warnings that too high a rate causes.
const (
	Lateness         = "lateness"
	SentBelowDue     = "sent_below_due"
	PermitsExhausted = "permits_exhausted"
	PermitsRested    = "permits_rested"
)

// Warnings returns what a reader of the numbers of r has to know, the most
// important first; nil if the run was sound. It reports no share of processor time
// over a window shorter than half a second, which would be noise, and no effect
// beside its cause.
func Warnings(r *record.Record, limits []Limit, w Words) []Warning {
	var all []Warning
	add := func(code, text string, minor bool) {
		if text != "" {
			all = append(all, Warning{code, text, minor})
		}
	}
	tightest := tightestTime(limits)
	add(Lateness, warnLateness(r, tightest, w), false)
	add(SentBelowDue, warnUnsent(r, w), false)
	add(PermitsExhausted, warnExhausted(r, w), false)
	add(PermitsRested, warnRested(r), false)
	add("own_cpu", warnOwnCPU(r, w), false)
	before := len(all)
	for _, s := range Sensors {
		if !s.effect || len(all) == before { // an effect of what was warned of needs no second warning
			add(s.code, s.warns(r, w), !s.doubtful(r) || s.effect && shown(all))
		}
	}
	add("hiccup", warnHiccups(r, tightest, w), shown(all) || !over(r.Machine.HiccupMax, delayDoubt, time.Duration(r.Response.Max())))
	add("gc_pause", warnCollector(r, tightest), false)
	add("clock_step", warnClock(r), r.Machine.ClockDrift < 0) // times are measured without it
	add("clock", warnTick(r), false)
	add("stale_connections", warnStale(r, w), false)
	add("unanswered_connections", warnUnanswered(r, w), false)
	if r.Abandoned > 0 {
		add("abandoned", fmt.Sprintf("%d calls of the function went on after the run: it ignores its context", r.Abandoned), false)
	}
	return append(all, hints(r)...)
}

// shown reports whether any of the warnings is one that reports show: what only says
// the same in other words is minor then.
func shown(all []Warning) bool {
	return slices.ContainsFunc(all, func(w Warning) bool { return !w.Minor })
}

// delayDoubt is the part of a time that the machine's own delay has to be to put it
// in doubt: a comparison finds a difference of a tenth.
const delayDoubt = 0.10

// delayed reports whether what does nothing was so late, at the p99, that the p99 of
// r is in doubt: the control, or without one the watch for hiccups.
func delayed(r *record.Record) bool {
	delay := r.Machine.Hiccup99
	if delay <= hiccupFloor {
		delay = 0
	}
	if c := r.Control; c != nil && stat.Enough(0.99, c.Response.Count()) {
		delay = quantile(c.Response, 0.99)
	}
	return over(delay, delayDoubt, quantile(r.Response, 0.99))
}

// tightestTime returns the least time of any limit; 0 without one.
func tightestTime(limits []Limit) (least time.Duration) {
	for _, l := range limits {
		if l.Metric.IsTime() && (least == 0 || l.Time < least) {
			least = l.Time
		}
	}
	return least
}

// Excuse returns why a fail in the run of r may not be the target's fault; "" if
// nothing excuses it. What the target itself may have caused is no excuse:
// processor time of this process if the target is in it, or of others if it is
// one of those, or lateness of the generator that the control does not share.
// What disturbs the control too is the machine's doing, unless it is less than what
// the limit was missed by.
func Excuse(f Finding, r *record.Record) string {
	l := f.Limit
	if !l.noisy() {
		return ""
	}
	if why := excuseSensors(r); why != "" && !f.exceedsLoss(r) {
		return why
	}
	if why := ExcuseOwnCPU(r); why != "" {
		return why
	}
	if !l.Metric.IsTime() {
		return excuseUnsent(r)
	}
	if why := excuseLateness(l, r); why != "" {
		return why
	}
	if why := excuseControl(l, r.Control); why != "" && !f.exceedsLoss(r) {
		return why
	}
	return ""
}

func excuseSensors(r *record.Record) string {
	for _, s := range Sensors {
		if why := s.Excuses(r); why != "" {
			return why
		}
	}
	return ""
}

// controlExcuse is the part of a limit on time above which a handler that does
// nothing shows that the limit cannot be measured here.
const controlExcuse = 0.50

// excuseControl compares the control with l, a limit on time.
func excuseControl(l Limit, control *record.Record) string {
	if control == nil {
		return ""
	}
	d, ok := l.valueIn(control.Response)
	if !ok || !over(d, controlExcuse, l.Time) {
		return ""
	}
	return fmt.Sprintf("this machine cannot measure %s: a handler that does nothing took %s at %s", unit.Exact(l.Time), unit.Duration(d), l.name())
}

// valueIn returns the metric of l, a time, of what a histogram holds; false if it
// holds too little.
func (l Limit) valueIn(h *hist.Histogram) (time.Duration, bool) {
	switch {
	case h.Count() == 0:
		return 0, false
	case l.Metric == Mean:
		return time.Duration(h.Mean()), true
	case l.Metric == Max:
		return time.Duration(h.Max()), true
	}
	return quantile(h, l.Q), stat.Enough(l.Q, h.Count())
}

// quantile returns quantile q of a histogram of times; 0 if it is empty.
func quantile(h *hist.Histogram, q float64) time.Duration {
	v, _ := h.Quantile(q)
	return time.Duration(v)
}

// over reports whether d is more than a share of whole.
func over(d time.Duration, share float64, whole time.Duration) bool {
	return float64(d) > share*float64(whole)
}
