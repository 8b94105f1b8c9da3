package text

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// comparison writes the sections of a comparison: the verdicts first, then both
// targets side by side.
func (p *page) comparison() {
	d := p.d
	p.verdicts("Comparison:", judged(d), d.Verdict)
	if d.Repeat != nil {
		p.verdicts(repeatTitle, p.short(judged(d.Repeat)), d.Repeat.Verdict)
	}
	p.arms()
	p.arm("Base", d.Base)
	p.arm("Head", &d.Arm)
	if p.s.Verbose {
		p.block("Method:", p.method(d))
	}
}

// judged returns everything in d that has a verdict. Details of ratios are left out
// here because they are shown under Method.
func judged(d *report.Document) []report.LimitResult {
	all := d.Judged()
	for i := range d.Ratios {
		all[i].Detail = ""
	}
	return all
}

// repeatTitle is that of the verdicts of a second measurement.
const repeatTitle = "Repeat, after a pause:"

// short returns the results of a repeat without what they rest on: that of the first
// measurement is enough. A brief page has only the fails, if there is one.
func (p *page) short(results []report.LimitResult) (all []report.LimitResult) {
	missed := slices.ContainsFunc(results, func(l report.LimitResult) bool { return l.Verdict == verdict.Fail })
	for _, l := range results {
		if p.s.Brief && missed && l.Verdict != verdict.Fail {
			continue
		}
		l.Basis, l.Detail = "", ""
		all = append(all, l)
	}
	return all
}

// armWidth is the width in characters of each column in the table of both targets: a
// large rate fits.
const armWidth = len("1234567.89 req/s")

// armColumn returns the width of such a column on this page, and how a rate is written
// in it.
func (p *page) armColumn() (width int, rate func(float64) string) {
	width = min(armWidth, (p.width()-len("  ")-labelColumn)/2)
	if width < armWidth {
		return width, unit.Rate
	}
	return width, unit.PerSecond
}

// arms writes the results of both targets side by side.
func (p *page) arms() {
	base, head := p.d.Base, &p.d.Arm
	width, rate := p.armColumn()
	var rows []string
	add := func(label string, of func(*report.Arm) string) {
		rows = append(rows, fmt.Sprintf("%-*s%*s%*s", labelColumn, label, width, of(base), width, of(head)))
	}
	count := func(label string, always bool, of func(*report.Requests) int64) {
		if always || of(&base.Requests)+of(&head.Requests) > 0 {
			add(label, func(a *report.Arm) string { return strconv.FormatInt(of(&a.Requests), 10) })
		}
	}
	count("Requests:", true, func(q *report.Requests) int64 { return q.Due })
	count("Failed:", true, func(q *report.Requests) int64 { return q.Failed })
	count("Unsent:", false, func(q *report.Requests) int64 { return q.Unsent })
	count("Unfinished:", false, func(q *report.Requests) int64 { return q.Unfinished })
	count("Sent again:", false, func(q *report.Requests) int64 { return q.SentAgain })
	add("Throughput:", func(a *report.Arm) string { return rate(a.Rate.Throughput) })
	for _, q := range timeRows {
		if !q.verbose || p.s.Verbose {
			add(q.label, func(a *report.Arm) string { return unit.Optional(q.of(&a.ResponseTime)) })
		}
	}
	each := func(label string, of func(*report.Arm) *float64, format func(float64) string) {
		if of(base) == nil && of(head) == nil {
			return
		}
		add(label, func(a *report.Arm) string {
			if f := of(a); f != nil {
				return format(*f) + " each"
			}
			return "-"
		})
	}
	each("Allocations:", func(a *report.Arm) *float64 { return a.AllocsPerRequest }, func(f float64) string { return unit.Rounded(f, 3) })
	each("Allocated:", func(a *report.Arm) *float64 { return a.BytesPerRequest }, func(f float64) string { return unit.Size(int64(f)) })
	p.block(fmt.Sprintf("%-*s%*s%*s", len("  ")+labelColumn, "Results:", width, "base", width, "head"), rows)
}

// arm writes the status codes and errors of one target.
func (p *page) arm(name string, a *report.Arm) {
	if p.s.Verbose || a.Requests.Failed > 0 {
		p.block(name+", status codes:", statusCodes(a.StatusCodes))
	}
	p.block(name+", failed responses:", p.failedResponses(a))
	p.block(name+", errors:", p.errors(a.Errors))
}

// method describes how the verdict was reached.
func (p *page) method(d *report.Document) (rows []string) {
	add := func(name, value string) { rows = append(rows, p.fit(field(name, value), field("", ""))...) }
	if m := d.Pairs; m != nil {
		add("Pairs:", fmt.Sprintf("%d of two blocks of %s each, in random order, seed %d; took %s", m.Judged, unit.Duration(m.Block), m.Seed, unit.Duration(d.Took)))
		add("Guard:", unit.Duration(m.Guard)+" at the start of each block, sent and not counted")
	}
	for _, r := range d.Ratios {
		add(r.Quantile+":", fmt.Sprintf("%s in all blocks of base, %s of head; ratio from %s",
			unit.Optional(r.Base), unit.Optional(r.Head), unit.Plural(int64(r.Pairs), "pair")))
		if r.Detail != "" {
			add("", r.Detail)
		}
	}
	return rows
}
