package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A section is the output of one table.
type section struct {
	title, intro string
	grids        []*grid
	commands     []string // in the order of their first use
	notes        []string
}

// note adds a remark unless it is already there.
func (s *section) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// addCommand adds the command line that ran a tool.
func (s *section) addCommand(name string, inv invocation) {
	line := name
	for _, a := range inv.args {
		line += " " + quote(a)
	}
	if inv.stdin != "" {
		line += " <<'END'\n" + inv.stdin + "END"
	}
	if !slices.Contains(s.commands, line) {
		s.commands = append(s.commands, line)
	}
}

// quote quotes an argument for a shell.
func quote(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " '\"\\$&;<>()|*?") {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// write writes the section as Markdown.
func (s *section) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, s.intro)
	for _, g := range s.grids {
		g.write(&b)
	}
	for _, n := range s.notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	if len(s.notes) > 0 {
		b.WriteString("\n")
	}
	// Each round begins with another tool, so the commands of one are scattered.
	slices.SortStableFunc(s.commands, func(a, b string) int {
		return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0])
	})
	if len(s.commands) > 0 {
		fmt.Fprintf(&b, "<details><summary>Commands</summary>\n\n```\n%s\n```\n\n</details>\n\n", strings.Join(s.commands, "\n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// A grid is one Markdown table: what the rounds measured, by row and column.
type grid struct {
	title         string
	corner        string // names what the rows are
	rows, columns []string
	cells         map[[2]string][]float64 // by row and column, one value per round

	// bold reports whether to highlight a median; nil: never.
	bold func(row, column string, median float64) bool
}

func newGrid(title, corner string, rows, columns []string) *grid {
	return &grid{title: title, corner: corner, rows: rows, columns: columns, cells: map[[2]string][]float64{}}
}

// add adds the value of one round.
func (g *grid) add(row, column string, v float64) {
	at := [2]string{row, column}
	g.cells[at] = append(g.cells[at], v)
}

// write writes the grid as Markdown.
func (g *grid) write(b *strings.Builder) {
	if g.title != "" {
		fmt.Fprintf(b, "%s:\n\n", g.title)
	}
	fmt.Fprintf(b, "| %s | %s |\n|---|%s\n", g.corner, strings.Join(g.columns, " | "), strings.Repeat("--:|", len(g.columns)))
	for _, row := range g.rows {
		cells := []string{row}
		for _, column := range g.columns {
			cells = append(cells, g.cell(row, column))
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
	}
	b.WriteString("\n")
}

// cell formats the median and, if there are several rounds, the range.
func (g *grid) cell(row, column string) string {
	values := g.cells[[2]string{row, column}]
	if len(values) == 0 {
		return "-"
	}
	m := median(values)
	text := number(m)
	if g.bold != nil && g.bold(row, column, m) {
		text = "**" + text + "**"
	}
	if len(values) > 1 {
		text += fmt.Sprintf(" (%s-%s)", number(slices.Min(values)), number(slices.Max(values)))
	}
	return text
}

// ratios returns a grid of the medians of row base divided by those of each
// other row.
func (g *grid) ratios(base string) *grid {
	title := base + " / the other"
	if g.title != "" {
		title = g.title + ", " + title
	}
	r := newGrid(title, g.corner, nil, g.columns)
	for _, row := range g.rows {
		if row == base {
			continue
		}
		r.rows = append(r.rows, row)
		for _, column := range g.columns {
			our, their := g.cells[[2]string{base, column}], g.cells[[2]string{row, column}]
			if len(our) > 0 && len(their) > 0 && median(their) != 0 {
				r.add(row, column, median(our)/median(their))
			}
		}
	}
	return r
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

// number formats v with three significant digits, at most three decimals, and
// all digits before the point.
func number(v float64) string {
	a := math.Abs(v)
	switch {
	case a == 0:
		return "0"
	case a < 0.0995:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return thousands(int64(math.Round(v)))
}

// thousands formats n with separators.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
