package report

import (
	"bytes"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

var update = flag.Bool("update", false, "rewrite the files in testdata")

// golden compares got with a file in testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func render(t *testing.T, r *Report, s Style) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, WriteText(&b, r, s))
	return b.String()
}

func mark(name string) func(string) string {
	return func(s string) string { return "<" + name + ">" + s + "</" + name + ">" }
}

func TestText(t *testing.T) {
	colours := Style{Red: mark("red"), Green: mark("green"), Yellow: mark("yellow")}
	waived := func() *Report {
		r := mixed()
		limits := []string{"p50<=50ms", "errors<=0", "p99.9<=1s"}
		seen := recorded(limits, 1000, r.Elapsed, slices.Repeat([]record.Result{{Status: 503}}, 15)...)
		r.Limits, _ = judged(seen, limits...)
		slow := recorded(nil, 984, 10*time.Second)
		slow.Add(&record.Sample{Done: 102700 * time.Microsecond, Result: record.Result{Status: 200}})
		res := verdict.Judge(parsed([]string{"max<=100ms"}), slow, verdict.DefaultStandard)[0]
		r.Limits = append(r.Limits, NewLimitResult(res.Waive("the race detector is on")))
		return r
	}
	staged := func() *Report {
		r := success()
		r.Config.Workload, r.Config.Arrivals, r.Config.Seed, r.Config.RatePerSecond = "open", "poisson", 42, 0
		r.Config.Stages = []Stage{{10 * time.Second, 100, 100}, {30 * time.Second, 100, 1000}, {5 * time.Second, 0, 0}}
		r.Config.Requests, r.Config.Duration = 0, 45*time.Second
		r.Interrupted = true
		return r
	}
	for _, tc := range []struct {
		file  string
		r     *Report
		style Style
		why   string
	}{
		{"success.txt", success(), Style{}, "the shape of a run without faults"},
		{"mixed.txt", mixed(), Style{}, "failed requests have a goodput and a latency of their own"},
		{"mixed_colour.txt", waived(), colours, "red for what failed, green for what held, yellow for doubt, plain for what was not judged"},
		{"timeouts.txt", timeouts(), colours, "nothing looks empty or fast when everything timed out"},
		{"interrupted.txt", interrupted(), Style{}, "headed by how far it came; quantiles of too few are -"},
		{"open.txt", open(), Style{}, "rates offered and achieved, service time beside response time, limits, warnings"},
		{"open_verbose.txt", open(), Style{Verbose: true}, "everything there is"},
		{"stages.txt", staged(), Style{}, "a schedule in stages, stopped before its end"},
		{"success_verbose.txt", success(), Style{Verbose: true}, "nothing is late in a closed workload"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Log(tc.why)
			golden(t, tc.file, render(t, tc.r, tc.style))
		})
	}
}

// Any report at all can be written, even one of nothing.
func TestTextOfTheZeroReport(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		got := render(t, &Report{}, Style{Verbose: verbose})
		assert.Contains(t, got, "no request succeeded")
		assert.Contains(t, got, "Total:      0 requests")
	}
}

func TestTextShowsTheServiceColumnOnlyWhereItTells(t *testing.T) {
	check := func(response, service time.Duration, want bool, why string) {
		t.Helper()
		r := success()
		r.Config.Workload, r.Config.Arrivals = "open", "constant"
		r.ResponseHist, r.ServiceHist = times(response, 1000), times(service, 1000)
		r.fill()
		assert.Equal(t, want, strings.Contains(render(t, r, Style{}), "service"), why)
	}
	check(110*ms, 100*ms, false, "a tenth is not more than a tenth")
	check(111*ms, 100*ms, true, "more than a tenth")
	check(100*ms, 100*ms, false, "the same")
}

func TestTextKeepsForeignTextOnItsLine(t *testing.T) {
	r := timeouts()
	r.Errors[0].First = "\x1b[2Jbad\nnews %d"
	r.Config.Target = "http://x/\x1b[31m"
	got := render(t, r, Style{})
	assert.NotContains(t, got, "\x1b")
	assert.Contains(t, got, `  timeout: 20 (first: \x1b[2Jbad\nnews %d)`)
	assert.Contains(t, got, `Target: http://x/\x1b[31m`+"\n")
}

func TestTextReportsTheWriteError(t *testing.T) {
	full := errors.New("no space left on device")
	assert.ErrorIs(t, WriteText(failing{full}, success(), Style{}), full)
	assert.ErrorIs(t, WriteJSON(failing{full}, success()), full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestSparkline(t *testing.T) {
	nan := math.NaN()
	for _, tc := range []struct {
		values []float64
		want   string
		why    string
	}{
		{nil, "", "nothing"},
		{[]float64{0, 0}, "▁▁", "all zero is flat, not a division by zero"},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, "▁▂▃▄▅▆▇█", "eight steps"},
		{[]float64{100, nan, 100}, "█ █", "a gap where nothing is known"},
		{[]float64{nan}, " ", "nothing is known at all"},
	} {
		assert.Equal(t, tc.want, Sparkline(tc.values), tc.why)
	}
}

// However many intervals there are, the rows fit a terminal and lose no peak.
func TestCourseFitsTheWidth(t *testing.T) {
	for n := 2; n <= 128; n++ {
		r := success()
		for i := range n {
			r.Intervals = append(r.Intervals, Interval{
				Start: time.Duration(i) * ms, Width: ms, Succeeded: 1,
				Throughput: 1000, Max: new(time.Duration(i+1) * ms),
			})
		}
		text := &text{r: r}
		text.course()
		for line := range bytes.Lines(text.b.Bytes()) {
			bars, _, found := strings.Cut(string(line), "  up to ")
			if found {
				assert.LessOrEqual(t, utf8.RuneCountInString(bars), 2+12+SparkWidth, "%d intervals", n)
			}
		}
		assert.Contains(t, text.b.String(), "up to "+unit.Duration(time.Duration(n)*ms)+"\n", "%d intervals", n)
	}
}

func TestQuantile(t *testing.T) {
	r := &Report{}
	_, ok := r.Quantile(0.5)
	assert.False(t, ok, "no histogram")
	r.ResponseHist = hist.New(10)
	_, ok = r.Quantile(1)
	assert.False(t, ok, "an empty one")
	r.ResponseHist.RecordN(int64(ms), 98)
	r.ResponseHist.Record(int64(7 * ms))
	_, ok = r.Quantile(0.99)
	assert.False(t, ok, "99 requests tell no p99")
	r.ResponseHist.Record(int64(7 * ms))
	got, ok := r.Quantile(0.99)
	assert.True(t, ok, "100 do")
	assert.InEpsilon(t, 7*ms, got, 0.001)
	got, ok = r.Quantile(1)
	assert.True(t, ok)
	assert.Equal(t, 7*ms, got, "the longest is exact")
}

func TestDistributionQuantile(t *testing.T) {
	h := hist.New(10)
	h.RecordN(int64(ms), 99)
	h.Record(int64(7 * ms))
	d := Summarize(h)
	for q, want := range map[float64]*time.Duration{0.5: d.P50, 0.75: d.P75, 0.9: d.P90, 0.95: d.P95, 0.99: d.P99} {
		assert.Same(t, want, d.Quantile(q), "%v", q)
		assert.InEpsilon(t, ms, *d.Quantile(q), 0.001, "%v", q)
	}
	assert.Nil(t, d.Quantile(0.999), "100 times do not tell it")
	assert.Nil(t, d.Quantile(0.6), "there is no such field")
	for _, q := range unit.Quantiles {
		assert.Contains(t, d.quantiles(), q, "what is shown and recorded is there")
	}
}
