package export

import (
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
)

// document returns the document of a run in which a request was due every millisecond
// and succeeded after the next of times.
func document(times ...time.Duration) *report.Document {
	r := record.New(true, nil)
	for n, d := range times {
		due := time.Duration(n) * time.Millisecond
		r.Add(&record.Sample{N: int64(n), Due: due, Sent: due, Done: due + d, Result: record.Result{Status: 200}})
	}
	r.From = time.Date(2025, 6, 1, 12, 0, 0, 250e6, time.UTC)
	return report.New(report.Facts{Kind: report.Run, RunID: "r", ID: func(int64) string { return "" }}, r)
}

// latencies returns n log-normal times around 2 ms.
func latencies(n int) []time.Duration {
	rng := rand.New(rand.NewPCG(17, 18))
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = time.Duration(2e6 * math.Exp(0.8*rng.NormFloat64()))
	}
	return times
}

// written returns what write writes for d.
func written(t *testing.T, write func(io.Writer, *report.Document) error, d *report.Document) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, write(&b, d))
	return b.String()
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, assert.AnError }

func TestWritersReportWriteErrors(t *testing.T) {
	for _, write := range []func(io.Writer, *report.Document) error{Hgrm, HDRLog, Bench} {
		assert.ErrorIs(t, write(fullDisk{}, document(time.Second)), assert.AnError)
	}
}

// If nothing was sent, a document may have no record.
func TestWritersOfEmptyDocuments(t *testing.T) {
	for _, d := range []*report.Document{{}, document()} {
		assert.Contains(t, written(t, Hgrm, d), "#[Max     =        0.000, Total count    =            0]")
		assert.NotContains(t, written(t, Hgrm, d), "inf")
		assert.True(t, strings.HasSuffix(written(t, HDRLog, d), "Interval_Compressed_Histogram\"\n"))
		assert.NotContains(t, written(t, Bench, d), "Benchmark")
	}
}
