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
	Verbose  bool   // more rows, such as all quantiles, the course of the run, the generator
	Brief    bool   // fewer rows, as in the log of a test
	Reasoned bool   // fails and doubts are explained elsewhere: only their short lines are here
	Note     string // a line between the description of the load and the results; "" means none
	Headless bool   // the description of the load was shown before; see [WriteHead]
	Hint     bool   // advise a longer run after a very short one, in the command's flags
	Width    int    // columns in which sentences are wrapped; 0 means 80
	ASCII    bool   // no other characters in marks and bars

	// Red is for failures, Green for limits that held, Yellow for doubts. Each
	// returns its argument between the codes of the colour; nil leaves it plain.
	Red, Green, Yellow func(string) string
}

// Write prints d as one page, without sections that would be empty. It calls w.Write
// once.
func Write(w io.Writer, d *report.Document, s Style) error {
	p := &page{s: s, d: d}
	notice := p.notice()
	switch {
	case s.Headless:
		p.addresses() // which were not known when the head was printed
		if notice != "" {
			p.b.WriteString("\n" + notice)
		}
	case notice != "":
		p.b.WriteString(notice + "\n")
		p.head()
	default:
		p.head()
	}
	switch {
	case d.Base != nil:
		p.comparison()
	case d.Found != nil:
		p.search()
	default:
		p.run()
	}
	if s.Verbose {
		p.block("Generator:", p.generator(&d.Generator))
	}
	p.warnings()
	if s.Hint {
		p.hint()
	}
	return p.flush(w)
}

// WriteHead prints what will be measured and how, which is how a page begins. d needs
// no results.
func WriteHead(w io.Writer, d *report.Document, s Style) error {
	p := &page{s: s, d: d}
	p.head()
	return p.flush(w)
}

// ASCII replaces the marks, bars and units of a text by some of ASCII.
func ASCII(text string) string { return inASCII.Replace(text) }

var inASCII = strings.NewReplacer("✓", "+", "✗", "x", "■", "#", "µ", "u",
	"▁", "_", "▂", ".", "▃", ":", "▄", "-", "▅", "=", "▆", "+", "▇", "*", "█", "#")

// flush writes the page.
func (p *page) flush(w io.Writer) error {
	text := p.b.String()
	if p.s.ASCII {
		text = ASCII(text)
	}
	_, err := io.WriteString(w, text)
	return err
}

// A page is the text of a document being written.
type page struct {
	b bytes.Buffer
	s Style
	d *report.Document
}

// notice says why the measurement ended early; "" if it did not.
func (p *page) notice() string {
	fit := func(s string) string { return strings.Join(p.fit(s, "  "), "\n") }
	switch d := p.d; {
	case d.Interrupted:
		return p.yellow(fit(interrupted(d))) + "\n"
	case d.Stopped != "":
		return p.red(fit("Given up: "+d.Stopped)) + "\n"
	}
	return ""
}

// head writes what was measured, when and how.
func (p *page) head() {
	d := p.d
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
	p.b.WriteString(strings.Join(p.fit(load(d), "  "), "\n") + "\n")
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

// labelColumn is the width in characters of the names of fields.
const labelColumn = 12

// field formats a row of a name and its value.
func field(name, value string) string { return fmt.Sprintf("%-*s%s", labelColumn, name, value) }

// warnings writes those that make a number on the page doubtful.
func (p *page) warnings() {
	var rows []string
	for _, w := range p.d.Generator.Warnings {
		if w.Minor {
			continue
		}
		for _, row := range p.wrap(w.Text, "  ") {
			rows = append(rows, p.yellow(row))
		}
	}
	p.block("Warnings:", rows)
}

// colour gives s the colour of a verdict.
func (p *page) colour(v verdict.Verdict, s string) string {
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
