package cli

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// historyText has for each test a chart of its quantiles and a table of its
// runs.
func historyText(records []baseline.Record) string {
	if len(records) == 0 {
		return "No runs are recorded.\n"
	}
	byName := map[string][]baseline.Record{}
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
		parts = append(parts, historyOf(name, byName[name]))
	}
	return strings.Join(parts, "\n")
}

// historyOf is the text of one test.
func historyOf(name string, records []baseline.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (runs: %d)\n", unit.Line(name), len(records))
	all := quantiles(records)
	for _, q := range all {
		if chart := course(records, q); chart != "" && (q == "p50" || q == "p99") {
			fmt.Fprintf(&b, "  %s  %s\n", q, chart)
		}
	}
	machines, of := kinds(records)
	b.WriteString("\n")
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "time\tcommit\t%s\tthroughput\tn\teffective n\tmachine\t\n", strings.Join(all, "\t"))
	for i, r := range records {
		fmt.Fprintf(w, "%s\t%s\t", r.At.UTC().Format("2006-01-02 15:04"), revision(&r, 10))
		for _, q := range all {
			fmt.Fprintf(w, "%s\t", timeText(r.Quantiles[q]))
		}
		fmt.Fprintf(w, "%.2f/s\t%s\t%s\t%s\t\n", r.Throughput, unit.Count(r.N), unit.Count(int64(r.NEffective)), of[i])
	}
	w.Flush()
	b.WriteString("\n" + machines)
	return b.String()
}

// course is how a quantile went, as a chart of the latest runs and its range;
// nothing for a single run.
func course(records []baseline.Record, q string) string {
	records = records[max(0, len(records)-report.SparkWidth):]
	var values, known []float64
	for _, r := range records {
		v, ok := r.Quantiles[q]
		if !ok {
			v = math.NaN()
		} else {
			known = append(known, v)
		}
		values = append(values, v)
	}
	if len(known) < 2 {
		return ""
	}
	return fmt.Sprintf("%s  %s to %s", report.Sparkline(values), timeText(slices.Min(known)), timeText(slices.Max(known)))
}

// kinds gives each kind of machine a letter and says what they are, a line
// each, and which each record is of.
func kinds(records []baseline.Record) (text string, of []string) {
	var seen []baseline.Fingerprint
	for _, r := range records {
		i := slices.IndexFunc(seen, func(f baseline.Fingerprint) bool { return len(f.Differences(r.Fingerprint)) == 0 })
		if i < 0 {
			i = len(seen)
			seen = append(seen, r.Fingerprint)
			text += fmt.Sprintf("  machine %s: %s\n", letter(i), describe(r.Fingerprint))
		}
		of = append(of, letter(i))
	}
	return text, of
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

// timeText is a time of so many nanoseconds; - for 0, which is not known.
func timeText(ns float64) string {
	if ns == 0 {
		return "-"
	}
	return unit.Duration(time.Duration(ns))
}
