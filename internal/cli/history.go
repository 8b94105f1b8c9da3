package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/unit"
)

const historyExamples = `  load-tester history testdata/api.baseline.jsonl

  # for a tool that looks for changes, such as Apache Otava
  load-tester history --format csv --name TestAPI testdata/api.baseline.jsonl
`

// newHistory prints what a baseline file holds.
func newHistory(s *session, status *int) *cobra.Command {
	var list faults
	var name, format string
	cmd := &cobra.Command{
		Use:     "history [flags] FILE",
		Short:   "Print the runs that a baseline file holds",
		Example: historyExamples,
	}
	g := &groups{cmd: cmd, faults: &list}
	g.group("Flags")
	g.take("format,f", "FORMAT", "text", "text, or csv: one line for each run", into(&format, oneOf("text", "csv")))
	g.take("name", "NAME", "", "only the runs of this test", into(&name, anything))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			list.add("history takes one FILE, got %s", count(args))
		}
		if err := list.err(); err != nil {
			return err
		}
		records, err := history(args[0])
		if err != nil {
			s.complain("%v", err)
			*status = statusNotMeasured
			return nil
		}
		if records, err = named(records, name); err != nil {
			return fmt.Errorf("--name %q: %s %w", name, args[0], err)
		}
		text := historyText
		if format == "csv" {
			text = historyCSV
		}
		*status = s.print(text(records))
		return nil
	}
	return cmd
}

// count says how many arguments there are, and which.
func count(args []string) string {
	if len(args) == 0 {
		return "none"
	}
	return strconv.Itoa(len(args)) + ": " + quoted(args)
}

// history reads the runs of a file, oldest first. Unlike a test, it wants the
// file to be there.
func history(path string) ([]baseline.Record, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("reading baseline: %s: %w", path, cause(err))
	}
	records, err := baseline.Read(path)
	slices.SortStableFunc(records, func(a, b baseline.Record) int { return a.At.Compare(b.At) })
	return records, err
}

// named returns the runs of one test, of all if name is empty.
func named(records []baseline.Record, name string) (of []baseline.Record, err error) {
	if name == "" {
		return records, nil
	}
	others := map[string]bool{}
	for _, r := range records {
		if r.Name == name {
			of = append(of, r)
		}
		others[r.Name] = true
	}
	switch {
	case len(of) > 0:
		return of, nil
	case len(others) == 0:
		return nil, errors.New("holds no runs")
	}
	return nil, fmt.Errorf("holds no such runs, only those of %s", quoted(slices.Sorted(maps.Keys(others))))
}

// quantiles returns the names of the quantiles that any of the records knows,
// in ascending order.
func quantiles(records []baseline.Record) []string {
	seen := map[string]bool{}
	for _, r := range records {
		for q := range r.Quantiles {
			seen[q] = true
		}
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b string) int {
		p, _ := unit.ParseQuantile(a)
		q, _ := unit.ParseQuantile(b)
		return cmp.Or(cmp.Compare(p, q), strings.Compare(a, b))
	})
}

// revision is what a run was of, cut to n characters, with a + if it was
// changed since.
func revision(r *baseline.Record, n int) string {
	name := []rune(unit.Line(r.Revision))
	name = name[:min(len(name), n)]
	if r.Dirty {
		name = append(name, '+')
	}
	return string(name)
}
