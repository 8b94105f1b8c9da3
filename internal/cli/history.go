package cli

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const historyExamples = `  load-tester history testdata/api.baseline.jsonl

  # for a tool that looks for changes, such as Apache Otava
  load-tester history --format csv --name TestAPI testdata/api.baseline.jsonl
`

// newHistory prints what a baseline file holds.
func newHistory(s *session) *cobra.Command {
	var name, format string
	cmd := &cobra.Command{
		Use:     "history [flags] FILE",
		Short:   "Print the runs that a baseline file holds",
		Example: historyExamples,
	}
	f := newFlags(cmd, "")
	f.group("Flags", []flag{
		{"format,f", "FORMAT", "text", "text, or csv: one line for each run", into(&format, oneOf("text", "csv")), ""},
		{"name", "NAME", "", "only the runs of this test", into(&name, nonEmpty), ""},
	})
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			f.faults.add("history takes one FILE, got %s", count(args))
		}
		if err := f.faults.err(); err != nil {
			return err
		}
		records, err := readHistory(args[0])
		if err != nil {
			s.complain("%v", err)
			s.status = statusNotMeasured
			return nil
		}
		if records, err = named(records, name); err != nil {
			return fmt.Errorf("--name %q: %s %w", name, args[0], err)
		}
		if format == "csv" {
			s.status = s.print(historyCSV(records))
		} else {
			s.status = s.print(s.legible(historyText(records)))
		}
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

// readHistory reads the runs of a file, oldest first. Without the file it fails.
func readHistory(path string) ([]baseline.Entry, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("reading baseline: %s: %w", path, cause(err))
	}
	records, err := baseline.Read(path)
	slices.SortStableFunc(records, func(a, b baseline.Entry) int { return a.At.Compare(b.At) })
	return records, err
}

// named returns the runs of one test, of all if name is empty.
func named(records []baseline.Entry, name string) (found []baseline.Entry, err error) {
	if name == "" {
		return records, nil
	}
	others := map[string]bool{}
	for _, r := range records {
		if r.Name == name {
			found = append(found, r)
		}
		others[r.Name] = true
	}
	switch {
	case len(found) > 0:
		return found, nil
	case len(others) == 0:
		return nil, errors.New("holds no runs")
	}
	return nil, fmt.Errorf("holds no such runs, only those of %s", quoted(slices.Sorted(maps.Keys(others))))
}

// claims are those whose times are printed, and charted the times with a chart.
var (
	claims  = []string{verdict.Work, verdict.Quick}
	charted = append(claims[:len(claims):len(claims)], "p50", "p99")
)

// times returns the names of the times that any of the records knows: claims, and
// quantiles in ascending order.
func times(records []baseline.Entry) (names []string) {
	for _, c := range claims {
		if slices.ContainsFunc(records, func(r baseline.Entry) bool { return timeOf(&r, c) > 0 }) {
			names = append(names, c)
		}
	}
	return append(names, quantiles(records)...)
}

// timeOf returns a time of a record in ns, 0 if it does not know it.
func timeOf(r *baseline.Entry, name string) float64 {
	b, _ := r.Run(name)
	return b.Value
}

// quantiles returns the names of the quantiles that any of the records knows,
// in ascending order.
func quantiles(records []baseline.Entry) []string {
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
func revision(r *baseline.Entry, n int) string {
	name := []rune(unit.Line(r.Revision))
	name = name[:min(len(name), n)]
	if r.Dirty {
		name = append(name, '+')
	}
	return string(name)
}

// historyCSV has a line for each run under a line of names: when and of what it
// was, then its numbers, as Apache Otava reads them. What a run does not know
// is empty.
func historyCSV(records []baseline.Entry) string {
	var b strings.Builder
	w := csv.NewWriter(&b) // its errors are those of the strings.Builder, which has none
	all := times(records)
	head := []string{"time", "commit", "name", "cpu", "go"}
	for _, q := range all {
		head = append(head, strings.ReplaceAll(q, ".", "_")+"_ns")
	}
	w.Write(append(head, "n", "n_effective", "throughput_per_s", "null_handler_p50_ns", "reference_ns"))
	for _, r := range records {
		row := []string{r.At.UTC().Format(time.RFC3339), csvText(revision(&r, math.MaxInt)), csvText(r.Name), csvText(r.Fingerprint.CPU), csvText(r.Fingerprint.Go)}
		for _, q := range all {
			row = append(row, csvNumber(timeOf(&r, q)))
		}
		w.Write(append(row, strconv.FormatInt(r.N, 10), csvNumber(r.NEffective), csvNumber(r.Throughput),
			csvNumber(r.Calibrator.NullHandler), csvNumber(r.Calibrator.Reference)))
	}
	w.Flush()
	return b.String()
}

// csvText writes text from a file so that a spreadsheet does not take it for a formula.
func csvText(s string) string {
	s = unit.Line(s)
	if first, _ := utf8.DecodeRuneInString(s); strings.ContainsRune("=+-@＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// csvNumber writes f with all its digits; nothing for 0, which is not known.
func csvNumber(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// historyText has for each test a chart of its quantiles and a table of its
// runs.
func historyText(records []baseline.Entry) string {
	if len(records) == 0 {
		return "No runs are recorded.\n"
	}
	byName := map[string][]baseline.Entry{}
	var names []string
	for _, r := range records {
		if byName[r.Name] == nil {
			names = append(names, r.Name)
		}
		byName[r.Name] = append(byName[r.Name], r)
	}
	slices.Sort(names)
	var parts []string
	for _, name := range names {
		parts = append(parts, historySection(name, byName[name]))
	}
	return strings.Join(parts, "\n")
}

// historySection is the text of one test.
func historySection(name string, records []baseline.Entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (runs: %d)\n", heading(name), len(records))
	all := times(records)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, q := range all {
		if chart := chart(records, q); chart != "" && slices.Contains(charted, q) {
			fmt.Fprintf(w, "  %s\t%s\n", q, chart)
		}
	}
	w.Flush()
	about, machine := machines(records)
	b.WriteString("\n")
	w = tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "time\tcommit\t%s\tthroughput\tn\teffective n\tmachine\t\n", strings.Join(all, "\t"))
	for i, r := range records {
		fmt.Fprintf(w, "%s\t%s\t", r.At.UTC().Format("2006-01-02 15:04"), revision(&r, 10))
		for _, q := range all {
			fmt.Fprintf(w, "%s\t", timeText(timeOf(&r, q)))
		}
		fmt.Fprintf(w, "%s/s\t%s\t%s\t%s\t\n", unit.Throughput(r.Throughput), unit.Count(r.N), unit.Count(int64(r.NEffective)), machine[i])
	}
	w.Flush()
	b.WriteString("\n" + about)
	return b.String()
}

// heading returns the name of a test for the beginning of a line, in quotes if it could
// mean something else there, such as an annotation of a CI job.
func heading(name string) string {
	name = unit.Line(name)
	if first, _ := utf8.DecodeRuneInString(name); !unicode.IsLetter(first) && !unicode.IsDigit(first) {
		return strconv.Quote(name)
	}
	return name
}

// chart shows how a quantile went in the latest runs, and its range; "" for a
// single run.
func chart(records []baseline.Entry, q string) string {
	records = records[max(0, len(records)-text.SparkWidth):]
	var values, known []float64
	for _, r := range records {
		v := timeOf(&r, q)
		if v == 0 {
			v = math.NaN()
		} else {
			known = append(known, v)
		}
		values = append(values, v)
	}
	if len(known) < 2 {
		return ""
	}
	return fmt.Sprintf("%s  %s to %s", text.Sparkline(values), timeText(slices.Min(known)), timeText(slices.Max(known)))
}

// machines gives each kind of machine a letter. It returns what they are, a line
// each, and the letter of each record's.
func machines(records []baseline.Entry) (about string, letters []string) {
	var seen []baseline.Fingerprint
	for _, r := range records {
		i := slices.IndexFunc(seen, func(f baseline.Fingerprint) bool { return len(f.Differences(r.Fingerprint)) == 0 })
		if i < 0 {
			i = len(seen)
			seen = append(seen, r.Fingerprint)
			about += fmt.Sprintf("  machine %s: %s\n", letter(i), describe(r.Fingerprint))
		}
		letters = append(letters, letter(i))
	}
	return about, letters
}

// letter is A to Z, then A1, B1 and so on.
func letter(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		s += fmt.Sprint(i / 26)
	}
	return s
}

// describe says what a kind of machine is.
func describe(f baseline.Fingerprint) string {
	parts := []string{f.CPU, fmt.Sprintf("GOMAXPROCS %d", f.GOMAXPROCS), f.Go, f.OS + "/" + f.Arch}
	if f.Kernel != "" {
		parts = append(parts, "kernel "+f.Kernel)
	}
	if f.Virtualised {
		parts = append(parts, "virtualised")
	}
	if f.CgroupQuota > 0 {
		parts = append(parts, fmt.Sprintf("CPU quota %g", f.CgroupQuota))
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return unit.Line(strings.Join(parts, ", "))
}

// timeText writes a time in nanoseconds; - for 0, which is not known.
func timeText(ns float64) string {
	if ns == 0 {
		return "-"
	}
	return unit.Duration(time.Duration(ns))
}
