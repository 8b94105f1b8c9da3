// Package text prints documents for people: on a terminal, and in the logs of
// tests.
package text

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Style determines how a page looks. The zero Style is plain.
type Style struct {
	Verbose bool   // more rows, such as all quantiles, the course of the run, the generator
	Note    string // a line between the description of the load and the results; "" means none

	// Red is for failures, Green for limits that held, Yellow for doubts. Each
	// returns its argument between the codes of the colour; nil leaves it plain.
	Red, Green, Yellow func(string) string
}

// Write prints d as one page, without sections that would be empty. It calls w.Write
// once.
func Write(w io.Writer, d *report.Document, s Style) error {
	p := &page{s: s, d: d}
	p.head()
	switch {
	case d.Base != nil:
		p.comparison()
	case d.Found != nil:
		p.search()
	default:
		p.run()
	}
	if s.Verbose {
		p.block("Generator:", generator(&d.Generator))
	}
	if d.Base == nil { // a comparison shows its verdicts first
		p.block("Limits:", p.limits(d.Limits))
		if d.Repeat != nil {
			p.block("Limits in a second run, after a pause:", p.limits(d.Repeat.Limits))
		}
	}
	p.warnings()
	_, err := w.Write(p.b.Bytes())
	return err
}

// A page is the text of a document being written.
type page struct {
	b bytes.Buffer
	s Style
	d *report.Document
}

// head writes what was measured, when and how, after a notice if it was interrupted or given up.
func (p *page) head() {
	d := p.d
	if d.Interrupted {
		p.b.WriteString(p.yellow(interrupted(d)) + "\n\n")
	}
	if d.Stopped != "" {
		p.b.WriteString(p.red("Given up: "+d.Stopped) + "\n\n")
	}
	if !d.StartedAt.IsZero() {
		p.b.WriteString("Measured " + d.StartedAt.Format("2006-01-02 15:04:05 -0700") + "\n")
	}
	if d.Base != nil {
		p.b.WriteString("Base: " + hosted(d.Base.Target, d.Base) + "\nHead: " + hosted(d.Target, &d.Arm) + "\n")
	} else {
		p.b.WriteString("Target: " + hosted(d.Config.Target, &d.Arm) + "\n")
	}
	if d.Config.PostsBody {
		p.b.WriteString("Method: POST (for the body)\n")
	}
	p.addresses()
	p.b.WriteString(load(d) + "\n")
	if p.s.Note != "" {
		p.b.WriteString("\n" + p.s.Note + "\n")
	}
}

// hosted returns the target of an arm in one line, with its host as DNS has it if
// that differs.
func hosted(target string, a *report.Arm) string {
	if a.ASCIIHost == "" {
		return unit.Line(target)
	}
	return unit.Line(target) + " (" + a.ASCIIHost + ")"
}

// block writes an empty line, a title and its rows; without rows it writes nothing.
func (p *page) block(title string, rows []string) {
	if len(rows) == 0 {
		return
	}
	p.b.WriteString("\n" + title + "\n")
	for _, row := range rows {
		p.b.WriteString("  " + row + "\n")
	}
}

// field formats a row of a name and its value.
func field(name, value string) string { return fmt.Sprintf("%-12s%s", name, value) }

// limits returns a row for each limit that begins with the verdict, and if verbose
// another for its detail.
func (p *page) limits(limits []report.LimitResult) []string {
	width := 0
	for _, l := range limits {
		if l.Verdict != verdict.NotJudged {
			width = max(width, len(l.Verdict.String()))
		}
	}
	var rows []string
	for _, l := range limits {
		row := l.Reason // if the limit was not judged, the reason begins with that
		if l.Verdict != verdict.NotJudged {
			row = fmt.Sprintf("%-*s  %s", width, l.Verdict, l.Reason)
		}
		rows = append(rows, p.verdict(l.Verdict, row))
		if p.s.Verbose && l.Detail != "" {
			rows = append(rows, strings.Repeat(" ", width+2)+l.Detail)
		}
	}
	return rows
}

func (p *page) warnings() {
	var rows []string
	for _, w := range p.d.Generator.Warnings {
		rows = append(rows, p.yellow(w.Text))
	}
	p.block("Warnings:", rows)
}

// verdict gives s the colour of a verdict.
func (p *page) verdict(v verdict.Verdict, s string) string {
	switch v {
	case verdict.Pass:
		return p.green(s)
	case verdict.Fail:
		return p.red(s)
	case verdict.Inconclusive:
		return p.yellow(s)
	}
	return s
}

func (p *page) red(s string) string    { return paint(p.s.Red, s) }
func (p *page) green(s string) string  { return paint(p.s.Green, s) }
func (p *page) yellow(s string) string { return paint(p.s.Yellow, s) }

func paint(f func(string) string, s string) string {
	if f == nil {
		return s
	}
	return f(s)
}
