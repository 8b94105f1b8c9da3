package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/http1"
)

// faults are lines about wrong flags: an error unless there are none.
type faults []string

func (f faults) Error() string { return strings.Join(f, "\n") }

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

// err is nil without faults.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// planFaults turns what the engine found wrong with its options into lines about
// the flags that fill them.
func (f *flags) planFaults(err error) error {
	f.addPlanFaults(err)
	return f.faults.err()
}

var fieldName = regexp.MustCompile(`\b[A-Z]\w+`)

// flagOf returns the flag that fills a field, or the word itself.
func (f *flags) flagOf(word string) string {
	if name := f.byField[word]; name != "" {
		return "--" + name
	}
	return word
}

func (f *flags) addPlanFaults(err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			f.addPlanFaults(err)
		}
		return
	}
	var fault *engine.Fault
	if !errors.As(err, &fault) || f.byField[fault.Field] == "" {
		f.faults.add("%v", err)
		return
	}
	for line := range strings.SplitSeq(fault.Want, "\n") {
		// What is wrong with a request begins with its part: url "ftp://x": ...
		switch first, about, _ := strings.Cut(line, " "); first {
		case "url":
			line = fmt.Sprintf("--%s %s", f.byField[fault.Field], about)
		case "method", "header", "header:":
			line = fmt.Sprintf("--%s %s", first, about)
		default:
			line = fmt.Sprintf("--%s: %s", f.byField[fault.Field], fieldName.ReplaceAllStringFunc(line, f.flagOf))
		}
		if !slices.Contains(f.faults, line) { // both targets of a comparison have the same request
			f.faults = append(f.faults, line)
		}
	}
}

// nearest is the word that takes the fewest edits to become name, or that name
// abbreviates; "" if that is no likely slip of the finger: two of three letters are
// none.
func nearest(name string, words []string) string {
	best, least := "", 3 // edits: two slips at most
	for _, w := range words {
		if d := edits(name, w); d < least && d < len(name)-1 {
			best, least = w, d
		}
	}
	if best == "" && len(name) > 2 {
		if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, name) }); i >= 0 {
			best = words[i]
		}
	}
	return best
}

// edits is the Levenshtein distance of a and b in bytes.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// quoted joins words, each in quotes. A URL among them is without its secrets.
func quoted(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(" and ")
		}
		fmt.Fprintf(&b, "%q", http1.Redacted(w))
	}
	return b.String()
}
