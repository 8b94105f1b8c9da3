package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
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

func render(t *testing.T, d *report.Document, s Style) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, Write(&b, d, s))
	return b.String()
}

func mark(name string) func(string) string {
	return func(s string) string { return "<" + name + ">" + s + "</" + name + ">" }
}

func TestWrite(t *testing.T) {
	colours := Style{Red: mark("red"), Green: mark("green"), Yellow: mark("yellow")}
	for _, tc := range []struct {
		file  string
		d     *report.Document
		style Style
		why   string
	}{
		{"success.txt", success(), Style{}, "the shape of a run without faults"},
		{"mixed.txt", mixed(), Style{}, "failed requests have a goodput and a latency of their own"},
		{"mixed_colour.txt", judgedRun(), colours, "red for what failed, green for what held, yellow for doubt, plain for what was not judged"},
		{"timeouts.txt", timeouts(), colours, "a run in which everything timed out does not look fast"},
		{"interrupted.txt", interruptedRun(), Style{}, "first how far it came; quantiles of too few requests are -"},
		{"open.txt", open(), Style{}, "rates offered and achieved, service time beside response time, limits, warnings"},
		{"open_verbose.txt", open(), Style{Verbose: true}, "everything that can be shown"},
		{"stages.txt", staged(), Style{}, "a schedule in stages, stopped before its end"},
		{"success_verbose.txt", success(), Style{Verbose: true}, "nothing is late in a closed workload"},
		{"compare.txt", compared(), Style{}, "the verdicts first, a fault of head's own, warnings"},
		{"compare_verbose.txt", compared(), Style{Verbose: true}, "the method too"},
		{"compare_repeat.txt", repeated(), colours, "a fail that was not confirmed"},
		{"capacity.txt", searched(), Style{Note: "Running...  [8 trials in 1m1s] done"}, "the answer first, then the curve"},
		{"capacity_verbose.txt", searched(), Style{Verbose: true}, "every trial"},
		{"capacity_interrupted.txt", interruptedSearch(), colours, "half an answer is inconclusive"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Log(tc.why)
			golden(t, tc.file, render(t, tc.d, tc.style))
		})
	}
}

// Any document can be written, even an empty one.
func TestWriteEmptyDocument(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		for _, interrupted := range []bool{false, true} {
			s := Style{Verbose: verbose}
			got := render(t, &report.Document{Interrupted: interrupted, Repeat: &report.Document{}}, s)
			assert.Contains(t, got, "no request succeeded")
			assert.Contains(t, got, "Total:      0 requests")
			got = render(t, &report.Document{Interrupted: interrupted, Base: &report.Arm{}, Repeat: &report.Document{}}, s)
			assert.Contains(t, got, "Requests:                  0               0")
			got = render(t, &report.Document{Interrupted: interrupted, Found: &report.Found{}}, s)
			assert.Contains(t, got, "Capacity:\n  not judged")
		}
	}
}

// The text needs nothing that is not in the JSON.
func TestWriteAfterJSON(t *testing.T) {
	for _, d := range []*report.Document{judgedRun(), timeouts(), interruptedRun(), staged(), open(), compared(), repeated(), searched(), interruptedSearch()} {
		var b bytes.Buffer
		require.NoError(t, report.WriteJSON(&b, d))
		var back report.Document
		require.NoError(t, json.Unmarshal(b.Bytes(), &back))
		assert.Equal(t, render(t, d, Style{Verbose: true}), render(t, &back, Style{Verbose: true}))
	}
}

func TestLimitsOfARepeat(t *testing.T) {
	d := judgedRun()
	d.Repeat = mixed()
	d.Repeat.Limits = []report.LimitResult{limit(verdict.Pass, "error ratio 0", "")}
	assert.Contains(t, render(t, d, Style{}), "\n\nLimits in a second run, after a pause:\n  pass  error ratio 0\n")
}

func TestServiceTimeIsShownOnlyWhereItDiffers(t *testing.T) {
	check := func(response, service time.Duration, want bool, why string) {
		t.Helper()
		d := success()
		d.Config.Workload, d.Config.Arrivals = "open", "constant"
		d.ResponseTime.P99, d.ServiceTime = &response, report.Distribution{Count: 1, P99: &service}
		assert.Equal(t, want, strings.Contains(render(t, d, Style{}), "service"), why)
	}
	check(110*ms, 100*ms, false, "just a tenth more")
	check(111*ms, 100*ms, true, "more than a tenth")
	check(100*ms, 100*ms, false, "the same")
}

func TestForeignTextStaysOnItsLine(t *testing.T) {
	d := timeouts()
	d.Errors[0].First = "\x1b[2Jbad\nnews %d"
	d.Config.Target = "http://x/\x1b[31m"
	got := render(t, d, Style{})
	assert.NotContains(t, got, "\x1b")
	assert.Contains(t, got, `  timeout: 20 (first: \x1b[2Jbad\nnews %d)`)
	assert.Contains(t, got, `Target: http://x/\x1b[31m`+"\n")

	d = compared()
	d.Base.Target, d.Target = "http://x/\x1b[31m", "http://y/\n"
	assert.NotContains(t, render(t, d, Style{}), "\x1b")
	assert.Contains(t, render(t, d, Style{}), "Head: http://y/\\n\n")
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWriteReportsTheWriteError(t *testing.T) {
	full := errors.New("no space left on device")
	assert.ErrorIs(t, Write(failing{full}, success(), Style{}), full)
}

func TestProgress(t *testing.T) {
	run := func(requests int64, duration time.Duration, stages ...report.StageConfig) *report.Document {
		return &report.Document{
			Config: report.Config{Requests: requests, Duration: duration, Warmup: time.Second, Stages: stages},
			Arm:    report.Arm{Elapsed: 3160 * ms, Requests: report.Requests{Due: 400, Succeeded: 300, Failed: 12}},
		}
	}
	for _, tc := range []struct {
		d    *report.Document
		want string
	}{
		{run(1000, 0), "312/1000"},
		{run(0, 10*time.Second), "3.2s/10s"},
		{run(0, 3*time.Second), "3s/3s"}, // not more than planned
		{run(0, 0, report.StageConfig{Duration: 4 * time.Second}, report.StageConfig{Duration: 3 * time.Second}), "3.2s/6s"}, // the warm-up is the first second
		{run(0, 5*time.Second, report.StageConfig{Duration: 60 * time.Second}), "3.2s/5s"},
		{run(0, 0), "312 requests in 3.2s"},
		{compared(), "90 pairs in 14.2s"},
		{searched(), "8 trials in 1m1s"},
	} {
		assert.Equal(t, tc.want, Progress(tc.d))
	}
}

func TestCapacity(t *testing.T) {
	answer := func(low, high *float64, stoppedBy string, v verdict.Verdict) string {
		return capacity(&report.Document{Verdict: v, Found: &report.Found{
			Limits: []string{"p99<=50ms", "errors<=0"}, Reason: "REASON", Low: low, High: high, StoppedBy: stoppedBy,
		}})
	}
	assert.Equal(t, "holds at 420/s, not at 0.126/s: p99<=50ms, errors<=0; stopped by the target", answer(new(420.4), new(0.1256), "target", verdict.Pass))
	assert.Equal(t, "REASON: p99<=50ms, errors<=0", answer(new(420.4), nil, "most", verdict.Pass))
	assert.Equal(t, "inconclusive  REASON", answer(new(420.4), new(500.0), "host", verdict.Inconclusive))
}

func TestLevels(t *testing.T) {
	d := func(n time.Duration) *time.Duration { return new(n * ms) }
	got := levels([]report.Trial{
		{Rate: 200, P50: d(3)},
		{Rate: 100, P50: d(9), P99: d(90), Held: true}, {Rate: 100, P50: d(1), P99: d(10), Held: true}, {Rate: 100, P50: d(5)},
	})
	assert.Equal(t, []level{
		{rate: 100, p50: d(5), p99: d(90), held: 2, of: 3}, // the slower of two in the middle
		{rate: 200, p50: d(3), of: 1},
	}, got)
}

func TestVerdictsOfAComparisonLineUp(t *testing.T) {
	d := compared()
	d.Ratios[1].Verdict = verdict.NotJudged
	d.Ratios[1].Reason = "not judged: the race detector is on"
	text := render(t, d, Style{})
	assert.Contains(t, text, "\n  fail  head is")
	assert.Contains(t, text, "\n  not judged: the race detector is on\n")
}

func TestAllocationsOfOneTarget(t *testing.T) {
	d := compared()
	d.Base.AllocsPerRequest = nil
	assert.Contains(t, render(t, d, Style{}), "\n  Allocations:               -       14.5 each\n", "base is not in this process")
}

func TestControlIsShown(t *testing.T) {
	d := success()
	d.Generator.Control = times(50, 0, 20*us, 0, 0, 0, 0, 0)
	assert.Contains(t, render(t, d, Style{Verbose: true}), "\n  Control:    p50 20µs, p99 -, of a handler that does nothing\n")
}

func TestCourseShowsP99WhereThereIsOne(t *testing.T) {
	d := open()
	d.Intervals[3].P99 = new(5 * ms)
	text := render(t, d, Style{Verbose: true})
	assert.Contains(t, text, "\n  p99:           █   ")
	assert.Contains(t, text, "  up to 5ms\n")
	assert.NotContains(t, text, "\n  max:        ▁")
}

func TestRunUntilTheVerdictIsClear(t *testing.T) {
	d := judgedRun()
	d.Config.Requests = 0
	assert.Contains(t, render(t, d, Style{}), "\nConcurrency: 50, until the verdict is clear\n")
}

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
		{[]float64{nan}, " ", "nothing is known"},
	} {
		assert.Equal(t, tc.want, Sparkline(tc.values), tc.why)
	}
}

// The rows fit a terminal and show the peak, whatever the number of intervals.
func TestCourseFitsTheWidth(t *testing.T) {
	for n := 2; n <= 128; n++ {
		d := success()
		for i := range n {
			d.Intervals = append(d.Intervals, report.TimeSlice{
				Start: time.Duration(i) * ms, Width: ms, Throughput: 1000, Max: new(time.Duration(i+1) * ms),
			})
		}
		p := &page{d: d}
		p.course()
		for line := range bytes.Lines(p.b.Bytes()) {
			bars, _, found := strings.Cut(string(line), "  up to ")
			if found {
				assert.LessOrEqual(t, utf8.RuneCountInString(bars), 2+12+SparkWidth, "%d intervals", n)
			}
		}
		assert.Contains(t, p.b.String(), "up to "+unit.Duration(time.Duration(n)*ms)+"\n", "%d intervals", n)
	}
}

// What was sent again is told with how long the connections had been idle, unless they
// hardly were; in a comparison, for both targets.
func TestSentAgainIsShown(t *testing.T) {
	text := func(d *report.Document) string {
		var b strings.Builder
		require.NoError(t, Write(&b, d, Style{}))
		return b.String()
	}
	d := success()
	assert.NotContains(t, text(d), "Sent again")
	d.Requests.SentAgain = 3
	d.Record = record.New(false, nil)
	d.Record.Stale = record.Stale{Least: 1, Most: 100 * us}
	assert.Contains(t, text(d), "  Sent again: 3 (the server had closed the connection)\n")
	d.Record.Stale = record.Stale{Least: 18 * ms, Most: 26 * ms}
	assert.Contains(t, text(d), "  Sent again: 3 (the server had closed the connection, after 18ms to 26ms idle)\n")
	d.Base = new(d.Arm)
	assert.Contains(t, text(d), "  Sent again:                3               3\n")

	d = success()
	d.Generator.PermitsExhausted, d.Generator.PermitsRested = 250*ms, 200*ms
	var b strings.Builder
	require.NoError(t, Write(&b, d, Style{Verbose: true}))
	assert.Contains(t, b.String(), "all permits taken for 50ms, permits rested for 200ms\n")
}
