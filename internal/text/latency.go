package text

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// A column is one distribution of a table of times.
type column struct {
	name string
	d    *report.Distribution
}

// latency writes the times of the succeeded requests.
func (p *page) latency() {
	const title = "Latency:"
	if p.d.ResponseTime.Count == 0 {
		p.block(title, []string{p.red("no request succeeded")})
		return
	}
	if p.s.Brief {
		return // it is a row of the results
	}
	columns := p.columns()
	heading := title
	if len(columns) > 1 {
		heading = headings(title, columns)
	}
	p.block(heading, p.times(columns))
}

// headings returns the first line of a table of times.
func headings(title string, columns []column) string {
	line := fmt.Sprintf("%-*s", labelWidth+2, title) // 2 for the indent of the rows
	for _, c := range columns {
		line += fmt.Sprintf("%*s", columnWidth, c.name)
	}
	return line
}

// phases writes the times of the parts of an exchange: of the connections opened, and
// to the first octet of the responses.
func (p *page) phases() {
	var columns []column
	for _, c := range []column{{"connect", &p.d.ConnectTime}, {"TLS", &p.d.TLSTime}, {"first octet", &p.d.FirstOctet}} {
		if c.d.Count > 0 {
			columns = append(columns, c)
		}
	}
	switch len(columns) {
	case 0:
	case 1:
		if reflect.DeepEqual(*columns[0].d, p.d.ServiceTime) {
			return // each response came in one read, so that its first octet came with the last
		}
		name := columns[0].name
		p.block(strings.ToUpper(name[:1])+name[1:]+":", p.times(columns))
	default:
		p.block(headings("Phases:", columns), p.times(columns))
	}
}

// columns returns the times worth showing. Service time is shown beside response time
// if the p99 of one is more than a tenth above that of the other.
func (p *page) columns() []column {
	d := p.d
	columns := []column{{"response", &d.ResponseTime}}
	if d.Config.Workload != "open" {
		return columns // service times are the same, and nothing is late
	}
	add := func(name string, of *report.Distribution, show bool) {
		if show && of.Count > 0 {
			columns = append(columns, column{name, of})
		}
	}
	add("service", &d.ServiceTime, p.s.Verbose || differ(d.ResponseTime.P99, d.ServiceTime.P99))
	add("lateness", &d.Lateness, p.s.Verbose)
	add("permit wait", &d.PermitWait, p.s.Verbose)
	return columns
}

func differ(a, b *time.Duration) bool {
	if a == nil || b == nil {
		return false
	}
	low, high := min(*a, *b), max(*a, *b)
	return float64(high) > 1.1*float64(low)
}

// Widths in characters: of a table's labels, of the values in a table with one
// column, and of those in a table with more, which fits the columns' names.
const (
	labelWidth  = len("p99.9:")
	valueWidth  = 8
	columnWidth = 13
)

// timeRows are the rows that a table of times can have.
var timeRows = []struct {
	label   string
	verbose bool
	of      func(*report.Distribution) *time.Duration
}{
	{"mean:", true, func(d *report.Distribution) *time.Duration { return d.Mean }},
	{"p50:", false, func(d *report.Distribution) *time.Duration { return d.P50 }},
	{"p90:", false, func(d *report.Distribution) *time.Duration { return d.P90 }},
	{"p95:", true, func(d *report.Distribution) *time.Duration { return d.P95 }},
	{"p99:", false, func(d *report.Distribution) *time.Duration { return d.P99 }},
	{"p99.9:", true, func(d *report.Distribution) *time.Duration { return d.P999 }},
	{"max:", false, func(d *report.Distribution) *time.Duration { return d.Max }},
}

// times returns the rows of a table of times.
func (p *page) times(columns []column) []string {
	width := valueWidth
	if len(columns) > 1 {
		width = columnWidth
	}
	var rows []string
	for _, q := range timeRows {
		if q.verbose && !p.s.Verbose {
			continue
		}
		var row strings.Builder
		fmt.Fprintf(&row, "%-*s", labelWidth, q.label)
		for _, c := range columns {
			fmt.Fprintf(&row, "%*s", width, unit.Optional(q.of(c.d))) // counts runes, as µ needs
		}
		rows = append(rows, row.String())
	}
	return rows
}
