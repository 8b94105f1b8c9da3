package text

import (
	"cmp"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

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
