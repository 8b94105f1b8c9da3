package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// A column is one distribution of a table of times.
type column struct {
	name string
	d    *Distribution
}

// latency writes the block of the succeeded requests.
func (t *text) latency() {
	if t.r.ResponseTime.Count == 0 {
		t.block("Latency:", []string{t.red("no request succeeded")})
		return
	}
	columns := t.columns()
	title := "Latency:"
	if len(columns) > 1 {
		for i, c := range columns {
			width := columnWidth
			if i == 0 {
				width += labelWidth + 2 - len(title) // 2 for the indent of the rows
			}
			title += fmt.Sprintf("%*s", width, c.name)
		}
	}
	t.block(title, t.times(columns))
}

// columns are the times worth showing. Service time stands beside response time
// where the p99 of one is more than a tenth above that of the other.
func (t *text) columns() []column {
	r := t.r
	columns := []column{{"response", &r.ResponseTime}}
	if r.Config.Workload != "open" {
		return columns // they are the same, and nothing is late
	}
	add := func(name string, d *Distribution, show bool) {
		if show && d.Count > 0 {
			columns = append(columns, column{name, d})
		}
	}
	add("service", &r.ServiceTime, t.s.Verbose || differ(r.ResponseTime.P99, r.ServiceTime.P99))
	add("lateness", &r.Lateness, t.s.Verbose)
	add("permit wait", &r.PermitWait, t.s.Verbose)
	return columns
}

func differ(a, b *time.Duration) bool {
	if a == nil || b == nil {
		return false
	}
	low, high := min(*a, *b), max(*a, *b)
	return float64(high) > 1.1*float64(low)
}

// Widths in characters: of a table's labels, of a value where there is one
// column, and of each where there are more, wide enough for its name.
const (
	labelWidth  = len("p99.9:")
	valueWidth  = 8
	columnWidth = 13
)

// timeRows are the rows that a table of times can have.
var timeRows = []struct {
	label   string
	verbose bool
	of      func(*Distribution) *time.Duration
}{
	{"mean:", true, func(d *Distribution) *time.Duration { return d.Mean }},
	{"p50:", false, func(d *Distribution) *time.Duration { return d.P50 }},
	{"p90:", false, func(d *Distribution) *time.Duration { return d.P90 }},
	{"p95:", true, func(d *Distribution) *time.Duration { return d.P95 }},
	{"p99:", false, func(d *Distribution) *time.Duration { return d.P99 }},
	{"p99.9:", true, func(d *Distribution) *time.Duration { return d.P999 }},
	{"max:", false, func(d *Distribution) *time.Duration { return d.Max }},
}

// times are the rows of a table of times.
func (t *text) times(columns []column) []string {
	width := valueWidth
	if len(columns) > 1 {
		width = columnWidth
	}
	var rows []string
	for _, q := range timeRows {
		if q.verbose && !t.s.Verbose {
			continue
		}
		var row strings.Builder
		fmt.Fprintf(&row, "%-*s", labelWidth, q.label)
		for _, c := range columns {
			fmt.Fprintf(&row, "%*s", width, unit.Optional(q.of(c.d))) // counts runes, as µ wants
		}
		rows = append(rows, row.String())
	}
	return rows
}

// failedLatency is how long the failed requests took; it never mixes with the
// block of the succeeded.
func (t *text) failedLatency() []string {
	if t.r.FailedTime.Count == 0 {
		return nil
	}
	return t.times([]column{{"", &t.r.FailedTime}})
}
