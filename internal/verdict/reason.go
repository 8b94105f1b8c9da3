package verdict

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// reason says in one line what was observed, between which ends it surely is,
// what was wanted and from how many requests, as in
//
//	p99 response time 312ms (298 to 330ms), want <= 250ms (n=29,940; 28,100 within 250ms, 29,641 needed; open, 1000/s for 30s)
//	error ratio 0.0213, want <= 0 (638 of 29,940: timeout 601, reset 37; first: read tcp ...)
//	p99 response time 45.3ms (at least 41ms), want <= 50ms: n_eff 256 of 361: about 8s more (n=3,000)
func reason(j *judgement) string {
	r, c := &j.Result, j.c
	s := fmt.Sprintf("%s %s%s, want %s %s", r.Limit.subject(), observed(r, c), span(r), r.Limit.Op, r.Limit.wantText())
	if r.Verdict == Inconclusive {
		s += ": " + j.why
		if r.Needs > 0 {
			s += ": about " + unit.Duration(r.Needs) + " more"
		}
	}
	return s + " (" + strings.Join(details(r, c), "; ") + ")"
}

// span writes the confidence interval, " (3.9 to 4.6ms)", or nothing.
func span(r *Result) string {
	low, high := "", ""
	if r.HaveInterval && r.Low > 0 && !math.IsInf(r.Low, 1) {
		low = r.Limit.valueText(r.Low)
	}
	if r.HaveInterval && !math.IsInf(r.High, 1) {
		high = r.Limit.valueText(r.High)
	}
	switch {
	case r.HaveInterval && r.Low == 0 && high != "" && !r.Limit.Metric.IsTime(), low == "" && high != "":
		return " (at most " + high + ")"
	case low == high: // as neither is known, or as three digits do not tell them apart
		return ""
	case high == "":
		return " (at least " + low + ")"
	}
	digits, unit := cutUnit(low)
	if _, same := cutUnit(high); unit == same && digits != "" {
		low = digits
	}
	return " (" + low + " to " + high + ")"
}

// cutUnit cuts the unit off a value of one unit; 1m30s has none to cut.
func cutUnit(s string) (digits, unit string) {
	at := strings.LastIndexAny(s, "0123456789") + 1
	if strings.IndexFunc(s[:at], unicode.IsLetter) >= 0 {
		return "", s
	}
	return s[:at], s[at:]
}

// detail says for one who knows statistics what the verdict rests on.
func detail(j *judgement) string {
	var d []string
	if j.DesignEffect > 0 && j.NEffective > 0 {
		d = append(d, fmt.Sprintf("n_eff %s of %s, design effect %s", unit.Count(int64(j.NEffective)), unit.Count(j.N), unit.Number(j.DesignEffect)))
	}
	if j.HaveInterval {
		d = append(d, fmt.Sprintf("alpha %s for a fail, %s for a pass", unit.Significant(j.s.Fail, 2), unit.Significant(j.s.Pass, 2)))
	}
	return strings.Join(d, "; ")
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
		return unit.Exact(l.Time)
	case l.Metric == Errors:
		return unit.Decimal(l.Value, 0)
	}
	return unit.Decimal(l.Value, 0) + "/s"
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
	case l.Metric == Quantile && stat.Rank(l.Q, c.Due) <= c.Succeeded:
		return "unknown"
	case l.Metric.IsTime():
		return "without bound"
	}
	return "unknown"
}

// valueText writes a value of the metric in three significant digits, or in
// more where those would show the limit itself and it is not that: a time in
// all of them.
func (l Limit) valueText(v float64) string {
	if l.Metric.IsTime() {
		d := time.Duration(v)
		if s := unit.Duration(d); s != l.wantText() {
			return s
		}
		return unit.Exact(d)
	}
	per := ""
	if l.Metric != Errors {
		per = "/s"
	}
	s := unit.Number(v) + per
	for n := 4; s == l.wantText() && n <= 17; n++ { // 17 digits tell any two apart
		s = unit.Significant(v, n) + per
	}
	return s
}

// details are the parts of a reason that stand in brackets: of a missed limit
// also what may have caused it, of a verdict what it speaks for.
func details(r *Result, c *Counts) []string {
	l, n, missed := r.Limit, unit.Count(c.Due), unit.Count(c.missed())
	var d []string
	why := ""
	if r.Verdict == Fail {
		why = causes(c)
	}
	switch l.Metric {
	case Errors:
		d = append(d, missed+" of "+n+why)
	case Throughput:
		d = append(d, unit.Count(c.Completed)+" completed in "+unit.Duration(c.Elapsed))
	case Goodput:
		d = append(d, unit.Count(c.Succeeded)+" succeeded in "+unit.Duration(c.Elapsed))
	default:
		d = append(d, "n="+n)
	}
	if t, ok := l.Threshold(); ok && r.Verdict == Fail {
		few := ""
		if l.lower() {
			few = "fewer than "
		}
		d = append(d, fmt.Sprintf("%s within %s, %s%s needed", unit.Count(c.Within), unit.Exact(t), few, unit.Count(stat.Rank(l.Q, c.Due))))
	}
	if l.Metric.IsTime() && c.missed() > 0 {
		d = append(d, missed+" counted as missed"+why)
	}
	if r.Verdict == Fail && (l.Metric.IsTime() || l.Metric == Errors) {
		d = append(d, first(c)...)
	}
	// What a verdict speaks for: other loads and longer times may be another
	// matter.
	if r.Verdict != Inconclusive && l.Metric != Errors && c.Workload != "" {
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
			parts = append(parts, unit.Line(name)+" "+unit.Count(n))
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
			return []string{"first: " + unit.Line(k.First)}
		}
	}
	return nil
}
