package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// reason returns one line: what was observed and its interval, what was wanted,
// and from how many requests, as in
//
//	p99 response time 312ms (298 to 330ms), want <= 250ms (n=29,940; 28,100 within 250ms, 29,641 needed; open, 1000/s for 30s)
//	error ratio 0.0213, want <= 0 (638 of 29,940: timeout 601, reset 37; first: read tcp ...)
//	p99 response time 45.3ms (at least 41ms), want <= 50ms: n_eff 256 of 361: about 8s more (n=3,000)
func (j *judgement) reason() string {
	l := j.Limit
	s := fmt.Sprintf("%s %s", l.subject(), j.observed())
	if span := j.span(l.valueText); span != "" {
		s += " (" + span + ")"
	}
	s += fmt.Sprintf(", want %s %s", l.Op, l.wantText())
	if j.Verdict == Inconclusive {
		s += ": " + j.lack()
	}
	return s + " (" + strings.Join(j.details(true), "; ") + ")"
}

// lack returns why there is no verdict, and how much more load would give one.
func (j *judgement) lack() string {
	if j.Needs > 0 {
		return j.why + ": about " + unit.Duration(j.Needs) + " more"
	}
	return j.why
}

// summary returns the metric, what was observed and what was wanted, as in
//
//	p99 13.3ms, want <= 50ms
//	errors 2.13%, want <= 0.1%
func (j *judgement) summary() string {
	l := j.Limit
	observed, _, _ := strings.Cut(j.observed(), ",")
	want := l.wantText()
	if l.Metric == Errors {
		want = l.want()
		if j.HaveObserved {
			observed = l.percent(j.Observed)
		}
	}
	return fmt.Sprintf("%s %s, want %s %s", l.name(), observed, l.Op, want)
}

// percent writes a share in percent with three significant digits, or with more
// where those would show the limit itself and it is not that.
func (l Limit) percent(share float64) string {
	s := unit.Number(share*100) + "%"
	for n := 4; s == l.want() && share != l.Value && n <= 17; n++ {
		s = unit.Significant(share*100, n) + "%"
	}
	return s
}

// basis returns what the verdict rests on, as in
//
//	298 to 330ms; n=29,940; 28,100 within 250ms, 29,641 needed; open, 1000/s for 30s
//
// How requests failed stands elsewhere on a page.
func (j *judgement) basis() string {
	var parts []string
	if j.Verdict == Inconclusive {
		parts = append(parts, j.lack())
	}
	text := j.Limit.valueText
	if j.Limit.Metric == Errors {
		text = j.Limit.percent
	}
	if span := j.span(text); span != "" {
		parts = append(parts, span)
	}
	return strings.Join(append(parts, j.details(false)...), "; ")
}

// span returns the confidence interval, "3.9 to 4.6ms"; "" without one. text writes
// its ends.
func (r *Finding) span(text func(float64) string) string {
	low, high := "", ""
	if r.HaveInterval && r.Low > 0 && !math.IsInf(r.Low, 1) {
		low = text(r.Low)
	}
	if r.HaveInterval && !math.IsInf(r.High, 1) {
		high = text(r.High)
	}
	switch {
	case r.HaveInterval && r.Low == 0 && high != "" && !r.Limit.Metric.IsTime(), low == "" && high != "":
		return "at most " + high
	case low == high: // as neither is known, or as three digits do not tell them apart
		return ""
	case high == "":
		return "at least " + low
	}
	digits, unit := cutUnit(low)
	if _, same := cutUnit(high); unit == same && digits != "" {
		low = digits
	}
	return low + " to " + high
}

// cutUnit cuts the unit off a value of one unit; 1m30s has none to cut.
func cutUnit(s string) (digits, unit string) {
	at := strings.LastIndexAny(s, "0123456789") + 1
	if strings.IndexFunc(s[:at], unicode.IsLetter) >= 0 {
		return "", s
	}
	return s[:at], s[at:]
}

// detail returns what the verdict rests on, for a statistician.
func (j *judgement) detail() string {
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

// observed returns the value of the metric in words.
func (j *judgement) observed() string {
	l := j.Limit
	switch {
	case j.HaveObserved && l.Metric == Quantile && j.seen.Missed() > 0:
		return l.valueText(j.Observed) + " among the succeeded"
	case j.HaveObserved:
		return l.valueText(j.Observed)
	case l.Metric.IsTime() && j.seen.Succeeded == 0:
		return "unknown, as no request succeeded"
	case l.Metric == Quantile && stat.Rank(l.Q, j.seen.Due) <= j.seen.Succeeded:
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

// details returns the parts of a reason that stand in brackets: for a missed
// limit also the causes of failed requests, with example the first of them, for a
// verdict also the load.
func (j *judgement) details(example bool) []string {
	l, seen := j.Limit, j.seen
	n, missed := unit.Count(seen.Due), unit.Count(seen.Missed())
	why, first := "", ""
	if j.Verdict == Fail {
		all := causes(seen)
		why = missedBy(all, seen)
		if at := slices.IndexFunc(all, func(c cause) bool { return c.first != "" }); at >= 0 {
			first = all[at].first
		}
	}
	var d []string
	switch l.Metric {
	case Errors:
		d = append(d, missed+" of "+n+why)
	case Throughput:
		d = append(d, unit.Count(seen.Completed())+" completed in "+unit.Duration(seen.Span()))
	case Goodput:
		d = append(d, unit.Count(seen.Succeeded)+" succeeded in "+unit.Duration(seen.Span()))
	default:
		d = append(d, "n="+n)
	}
	if t, ok := l.Threshold(); ok && j.Verdict == Fail {
		few := ""
		if l.lower() {
			few = "fewer than "
		}
		d = append(d, fmt.Sprintf("%s within %s, %s%s needed",
			unit.Count(seen.Within[j.threshold]), unit.Exact(t), few, unit.Count(stat.Rank(l.Q, seen.Due))))
	}
	if l.Metric.IsTime() && seen.Missed() > 0 {
		d = append(d, missed+" counted as missed"+why)
	}
	if example && first != "" && (l.Metric.IsTime() || l.Metric == Errors) {
		d = append(d, "first: "+unit.Line(first))
	}
	// A verdict is about this load alone.
	if j.Verdict != Inconclusive && l.Metric != Errors && seen.Load != "" {
		d = append(d, seen.Load+" for "+unit.Duration(seen.Course()))
	}
	return d
}

// A cause is one way in which requests failed.
type cause struct {
	name  string // an error kind, or "status 503"
	n     int64
	first string // the first message; "" if none was kept
}

// causes returns how requests failed, the most frequent first.
func causes(r *record.Record) (all []cause) {
	for kind := record.NoError + 1; kind < record.Kinds; kind++ {
		if n := r.Kinds[kind]; n > 0 {
			c := cause{kind.String(), n, ""}
			if kept := r.Samples[kind]; len(kept) > 0 {
				c.first = kept[0].Text
			}
			all = append(all, c)
		}
	}
	for status, n := range r.Rejected {
		a := r.Answers[status]
		all = append(all, cause{"status " + unit.Status(status), n, cmp.Or(a.Redirect(status), a.Text())})
	}
	slices.SortFunc(all, func(a, b cause) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	return all
}

// maxCauses is how many ways to fail one line names.
const maxCauses = 4

// missedBy lists why requests were missed, as ": timeout 601, unsent 37"; "" if
// none was.
func missedBy(all []cause, r *record.Record) string {
	var parts []string
	for i, c := range all {
		if i == maxCauses {
			parts = append(parts, "...")
			break
		}
		parts = append(parts, c.name+" "+unit.Count(c.n))
	}
	if r.Unsent > 0 {
		parts = append(parts, "unsent "+unit.Count(r.Unsent))
	}
	if r.Unfinished > 0 {
		parts = append(parts, "unfinished "+unit.Count(r.Unfinished))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
