package text

import (
	"bytes"
	"cmp"
	"encoding/json"
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
		{"compare_pass.txt", equal(), Style{Verbose: true}, "what a pass says"},
		{"compare_brief.txt", compared(), Style{Brief: true, Reasoned: true}, "as in the log of a test"},
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
			assert.Contains(t, got, "Capacity:\n  - \n")
		}
	}
}

// The text needs nothing that is not in the JSON.
func TestWriteAfterJSON(t *testing.T) {
	for _, d := range []*report.Document{judgedRun(), timeouts(), interruptedRun(), staged(), open(), compared(), repeated(), equal(), searched(), interruptedSearch()} {
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
	d.Repeat.Limits = []report.LimitResult{limit(verdict.Pass, "errors 0%, want <= 0%", "0 of 1,000", "")}
	assert.Contains(t, render(t, d, Style{Verbose: true}), "\n\nRepeat, after a pause:\n  ✓ errors 0%, want <= 0%\n\n")
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

// A report that go test shows again from its cache tells its age, and one in a file
// too.
func TestMeasuredWhen(t *testing.T) {
	d := success()
	d.StartedAt = time.Date(2026, 11, 29, 17, 50, 3, 999, time.FixedZone("", 3600))
	got := render(t, d, Style{})
	assert.True(t, strings.HasPrefix(got, "Measured 2026-11-29 17:50:03 +0100\nTarget: "), got)
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

func TestHeadSaysWhatWasNotWritten(t *testing.T) {
	d := success()
	d.Config.Target, d.ASCIIHost, d.Config.PostsBody = "http://bücher.example/", "xn--bcher-kva.example", true
	assert.True(t, strings.HasPrefix(render(t, d, Style{}), "Target: http://bücher.example/ (xn--bcher-kva.example)\nMethod: POST (for the body)\nRequests: "))

	d = compared()
	d.Base.Target, d.Base.ASCIIHost = "http://bücher.example/", "xn--bcher-kva.example"
	assert.Contains(t, render(t, d, Style{}), "Base: http://bücher.example/ (xn--bcher-kva.example)\nHead: http://")
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
		{compared(), "21 rounds in 14.2s"},
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
	assert.Equal(t, "holds at 420/s, not at 0.126/s; stopped by the target", answer(new(420.4), new(0.1256), "target", verdict.Pass))
	assert.Equal(t, "REASON", answer(new(420.4), nil, "most", verdict.Pass))
	assert.Equal(t, "REASON", answer(new(420.4), new(500.0), "host", verdict.Inconclusive))
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

// What a verdict rests on is written below it, except of a pass and where it is said
// elsewhere. Where it was not judged, why is always written.
func TestBasisOfVerdicts(t *testing.T) {
	check := func(style Style, want map[string]bool) {
		t.Helper()
		text := render(t, judgedRun(), style)
		for basis, shown := range want {
			assert.Equal(t, shown, strings.Contains(text, "\n    "+basis), "%s: %+v", basis, style)
		}
	}
	const pass, fail, doubt, waived = "n=1,000; 15 counted as missed\n", "15 of 1,000", "needs 30,000", "not judged: the race"
	check(Style{}, map[string]bool{pass: false, fail: true, doubt: true, waived: true})
	check(Style{Verbose: true}, map[string]bool{pass: true, fail: true, doubt: true, waived: true})
	check(Style{Reasoned: true}, map[string]bool{pass: false, fail: false, doubt: false, waived: true})
	check(Style{Reasoned: true, Verbose: true}, map[string]bool{pass: true, fail: false, doubt: false, waived: true})
}

// Sentences are wrapped at words, with their indent, to the width of the terminal.
func TestSentencesFitTheWidth(t *testing.T) {
	for _, width := range []int{0, 40, 80, 120} {
		text := render(t, open(), Style{Width: width})
		limits, _, _ := strings.Cut(text, "\nResults:")
		_, warnings, _ := strings.Cut(text, "\nWarnings:\n")
		_, limits, _ = strings.Cut(limits, "\nLimits:")
		for line := range strings.Lines(limits + warnings) {
			assert.Less(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), cmp.Or(width, 80), line)
		}
	}
	p := &page{s: Style{Width: 20}}
	assert.Equal(t, []string{"  a word", "  averyveryverylongword", "  and more"}, p.wrap("  a word averyveryverylongword and more", "  "))
	assert.Equal(t, []string{""}, p.wrap("", "  "))
	assert.Equal(t, []string{"CPU:  used 4.5% of", "      2 cores"}, p.wrap("CPU:  used 4.5% of 2 cores", "      "), "spaces stay")
	for _, width := range []int{40, 80} {
		_, machine, _ := strings.Cut(render(t, open(), Style{Width: width, Verbose: true}), "\nGenerator:\n")
		for line := range strings.Lines(machine) {
			assert.Less(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), width, line)
		}
	}
}

func TestASCII(t *testing.T) {
	d := open()
	d.Record = recorded()
	text := render(t, d, Style{ASCII: true, Verbose: true})
	for _, r := range text {
		require.Less(t, r, rune(utf8.RuneSelf), text)
	}
	assert.Contains(t, text, "\n  x max without bound")
	assert.Contains(t, text, "\n  + goodput")
	assert.Contains(t, text, "  ####")
}

// A page whose head was shown before has the rest.
func TestHeadAndRestAreThePage(t *testing.T) {
	for _, d := range []*report.Document{judgedRun(), compared(), searched(), timeouts()} {
		var head strings.Builder
		require.NoError(t, WriteHead(&head, d, Style{}))
		assert.Equal(t, render(t, d, Style{}), head.String()+render(t, d, Style{Headless: true}))
	}
	d := interruptedRun()
	assert.True(t, strings.HasPrefix(render(t, d, Style{Headless: true}), "\nInterrupted after "))
}

// The log of a failed test is short.
func TestBriefPage(t *testing.T) {
	d := judgedRun()
	d.Repeat, d.Limits = judgedRun(), d.Limits[:3]
	text := render(t, d, Style{Brief: true, Reasoned: true})
	assert.Less(t, strings.Count(text, "\n"), 25, text)
	assert.NotContains(t, text, "Histogram")
	assert.Contains(t, text, "\n  Latency:    p50 4.2ms, p90 12.1ms, p99 45.3ms, max 102.7ms\n")
	assert.Contains(t, text, "\n  503: 15\n", "what failed")
	assert.NotContains(t, render(t, success(), Style{Brief: true}), "Status codes")
}

func TestHint(t *testing.T) {
	const hint = "\nHint: 100 requests in 92ms, 10 of them on new connections: -z 5s tells more\n"
	quick := func(change func(d *report.Document)) string {
		d := success()
		d.Config.Requests, d.Requests.Due, d.Requests.Sent, d.Elapsed, d.Generator.ConnectionsOpened = 100, 100, 100, 92*ms, 10
		change(d)
		return render(t, d, Style{Hint: true})
	}
	assert.Contains(t, quick(func(d *report.Document) {}), hint)
	for why, change := range map[string]func(d *report.Document){
		"long enough":        func(d *report.Document) { d.Elapsed = time.Second },
		"a limit chose it":   func(d *report.Document) { d.Limits = judgedRun().Limits },
		"a time was chosen":  func(d *report.Document) { d.Config.Requests = 0 },
		"nothing to explain": func(d *report.Document) { d.Requests.Succeeded = 0 },
		"interrupted":        func(d *report.Document) { d.Interrupted = true },
	} {
		assert.NotContains(t, quick(change), "Hint:", why)
	}
	assert.NotContains(t, render(t, success(), Style{}), "Hint:")
}

func TestHistogram(t *testing.T) {
	check := func(want []bin, why string, times ...time.Duration) {
		t.Helper()
		h := hist.New(10)
		for _, d := range times {
			h.Record(int64(d))
		}
		assert.Equal(t, want, bins(h), why)
	}
	even := func(n int) (all []time.Duration) {
		for i := range n {
			all = append(all, time.Duration(i))
		}
		return all
	}
	equal := slices.Repeat([]time.Duration{ms}, 99)
	check([]bin{{1, 2}, {2, 1}, {3, 1}, {4, 1}, {5, 1}, {6, 1}, {7, 1}, {8, 1}, {9, 1}, {10, 1}, {11, 1}}, "too few for a p99", even(12)...)
	check([]bin{{int64(ms), 99}}, "all the same", equal...)
	check([]bin{{1_000_192, 99}, {int64(time.Second), 1}}, "all the same except one: the middle of their bucket", append(equal, time.Second)...)
	check([]bin{
		{98, 10}, {196, 10}, {294, 10}, {392, 10}, {490, 10}, {588, 9}, {686, 10}, {784, 10}, {882, 10}, {980, 10}, {int64(time.Second), 1},
	}, "ten bins to the p99, an outlier in its own", append(tens(99), time.Second)...)

	d := success()
	all := render(t, d, Style{})
	rows := strings.Count(all, "\n  <= ")
	assert.Equal(t, 11, rows)
	d.Record = record.New(false, nil)
	d.Record.Response.RecordN(int64(ms), 19)
	assert.NotContains(t, render(t, d, Style{}), "Histogram", "too few")
	d.Record.Response.RecordN(int64(ms), 1)
	assert.Contains(t, render(t, d, Style{}), "\nHistogram:\n  <=     1ms  20  ■■■")
}

// tens returns n times from 0 on, 10 ns apart.
func tens(n int) (all []time.Duration) {
	for i := range n {
		all = append(all, time.Duration(10*i))
	}
	return all
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

// A page fits the usual terminal, and one of half its width without the tables that
// only -v shows.
func TestPagesFitTheTerminal(t *testing.T) {
	for _, d := range []*report.Document{success(), judgedRun(), timeouts(), interruptedRun(), staged(), open(), compared(), repeated(), equal(), searched(), interruptedSearch()} {
		for _, s := range []Style{{Width: 80}, {Width: 80, Verbose: true}, {Width: 40}} {
			for line := range strings.Lines(render(t, d, s)) {
				assert.Less(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), s.Width, line)
			}
		}
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

// No row begins with what a log obeys: the word may be a server's.
func TestWrapMakesNoMarks(t *testing.T) {
	for _, word := range []string{"::error::x", "##[error]x", "---", "===", "./x.go:1:1:", "/x.go:1:1:"} {
		assert.Equal(t, []string{"first:", "  aaaaaaa " + word, "  bbb"}, Wrap("first: aaaaaaa "+word+" bbb", 10, "  "))
	}
	assert.Equal(t, []string{"first:", "  aaaaaaa", "  --flag"}, Wrap("first: aaaaaaa --flag", 10, "  "))
}

// What stderr has cost is told once it is more than usual.
func TestWritingIsShown(t *testing.T) {
	text := func(dropped int64, writing time.Duration) string {
		d := success()
		d.Generator.LogLinesDropped, d.Generator.Writing = dropped, writing
		var b strings.Builder
		require.NoError(t, Write(&b, d, Style{Verbose: true}))
		return b.String()
	}
	assert.NotContains(t, text(0, longWriting), "Stderr:")
	assert.Contains(t, text(0, 2100*ms), "Stderr:     writing took 2.1s\n")
	assert.Contains(t, text(1234, 2100*ms), "Stderr:     log lines dropped: 1,234, writing took 2.1s\n")
	assert.Contains(t, text(1, 0), "Stderr:     log lines dropped: 1\n")
}

// What failed and what did not narrow down where to look.
func TestNext(t *testing.T) {
	next := func(failed ...report.ClaimResult) string {
		d := &report.Document{Verdict: verdict.Fail, Claims: failed}
		return next(d)
	}
	takes := func(name string, v verdict.Verdict, ratio float64) report.ClaimResult {
		c := claim(name, v, 1.05, 1.05, "", "")
		c.Ratio, c.Base, c.Head = &ratio, new(1e6), new(1e6*ratio)
		return c
	}
	fail := func(name string) report.ClaimResult { return takes(name, verdict.Fail, 1.3) }
	work := func(v verdict.Verdict, ratio float64) report.ClaimResult { return takes(verdict.Work, v, ratio) }
	assert.Contains(t, next(fail(verdict.Quick), work(verdict.Fail, 1.2)), "CPU profiles")
	assert.Contains(t, next(work(verdict.Fail, 1.2), counted(verdict.Bytes, 10, 20, "")), "CPU and memory profiles")
	assert.Contains(t, next(fail(verdict.Quick), work(verdict.Pass, 1.01)), "waits longer, even alone")
	assert.Contains(t, next(fail(verdict.Alone), work(verdict.Inconclusive, 1.2)), "whether it does more, or waits", "most of it may be work")
	assert.Contains(t, next(fail(verdict.Quick)), "whether it does more, or waits", "processor time is not known")
	for _, together := range []string{verdict.Burst, verdict.Locks} {
		assert.Contains(t, next(fail(together), work(verdict.Pass, 1)), "slower together than alone")
	}
	assert.Contains(t, next(fail(verdict.Tail), work(verdict.Pass, 1)), "few requests")
	assert.Empty(t, next(), "a limit failed")
	assert.NotContains(t, render(t, equal(), Style{}), "Next:")
	assert.NotContains(t, render(t, repeated(), Style{}), "Next:")
	d := compared()
	d.Claims, d.Ratios[0].Verdict = nil, verdict.Fail
	assert.Contains(t, render(t, d, Style{}), "\nNext: requests are slower together than alone")
}

// Lines are left out that tell nothing: of guards that did not fail, and of claims that
// a fail left without a reading. All are there if verbose.
func TestLinesOfClaims(t *testing.T) {
	d := compared()
	d.Claims[3].Ratio, d.Ratios[0].Pairs = nil, 0
	text := render(t, d, Style{})
	assert.NotContains(t, text, " locks ")
	assert.NotContains(t, text, " burst ")
	assert.NotContains(t, text, " load ")
	text = render(t, d, Style{Verbose: true})
	for _, line := range []string{"- locks ", "? burst ", "- load "} {
		assert.Contains(t, text, line)
	}

	// A limit ends nothing: what its claims lack is what they lack.
	d = compared()
	d.Claims[1].Verdict, d.Claims[3].Ratio = verdict.Pass, nil
	text = render(t, d, Style{})
	assert.Contains(t, text, "? burst ")
	assert.Contains(t, text, "42 readings do not tell")

	// Why nothing is judged is said once.
	d = equal()
	for i := range d.Claims {
		d.Claims[i].Verdict, d.Claims[i].Basis = verdict.NotJudged, "not judged: -race"
	}
	text = render(t, d, Style{})
	assert.Equal(t, 1, strings.Count(text, "not judged: -race"), text)
	assert.Contains(t, text, "- work ")
}
