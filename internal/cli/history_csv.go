package cli

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
)

// historyCSV has a line for each run under a line of names: when and of what it
// was, then its numbers, as Apache Otava reads them. What a run does not know
// is empty.
func historyCSV(records []baseline.Record) string {
	var b strings.Builder
	w := csv.NewWriter(&b) // a strings.Builder takes everything
	all := quantiles(records)
	head := []string{"time", "commit", "name", "cpu", "go"}
	for _, q := range all {
		head = append(head, strings.ReplaceAll(q, ".", "_")+"_ns")
	}
	w.Write(append(head, "n", "n_effective", "throughput_per_s", "null_handler_p50_ns", "reference_ns"))
	for _, r := range records {
		row := []string{r.At.UTC().Format(time.RFC3339), revision(&r, math.MaxInt), r.Name, r.Fingerprint.CPU, r.Fingerprint.Go}
		for _, q := range all {
			row = append(row, number(r.Quantiles[q]))
		}
		w.Write(append(row, strconv.FormatInt(r.N, 10), number(r.NEffective), number(r.Throughput),
			number(r.Calibrator.NullHandler), number(r.Calibrator.Reference)))
	}
	w.Flush()
	return b.String()
}

// number writes f with all its digits; nothing for 0, which is not known.
func number(f float64) string {
	if f == 0 {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
