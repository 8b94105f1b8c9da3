// Package text prints documents for people: on a terminal, and in the logs of
// tests.
package text

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

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
	notice := ""
	if d.Interrupted {
		notice = p.yellow(interrupted(d)) + "\n"
	}
	switch {
	case s.Headless && notice != "":
		p.b.WriteString("\n" + notice)
	case notice != "":
		p.b.WriteString(notice + "\n")
		p.head()
	case !s.Headless:
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

// inASCII replaces the marks, bars and units of a page.
var inASCII = strings.NewReplacer("✓", "+", "✗", "x", "■", "#", "µ", "u",
	"▁", "_", "▂", ".", "▃", ":", "▄", "-", "▅", "=", "▆", "+", "▇", "*", "█", "#")

// flush writes the page.
func (p *page) flush(w io.Writer) error {
	text := p.b.String()
	if p.s.ASCII {
		text = inASCII.Replace(text)
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

// head writes what was measured and how.
func (p *page) head() {
	d := p.d
	if d.Base != nil {
		p.b.WriteString("Base: " + unit.Line(d.Base.Target) + "\nHead: " + unit.Line(d.Target) + "\n")
	} else {
		p.b.WriteString("Target: " + unit.Line(d.Config.Target) + "\n")
	}
	p.b.WriteString(strings.Join(p.fit(load(d), "  "), "\n") + "\n")
	if p.s.Note != "" {
		p.b.WriteString("\n" + p.s.Note + "\n")
	}
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

// verdicts writes a short line for each result, which begins with a mark, and below
// it what a verdict rests on that is not a pass, or any if verbose. More than one
// result has their verdict together in the title.
func (p *page) verdicts(title string, results []report.LimitResult, together verdict.Verdict) {
	var rows []string
	for _, l := range results {
		rows = append(rows, p.verdict(l.Verdict, cmp.Or(l.Summary, l.Reason))...)
		if l.Basis != "" && p.explains(l.Verdict) {
			rows = append(rows, p.wrap("  "+l.Basis, "  ")...)
		}
		if l.Detail != "" && p.s.Verbose {
			rows = append(rows, p.wrap("  "+l.Detail, "  ")...)
		}
	}
	if together != verdict.NotJudged && (len(results) > 1 || len(results) == 1 && results[0].Verdict != together) {
		title += " " + p.colour(together, together.String())
	}
	p.block(title, rows)
}

// explains reports whether what a verdict rests on is written below it.
func (p *page) explains(v verdict.Verdict) bool {
	if v == verdict.Fail || v == verdict.Inconclusive {
		return !p.s.Reasoned
	}
	return v == verdict.NotJudged || p.s.Verbose
}

// marks are what the line of a verdict begins with.
var marks = map[verdict.Verdict]string{verdict.NotJudged: "-", verdict.Pass: "✓", verdict.Fail: "✗", verdict.Inconclusive: "?"}

// verdict returns a line that begins with the mark of a verdict and has its colour,
// wrapped.
func (p *page) verdict(v verdict.Verdict, line string) []string {
	rows := p.wrap(marks[v]+" "+line, "  ")
	for i := range rows {
		rows[i] = p.colour(v, rows[i])
	}
	return rows
}

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

// defaultWidth is the width in columns of a page whose terminal is not known.
const defaultWidth = 80

// width returns the number of columns that a page may take. A terminal may wrap after
// its last column.
func (p *page) width() int {
	return max(20, cmp.Or(p.s.Width, defaultWidth)-1)
}

// wrap breaks a row of a block at words. indent begins each row except the first.
func (p *page) wrap(s, indent string) (rows []string) {
	room := p.width() - len("  ")
	text := strings.TrimLeft(s, " ")
	row := s[:len(s)-len(text)]
	for i, word := range strings.Split(text, " ") {
		if i > 0 && word != "" && utf8.RuneCountInString(row)+1+utf8.RuneCountInString(word) > room {
			rows, row = append(rows, strings.TrimRight(row, " ")), indent+word
			continue
		}
		if i > 0 {
			row += " "
		}
		row += word
	}
	return append(rows, row)
}

// fit wraps a row that is no sentence, where the width of the terminal is known: for
// other programs a row stays a line.
func (p *page) fit(s, indent string) []string {
	if p.s.Width == 0 {
		return []string{s}
	}
	return p.wrap(s, indent)
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
