package cli

import (
	"io"
	"strings"

	"github.com/loadtestkit/load-tester/internal/export"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/text"
)

// A writer writes a document in one format.
type writer func(w io.Writer, d *report.Document) error

// A format is a value of --format.
type format struct {
	name  string
	about string // as help says it; "" where the name tells
	runs  bool   // only of runs
	write writer
}

// formats are all of them, the default first. Text has a style.
func formats(style text.Style) []format {
	return []format{
		{"text", "", false, func(w io.Writer, d *report.Document) error { return text.Write(w, d, style) }},
		{"json", "", false, report.WriteJSON},
		{"hgrm", "a percentile spectrum", true, export.Hgrm},
		{"bench", "for benchstat", true, export.Bench},
	}
}

// formatsOf returns the names of the formats for a kind of document, and the
// line of help about them.
func formatsOf(kind report.Procedure) (names []string, help string) {
	var abouts []string
	for _, f := range formats(text.Style{}) {
		if f.runs && kind != report.Run {
			continue
		}
		names = append(names, f.name)
		if f.about != "" {
			f.name += ": " + f.about
		}
		abouts = append(abouts, f.name)
	}
	last := len(abouts) - 1
	if last == 1 {
		return names, strings.Join(abouts, " or ")
	}
	return names, strings.Join(abouts[:last], ", ") + ", or " + abouts[last] + "\n"
}

// writerOf returns the writer of a format; "" names the default.
func writerOf(name string, style text.Style) writer {
	all := formats(style)
	for _, f := range all {
		if f.name == name {
			return f.write
		}
	}
	return all[0].write
}
