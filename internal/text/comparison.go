package text

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// comparison writes the sections of a comparison: the verdicts first, then both
// targets side by side.
func (p *page) comparison() {
	d := p.d
	p.verdicts("Comparison:", p.judged(d), d.Verdict)
	if again := d.Repeat; again != nil {
		p.verdicts(repeatTitle(d), p.short(p.judged(again)), again.Verdict)
	}
	if where := next(d); where != "" {
		p.b.WriteString("\n" + strings.Join(p.wrap("Next: "+where, "  "), "\n") + "\n")
	}
	p.arms()
	p.arm("Base", d.Base)
	p.arm("Head", &d.Arm)
	if p.s.Verbose {
		p.block("Method:", p.method(d))
	}
}

// judged returns the lines of a comparison: what failed, what was counted and differs,
// what is in doubt, what passed, and what was only measured. Details are shown under
// Method.
func (p *page) judged(d *report.Document) []report.LimitResult {
	var lines [5][]report.LimitResult
	waived := ""
	add := func(l report.LimitResult, counted bool) {
		at := map[verdict.Verdict]int{verdict.Fail: 0, verdict.Inconclusive: 2, verdict.Pass: 3, verdict.NotJudged: 4}[l.Verdict]
		if counted && at > 0 {
			at = 1
		}
		lines[at] = append(lines[at], l)
	}
	for i := range d.Claims {
		c := &d.Claims[i]
		open := d.ClaimFailed() && c.Verdict == verdict.Inconclusive
		if !p.shows(c, open) {
			continue
		}
		l := report.LimitResult{Verdict: c.Verdict, Summary: named(c.Claim, cmp.Or(c.Summary, c.Reason)), Basis: c.Basis, Reason: c.Reason}
		if open || l.Basis == waived { // said once
			l.Basis = ""
		} else if c.Verdict == verdict.NotJudged {
			waived = l.Basis
		}
		add(l, c.Differs())
	}
	for _, r := range d.Ratios {
		l := report.LimitResult{Verdict: r.Verdict, Summary: named(verdict.Load, cmp.Or(r.Summary, r.Reason)), Basis: r.Basis, Reason: r.Reason}
		switch {
		case p.s.Verbose:
		case r.Pairs == 0:
			continue // a fail ended it before
		case r.Verdict == verdict.NotJudged:
			l.Basis = ""
		}
		add(l, false)
	}
	for _, l := range d.Limits {
		add(l, false)
	}
	return slices.Concat(lines[:]...)
}

// shows reports whether the line of a claim is on the page. One that can never pass is
// not, unless it failed, nor is one that a fail left without an estimate.
func (p *page) shows(c *report.ClaimResult, open bool) bool {
	switch {
	case p.s.Verbose || c.Differs():
		return true
	case open:
		return c.Ratio != nil
	}
	return c.Verdict != verdict.NotJudged || c.PassBelow != nil || c.Spared != ""
}

// named begins a line with a claim's name, so that what they say lines up.
func named(claim, summary string) string {
	return fmt.Sprintf("%-*s %s", len(verdict.Allocs), claim, summary)
}

// next says where to look for what failed, which the claims that did not fail narrow
// down; "" without a fail.
func next(d *report.Document) string {
	if d.Verdict != verdict.Fail {
		return ""
	}
	failed, more, differ := map[string]bool{}, map[string]float64{}, false
	for i := range d.Claims {
		c := &d.Claims[i]
		failed[c.Claim] = failed[c.Claim] || c.Verdict == verdict.Fail
		differ = differ || c.Differs()
		if c.Base != nil && c.Head != nil {
			more[c.Claim] = *c.Head - *c.Base
		}
	}
	for _, r := range d.Ratios {
		failed[verdict.Load] = failed[verdict.Load] || r.Verdict == verdict.Fail
	}
	work, clocked := more[verdict.Work]
	waits := clocked && work < max(more[verdict.Quick], more[verdict.Alone])/2
	switch {
	case failed[verdict.Work] && differ:
		return "CPU and memory profiles of base and head show what takes more"
	case failed[verdict.Work]:
		return "CPU profiles of base and head show what takes more"
	case failed[verdict.Allocs] || failed[verdict.Bytes]:
		return "memory profiles of base and head show what allocates more"
	case (failed[verdict.Quick] || failed[verdict.Alone]) && waits:
		return "each request waits longer, even alone: look for a call, a query or a sleep that base does not have"
	case failed[verdict.Quick] || failed[verdict.Alone]:
		return "each request takes longer, even alone: CPU profiles of base and head show whether it does more, or waits"
	case failed[verdict.Locks] || failed[verdict.Burst] || failed[verdict.Load]:
		return "requests are slower together than alone: look for a lock or a pool that they share; mutex and block profiles show it"
	case failed[verdict.Tail]:
		return "few requests are slower: look for what only some of them do"
	}
	return ""
}

// repeatTitle returns the title of the verdicts of a second measurement.
func repeatTitle(d *report.Document) string {
	if fresh := d.Fresh(); fresh != "" {
		return "Repeat, " + fresh + ":"
	}
	return "Repeat:"
}

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
	width, _ := p.armColumn()
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
	detail := func(s string) {
		if s != "" {
			add("", s)
		}
	}
	if m := d.Pairs; m != nil {
		var round []string
		if m.Alone > 0 {
			round = append(round, fmt.Sprintf("%d requests of each target one at a time", m.Alone))
		}
		if m.AtOnce > 0 {
			round = append(round, fmt.Sprintf("%d at once of one and then of the other", m.AtOnce))
		}
		add("Rounds:", fmt.Sprintf("%d, each of %s, once or twice, in random order, seed %d; took %s", m.Rounds, strings.Join(round, " and "), m.Seed, unit.Duration(d.Took)))
		if m.Judged > 0 {
			add("Load:", fmt.Sprintf("%s of two blocks of %s each, in random order", unit.Plural(int64(m.Judged), "pair"), unit.Duration(m.Block)))
			add("Guard:", unit.Duration(m.Guard)+" at the start of each block, sent and not counted")
		}
	}
	for i := range d.Claims {
		c := &d.Claims[i]
		if c.Readings == 0 || c.Base == nil || c.Head == nil {
			continue
		}
		name := strings.TrimSpace(c.Claim + " " + c.Quantile)
		add(name+":", fmt.Sprintf("base %s, head %s; %s", amount(c, *c.Base), amount(c, *c.Head), unit.Plural(int64(c.Readings), "reading")))
		detail(c.Detail)
	}
	for _, r := range d.Ratios {
		add("load "+r.Quantile+":", fmt.Sprintf("%s in all blocks of base, %s of head; ratio from %s",
			unit.Optional(r.Base), unit.Optional(r.Head), unit.Plural(int64(r.Pairs), "pair")))
		detail(r.Detail)
	}
	if d.Verdict == verdict.Pass {
		add("A pass:", "says no more than its lines do: it does not see leaks, waits in fewer than 1 % of the requests, "+
			"and what is slower under sustained load by less than that line tells")
	}
	return rows
}

// amount writes what a request takes, in the unit of the claim.
func amount(c *report.ClaimResult, f float64) string {
	switch c.Claim {
	case verdict.Allocs:
		return unit.Rounded(f, 3) + " objects"
	case verdict.Bytes:
		return unit.Size(int64(f))
	}
	return unit.Duration(time.Duration(f))
}
