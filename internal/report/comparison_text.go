package report

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// WriteText writes c for people: the verdicts first, then both arms side by
// side. It calls w.Write once.
func (c *Comparison) WriteText(w io.Writer, s Style) error {
	t := &comparisonText{page: page{s: s}, c: c}
	t.head()
	t.note()
	t.block("Comparison:", t.limits(c.Judged()))
	if c.Repeat != nil {
		both := LimitResult{Verdict: c.Verdict, Reason: "both together"}
		t.block("Repeat, after a pause:", append(t.limits(c.Repeat.Judged()), t.limits([]LimitResult{both})...))
	}
	t.arms()
	for _, a := range []struct {
		name string
		arm  *Arm
	}{{"Base", &c.Base}, {"Head", &c.Head}} {
		if s.Verbose || a.arm.Requests.Failed > 0 {
			t.block(a.name+", status codes:", t.statusCodes(a.arm.StatusCodes))
		}
		t.block(a.name+", errors:", t.errors(a.arm.Errors))
	}
	if s.Verbose {
		t.block("Method:", t.method())
		t.block("Generator:", t.generator(&c.Generator))
	}
	t.block("Warnings:", t.warnings(&c.Generator))
	_, err := w.Write(t.b.Bytes())
	return err
}

// comparisonText is a comparison being written.
type comparisonText struct {
	page
	c *Comparison
}

// head says what was asked for, and first of all if that was not done.
func (t *comparisonText) head() {
	c := t.c
	if c.Interrupted {
		after := unit.Duration(c.Elapsed)
		t.b.WriteString(t.yellow(fmt.Sprintf("Interrupted after %s: %s", after, unit.Plural(int64(c.Pairs), "pair"))) + "\n\n")
	}
	t.b.WriteString("Base: " + unit.Line(c.Base.Target) + "\n")
	t.b.WriteString("Head: " + unit.Line(c.Head.Target) + "\n")
	t.b.WriteString(c.Config.load() + "\n")
}

// armWidth is a column's of the table of both arms, in characters: a large rate
// fits.
const armWidth = len("1234567.89 req/s")

// arms writes what both did, side by side.
func (t *comparisonText) arms() {
	const title = "Results:"
	base, head := &t.c.Base, &t.c.Head
	var rows []string
	add := func(label string, of func(*Arm) string) {
		rows = append(rows, fmt.Sprintf("%-12s%*s%*s", label, armWidth, of(base), armWidth, of(head)))
	}
	count := func(label string, always bool, of func(*Requests) int64) {
		if always || of(&base.Requests)+of(&head.Requests) > 0 {
			add(label, func(a *Arm) string { return strconv.FormatInt(of(&a.Requests), 10) })
		}
	}
	count("Requests:", true, func(q *Requests) int64 { return q.Due })
	count("Failed:", true, func(q *Requests) int64 { return q.Failed })
	count("Unsent:", false, func(q *Requests) int64 { return q.Unsent })
	count("Unfinished:", false, func(q *Requests) int64 { return q.Unfinished })
	add("Throughput:", func(a *Arm) string { return unit.PerSecond(a.Rate.Throughput) })
	for _, q := range timeRows {
		if !q.verbose || t.s.Verbose {
			add(q.label, func(a *Arm) string { return unit.Optional(q.of(&a.ResponseTime)) })
		}
	}
	if base.AllocsPerRequest != nil || head.AllocsPerRequest != nil {
		add("Allocations:", func(a *Arm) string {
			return perRequest(a.AllocsPerRequest, func(f float64) string { return unit.Rounded(f, 3) })
		})
	}
	if base.BytesPerRequest != nil || head.BytesPerRequest != nil {
		add("Allocated:", func(a *Arm) string {
			return perRequest(a.BytesPerRequest, func(f float64) string { return unit.Size(int64(f)) })
		})
	}
	t.block(fmt.Sprintf("%-14s%*s%*s", title, armWidth, "base", armWidth, "head"), rows)
}

// perRequest writes what one request took, or - if that is not known.
func perRequest(f *float64, write func(float64) string) string {
	if f == nil {
		return "-"
	}
	return write(*f) + " each"
}

// method says how the verdict was reached.
func (t *comparisonText) method() []string {
	c := t.c
	rows := []string{
		fmt.Sprintf("%-12s%s of two blocks of %s each, in random order, seed %d; took %s", "Pairs:",
			strconv.Itoa(c.Pairs), unit.Duration(c.Block), c.Seed, unit.Duration(c.Elapsed)),
		fmt.Sprintf("%-12s%s at the start of each block, sent and not counted", "Guard:", unit.Duration(c.Guard)),
	}
	for _, r := range c.Ratios {
		rows = append(rows, fmt.Sprintf("%-12s%s in all blocks of base, %s of head; ratio from %s",
			r.Quantile+":", unit.Optional(r.Base), unit.Optional(r.Head), unit.Plural(int64(r.Pairs), "pair")))
		if r.Detail != "" {
			rows = append(rows, fmt.Sprintf("%-12s%s", "", r.Detail))
		}
	}
	return rows
}

// Progress is how far the comparison came, in a few words.
func (c *Comparison) Progress() string { return progress(c.Pairs, "pair", c.Elapsed) }

func progress(n int, noun string, elapsed time.Duration) string {
	return unit.Plural(int64(n), noun) + " in " + unit.Duration(elapsed)
}
