package text

import (
	"fmt"
	"strconv"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// comparison writes the sections of a comparison: the verdicts first, then both
// targets side by side.
func (p *page) comparison() {
	d := p.d
	p.block("Comparison:", p.limits(judged(d)))
	if d.Repeat != nil {
		both := report.LimitResult{Verdict: d.Verdict, Reason: "both together"}
		p.block("Repeat, after a pause:", append(p.limits(judged(d.Repeat)), p.limits([]report.LimitResult{both})...))
	}
	p.arms()
	p.arm("Base", d.Base)
	p.arm("Head", &d.Arm)
	if p.s.Verbose {
		p.block("Method:", method(d))
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

// armWidth is the width in characters of each column in the table of both targets: a
// large rate fits.
const armWidth = len("1234567.89 req/s")

// arms writes the results of both targets side by side.
func (p *page) arms() {
	base, head := p.d.Base, &p.d.Arm
	var rows []string
	add := func(label string, of func(*report.Arm) string) {
		rows = append(rows, fmt.Sprintf("%-12s%*s%*s", label, armWidth, of(base), armWidth, of(head)))
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
	add("Throughput:", func(a *report.Arm) string { return unit.PerSecond(a.Rate.Throughput) })
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
	p.block(fmt.Sprintf("%-14s%*s%*s", "Results:", armWidth, "base", armWidth, "head"), rows)
}

// arm writes the status codes and errors of one target.
func (p *page) arm(name string, a *report.Arm) {
	if p.s.Verbose || a.Requests.Failed > 0 {
		p.block(name+", status codes:", statusCodes(a.StatusCodes))
	}
	p.block(name+", errors:", p.errors(a.Errors))
}

// method describes how the verdict was reached.
func method(d *report.Document) (rows []string) {
	if m := d.Pairs; m != nil {
		rows = append(rows,
			field("Pairs:", fmt.Sprintf("%d of two blocks of %s each, in random order, seed %d; took %s", m.Judged, unit.Duration(m.Block), m.Seed, unit.Duration(d.Took))),
			field("Guard:", unit.Duration(m.Guard)+" at the start of each block, sent and not counted"))
	}
	for _, r := range d.Ratios {
		rows = append(rows, field(r.Quantile+":", fmt.Sprintf("%s in all blocks of base, %s of head; ratio from %s",
			unit.Optional(r.Base), unit.Optional(r.Head), unit.Plural(int64(r.Pairs), "pair"))))
		if r.Detail != "" {
			rows = append(rows, field("", r.Detail))
		}
	}
	return rows
}
