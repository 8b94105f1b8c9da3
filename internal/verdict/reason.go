package verdict

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// reason says in one line what was observed, what was wanted and from how many
// requests, as in
//
//	p99 response time 312ms, want <= 250ms (n=29,940; 28,100 within 250ms, 29,641 needed; open, 1000/s for 30s)
//	error ratio 0.0213, want <= 0 (638 of 29,940: timeout 601, reset 37; first: read tcp ...)
func reason(r *Result, c *Counts) string {
	s := fmt.Sprintf("%s %s, want %s %s", r.Limit.subject(), observed(r, c), r.Limit.Op, r.Limit.wantText())
	if r.Verdict == Inconclusive {
		s += ": " + lacking(r, c)
	}
	return s + " (" + strings.Join(details(r, c), "; ") + ")"
}

// subject names the metric in a sentence.
func (l Limit) subject() string {
	switch {
	case l.Metric.IsTime():
		return l.name() + " response time"
	case l.Metric == Errors:
		return "error ratio"
	}
	return l.name()
}

// wantText returns the limit's value as a sentence has it.
func (l Limit) wantText() string {
	switch {
	case l.Metric.IsTime():
		return exact(l.Time)
	case l.Metric == Errors:
		return shift(l.Value, 0)
	}
	return shift(l.Value, 0) + "/s"
}

// observed says what the metric was.
func observed(r *Result, c *Counts) string {
	l := r.Limit
	switch {
	case r.HaveObserved && l.Metric == Quantile && c.missed() > 0:
		return l.valueText(r.Observed) + " among the succeeded"
	case r.HaveObserved:
		return l.valueText(r.Observed)
	case l.Metric.IsTime() && c.Succeeded == 0:
		return "unknown, as no request succeeded"
	case l.Metric == Quantile && rank(l.Q, c.Due) <= c.Succeeded:
		return "unknown"
	case l.Metric.IsTime():
		return "without bound"
	}
	return "unknown"
}

// valueText writes a value of the metric in three significant digits, or in
// all of them where three would show the limit itself and it is not that.
func (l Limit) valueText(v float64) string {
	if l.Metric.IsTime() {
		d := time.Duration(v)
		if s := FormatDuration(d); s != l.wantText() {
			return s
		}
		return exact(d)
	}
	unit := ""
	if l.Metric != Errors {
		unit = "/s"
	}
	if s := short(v) + unit; s != l.wantText() {
		return s
	}
	return shift(v, 0) + unit
}

// short writes v in three significant digits, whole numbers in full.
func short(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return digits(v, 2)
}

// lacking says what an inconclusive verdict would have needed.
func lacking(r *Result, c *Counts) string {
	if r.Limit.Metric == Quantile {
		return fmt.Sprintf("needs %s requests to judge, has %s", FormatCount(needed(r.Limit.Q)), FormatCount(c.Due))
	}
	return "no time passed"
}

// details are the parts of a reason that stand in brackets: of a missed limit
// also what may have caused it.
func details(r *Result, c *Counts) []string {
	l, n, missed := r.Limit, FormatCount(c.Due), FormatCount(c.missed())
	var d []string
	why := ""
	if r.Verdict == Fail {
		why = causes(c)
	}
	switch l.Metric {
	case Errors:
		d = append(d, missed+" of "+n+why)
	case Throughput:
		d = append(d, FormatCount(c.Completed)+" completed in "+FormatDuration(c.Elapsed))
	case Goodput:
		d = append(d, FormatCount(c.Succeeded)+" succeeded in "+FormatDuration(c.Elapsed))
	default:
		d = append(d, "n="+n)
	}
	if t, ok := l.Threshold(); ok && r.Verdict == Fail {
		few := ""
		if l.lower() {
			few = "fewer than "
		}
		d = append(d, fmt.Sprintf("%s within %s, %s%s needed", FormatCount(c.Within), exact(t), few, FormatCount(rank(l.Q, c.Due))))
	}
	if l.Metric.IsTime() && c.missed() > 0 {
		d = append(d, missed+" counted as missed"+why)
	}
	if r.Verdict != Fail {
		return d
	}
	if l.Metric.IsTime() || l.Metric == Errors {
		d = append(d, first(c)...)
	}
	if c.Workload != "" {
		d = append(d, c.Workload)
	}
	return d
}

// maxCauses is how many ways to fail one line names; chosen.
const maxCauses = 4

// causes lists why requests did not succeed, as ": timeout 601, unsent 37".
func causes(c *Counts) string {
	var parts []string
	add := func(name string, n int64) {
		if n > 0 {
			parts = append(parts, OneLine(name)+" "+FormatCount(n))
		}
	}
	for i, k := range c.ErrorKinds {
		if i == maxCauses {
			parts = append(parts, "...")
			break
		}
		add(k.Name, k.Count)
	}
	if len(parts) == 0 {
		add("failed", c.Failed)
	}
	add("unsent", c.Unsent)
	add("unfinished", c.Unfinished)
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

// first quotes the first error there is a message of.
func first(c *Counts) []string {
	for _, k := range c.ErrorKinds {
		if k.First != "" {
			return []string{"first: " + OneLine(k.First)}
		}
	}
	return nil
}
