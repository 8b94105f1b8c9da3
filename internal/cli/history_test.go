package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/baseline"
)

func TestHistoryStatuses(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want int
		why  string
	}{
		{[]string{"history"}, statusUsage, "no file"},
		{[]string{"history", "none.jsonl"}, statusNotMeasured, "which is not there"},
		{[]string{"history", "history.go"}, statusNotMeasured, "which is no baseline"},
		{[]string{"history", "/dev/null"}, statusNotMeasured, "nor is this"},
	} {
		r := newTrial()
		assert.Equal(t, tc.want, r.run(tc.args...), tc.why)
		assert.Empty(t, r.Stdout.String(), tc.why)
	}
}

func TestQuantilesInOrder(t *testing.T) {
	records := []baseline.Entry{
		{Quantiles: map[string]float64{"p99.9": 1, "p50": 1}},
		{Quantiles: map[string]float64{"p99": 1, "p5": 1, "p99.99": 1, "p50": 1}},
	}
	assert.Equal(t, []string{"p5", "p50", "p99", "p99.9", "p99.99"}, quantiles(records))
	assert.Empty(t, quantiles(nil))
}

func TestChart(t *testing.T) {
	run := func(p50 float64) (r baseline.Entry) {
		if p50 > 0 {
			r.Quantiles = map[string]float64{"p50": p50}
		}
		return r
	}
	assert.Equal(t, "▅ █  1ms to 2ms", chart([]baseline.Entry{run(1e6), run(0), run(2e6)}, "p50"), "one does not know it")
	assert.Empty(t, chart([]baseline.Entry{run(1e6), run(0)}, "p50"), "nothing to compare")
	many := []baseline.Entry{run(9e9)}
	for range 64 {
		many = append(many, run(1e6))
	}
	assert.NotContains(t, chart(many, "p50"), "9s", "the latest 64")
}

func TestHistoryTextOfStrangeRecords(t *testing.T) {
	r := baseline.Entry{Name: "Test\x1b[31m", Revision: "\x1b[2Jäöüäöüäöü", Fingerprint: baseline.Fingerprint{CPU: "\x1b]0;"}}
	text := historyText([]baseline.Entry{r})
	assert.NotContains(t, text, "\x1b", "nothing reaches the terminal")
	assert.Equal(t, `\x1b[2Jäöü+`, revision(&baseline.Entry{Revision: r.Revision, Dirty: true}, 10))
	assert.Equal(t, "Z", letter(25))
	assert.Equal(t, "A1", letter(26))
}

// A spreadsheet runs text that begins like a formula.
func TestHistoryCSVHoldsNoFormula(t *testing.T) {
	r := baseline.Entry{Name: "=cmd|'/c calc'!A0", Revision: "+1", Fingerprint: baseline.Fingerprint{CPU: "@SUM(1)\x1b[2J", Go: "-2"}}
	csv := historyCSV([]baseline.Entry{r})
	assert.Contains(t, csv, `,'+1,'=cmd|'/c calc'!A0,'@SUM(1)\x1b[2J,'-2,`)
}
