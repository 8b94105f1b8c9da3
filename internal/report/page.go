package report

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Style says how the writers of text dress it. The zero Style is plain.
type Style struct {
	Verbose bool   // more rows, such as all quantiles, the course of the run, the generator
	Note    string // a line between what was asked for and the results; "" means none

	// Red marks what failed, Green what held, Yellow what is in doubt; each
	// returns its argument between the codes of its colour. nil is plain.
	Red, Green, Yellow func(string) string
}

// A page is text being written: blocks of rows, only those with something to
// say.
type page struct {
	b bytes.Buffer
	s Style
}

// note writes the Style's.
func (p *page) note() {
	if p.s.Note != "" {
		p.b.WriteString("\n" + p.s.Note + "\n")
	}
}

// block writes a title and its rows after an empty line, or nothing without rows.
func (p *page) block(title string, rows []string) {
	if len(rows) == 0 {
		return
	}
	p.b.WriteString("\n" + title + "\n")
	for _, row := range rows {
		p.b.WriteString("  " + row + "\n")
	}
}

func (p *page) plain(s string) string  { return s }
func (p *page) red(s string) string    { return paint(p.s.Red, s) }
func (p *page) green(s string) string  { return paint(p.s.Green, s) }
func (p *page) yellow(s string) string { return paint(p.s.Yellow, s) }

func paint(f func(string) string, s string) string {
	if f == nil {
		return s
	}
	return f(s)
}

// statusCodes has one row for each status.
func (p *page) statusCodes(codes map[string]int64) []string {
	var rows []string
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		rows = append(rows, fmt.Sprintf("%s: %d", code, codes[code]))
	}
	return rows
}

// errors has one row for each kind, and a verbose one for each sample.
func (p *page) errors(counts []ErrorCount) []string {
	var rows []string
	for _, e := range counts {
		row := fmt.Sprintf("%s: %d", e.Kind, e.Count)
		if e.First != "" {
			row += " (first: " + unit.Line(e.First) + ")"
		}
		rows = append(rows, row)
		for _, s := range e.Samples {
			if p.s.Verbose {
				rows = append(rows, "  "+s.ID+": "+unit.Line(s.Message))
			}
		}
	}
	return rows
}

// limits has one row for each limit, headed by its verdict, and a verbose one
// for what that rests on.
func (p *page) limits(limits []LimitResult) []string {
	width := 0
	for _, l := range limits {
		if l.Verdict != verdict.NotJudged {
			width = max(width, len(l.Verdict.String()))
		}
	}
	colour := [...]func(string) string{p.plain, p.green, p.red, p.yellow}
	var rows []string
	for _, l := range limits {
		row := l.Reason // says itself that it was not judged
		if l.Verdict != verdict.NotJudged {
			row = fmt.Sprintf("%-*s  %s", width, l.Verdict, l.Reason)
		}
		rows = append(rows, colour[l.Verdict](row))
		if p.s.Verbose && l.Detail != "" {
			rows = append(rows, strings.Repeat(" ", width+2)+l.Detail)
		}
	}
	return rows
}

func (p *page) warnings(g *Generator) []string {
	var rows []string
	for _, w := range g.Warnings {
		rows = append(rows, p.yellow(w.Text))
	}
	return rows
}
