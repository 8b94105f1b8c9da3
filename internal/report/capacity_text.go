package report

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// WriteText writes c for people: the answer first, then how the times rose with
// the rate. It calls w.Write once.
func (c *Capacity) WriteText(w io.Writer, s Style) error {
	t := &capacityText{page: page{s: s}, c: c}
	t.head()
	t.note()
	t.block("Capacity:", []string{t.answer()})
	t.curve()
	if s.Verbose {
		t.block("Trials:", t.trials())
		t.block("Generator:", t.generator(&c.Generator))
	}
	t.block("Warnings:", t.warnings(&c.Generator))
	_, err := w.Write(t.b.Bytes())
	return err
}

// capacityText is a search being written.
type capacityText struct {
	page
	c *Capacity
}

// head says what was asked for, and first of all if that was not done.
func (t *capacityText) head() {
	c := t.c
	if c.Interrupted {
		after := unit.Duration(c.Elapsed)
		t.b.WriteString(t.yellow(fmt.Sprintf("Interrupted after %s: %s", after, unit.Plural(int64(len(c.Trials)), "trial"))) + "\n\n")
	}
	t.b.WriteString("Target: " + unit.Line(c.Config.Target) + "\n")
	fmt.Fprintf(&t.b, "Rate: from %s, Concurrency: up to %d, Limits: %s\n", c.Config.rate(), c.Config.Concurrency, strings.Join(c.Limits, ", "))
}

// answer is the capacity in a sentence, or why it is not known.
func (t *capacityText) answer() string {
	c := t.c
	what := ": " + strings.Join(c.Limits, ", ")
	switch {
	case c.Verdict != verdict.Pass:
		return t.yellow(c.Verdict.String() + "  " + c.Reason)
	case c.Low == nil || c.High == nil:
		return t.green(c.Reason + what)
	}
	return t.green(fmt.Sprintf("holds at %s, not at %s%s; stopped by the %s", unit.Rate(*c.Low), unit.Rate(*c.High), what, c.StoppedBy))
}

// A level is what all trials at one rate saw.
type level struct {
	rate     float64
	p50, p99 *time.Duration // of the median trial, the slower of two; nil if no trial can tell
	held, of int
}

// levels are the trials by rate, lowest first.
func levels(trials []Trial) []level {
	at := map[float64][]Trial{}
	for _, tr := range trials {
		at[tr.Rate] = append(at[tr.Rate], tr)
	}
	var all []level
	for _, rate := range slices.Sorted(maps.Keys(at)) {
		l := level{rate: rate, of: len(at[rate])}
		l.p50 = medianOf(at[rate], func(tr Trial) *time.Duration { return tr.P50 })
		l.p99 = medianOf(at[rate], func(tr Trial) *time.Duration { return tr.P99 })
		for _, tr := range at[rate] {
			if tr.Held {
				l.held++
			}
		}
		all = append(all, l)
	}
	return all
}

// medianOf is the median of a time that trials saw, the longer of two in the
// middle; nil if none saw it.
func medianOf(trials []Trial, of func(Trial) *time.Duration) *time.Duration {
	var seen []*time.Duration
	for _, tr := range trials {
		if d := of(tr); d != nil {
			seen = append(seen, d)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	slices.SortFunc(seen, func(a, b *time.Duration) int { return cmp.Compare(*a, *b) })
	return seen[len(seen)/2]
}

// curveBar is the most characters of a bar. Chosen: the table fits 80 columns.
const curveBar = 30

// curve writes how the times rose with the rate, in a table with a bar for p99.
func (t *capacityText) curve() {
	all := levels(t.c.Trials)
	times := make([]float64, len(all))
	for i, l := range all {
		times[i] = math.NaN()
		if l.p99 != nil {
			times[i] = float64(*l.p99)
		}
	}
	top := peak(times)
	var rows []string
	for i, l := range all {
		row := fmt.Sprintf("%-10s%9s%9s%10s", unit.Rate(l.rate), unit.Optional(l.p50), unit.Optional(l.p99), fmt.Sprintf("%d of %d", l.held, l.of))
		if top > 0 && !math.IsNaN(times[i]) {
			row += "  " + strings.Repeat("█", max(1, int(math.Round(times[i]/top*curveBar))))
		}
		rows = append(rows, row)
	}
	t.block(fmt.Sprintf("%-12s%9s%9s%10s  %s", "By rate:", "p50", "p99", "held", "p99"), rows)
}

// trials has one row for each, in the order they were made.
func (t *capacityText) trials() []string {
	var rows []string
	for i, tr := range t.c.Trials {
		outcome := "held"
		if !tr.Held {
			outcome = t.red("missed: " + tr.Reason)
		}
		rows = append(rows, fmt.Sprintf("%3d  %-8s%10s for %s: %d of %d succeeded, p50 %s, p99 %s, %s", i+1, tr.Purpose, unit.Rate(tr.Rate),
			unit.Duration(tr.Duration), tr.Succeeded, tr.Due, unit.Optional(tr.P50), unit.Optional(tr.P99), outcome))
	}
	return rows
}

// Progress is how far the search came, in a few words.
func (c *Capacity) Progress() string { return progress(len(c.Trials), "trial", c.Elapsed) }
