package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A grid is one table: what several rounds measured, by row and column.
type grid struct {
	title         string
	corner        string // what the rows are
	rows, columns []string
	cells         map[[2]string][]float64 // by row and column, one value per round

	// marked says which medians stand out; nil: none.
	marked func(row, column string, median float64) bool
}

func newGrid(title, corner string, rows, columns []string) *grid {
	return &grid{title: title, corner: corner, rows: rows, columns: columns, cells: map[[2]string][]float64{}}
}

// add notes what one round measured.
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

// cell is the median and, of several rounds, the range.
func (g *grid) cell(row, column string) string {
	values := g.cells[[2]string{row, column}]
	if len(values) == 0 {
		return "-"
	}
	m := median(values)
	text := number(m)
	if g.marked != nil && g.marked(row, column, m) {
		text = "**" + text + "**"
	}
	if len(values) > 1 {
		text += fmt.Sprintf(" (%s-%s)", number(slices.Min(values)), number(slices.Max(values)))
	}
	return text
}

// ratios returns the table of the medians of row base over those of each
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

// number writes three significant digits, and whole numbers above that with
// separators.
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

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
