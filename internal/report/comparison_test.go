package report

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A writer of text is a report of any kind.
type writer interface {
	WriteText(w io.Writer, s Style) error
	WriteJSON(w io.Writer) error
}

func renderAny(t *testing.T, r writer, s Style) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteText(&b, s))
	return b.String()
}

func encodeAny(t *testing.T, r writer) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, r.WriteJSON(&b))
	return b.String()
}

func TestTextOfOtherKinds(t *testing.T) {
	colours := Style{Red: mark("red"), Green: mark("green"), Yellow: mark("yellow")}
	for _, tc := range []struct {
		file  string
		r     writer
		style Style
		why   string
	}{
		{"compare.txt", compared(), Style{}, "the verdicts first, a fault of head's own, warnings"},
		{"compare_verbose.txt", compared(), Style{Verbose: true}, "how it was done"},
		{"compare_repeat.txt", repeated(), colours, "a fail that did not come again"},
		{"capacity.txt", searched(), Style{Note: "Running...  [8 trials in 1m1s] done"}, "the answer first, then the curve"},
		{"capacity_verbose.txt", searched(), Style{Verbose: true}, "every trial"},
		{"capacity_interrupted.txt", unfound(), colours, "half an answer is in doubt"},
	} {
		t.Run(tc.file, func(t *testing.T) {
			t.Log(tc.why)
			golden(t, tc.file, renderAny(t, tc.r, tc.style))
		})
	}
}

// Anything at all can be written, even nothing.
func TestTextOfZeroKinds(t *testing.T) {
	for _, r := range []writer{&Comparison{}, &Comparison{Repeat: &Comparison{}}, &Capacity{}} {
		for _, verbose := range []bool{false, true} {
			assert.NotEmpty(t, renderAny(t, r, Style{Verbose: verbose}))
		}
		full := errors.New("no space left on device")
		assert.ErrorIs(t, r.WriteText(failing{full}, Style{}), full)
		assert.ErrorIs(t, r.WriteJSON(failing{full}), full)
	}
}

func TestTextOfOtherKindsKeepsForeignTextOnItsLine(t *testing.T) {
	c, s := compared(), searched()
	c.Base.Target, c.Head.Target, s.Config.Target = "http://x/\x1b[31m", "http://y/\n", "http://z/\x1b[31m"
	assert.NotContains(t, renderAny(t, c, Style{}), "\x1b")
	assert.Contains(t, renderAny(t, c, Style{}), "Head: http://y/\\n\n")
	assert.NotContains(t, renderAny(t, s, Style{}), "\x1b")
}

func TestCapacityAnswers(t *testing.T) {
	answer := func(c Capacity) string {
		c.Limits, c.Reason = []string{"p99<=50ms", "errors<=0"}, "REASON"
		return (&capacityText{c: &c}).answer()
	}
	assert.Equal(t, "holds at 420/s, not at 0.126/s: p99<=50ms, errors<=0; stopped by the target",
		answer(Capacity{Low: new(420.4), High: new(0.1256), StoppedBy: "target", Verdict: verdict.Pass}))
	assert.Equal(t, "REASON: p99<=50ms, errors<=0", answer(Capacity{Low: new(420.4), StoppedBy: "most", Verdict: verdict.Pass}))
	assert.Equal(t, "inconclusive  REASON", answer(Capacity{Low: new(420.4), High: new(500.0), StoppedBy: "host", Verdict: verdict.Inconclusive}))
}

func TestLevels(t *testing.T) {
	d := func(n time.Duration) *time.Duration { n *= ms; return &n }
	got := levels([]Trial{
		{Rate: 200, P50: d(3)},
		{Rate: 100, P50: d(9), P99: d(90), Held: true}, {Rate: 100, P50: d(1), P99: d(10), Held: true}, {Rate: 100, P50: d(5)},
	})
	assert.Equal(t, []level{
		{rate: 100, p50: d(5), p99: d(90), held: 2, of: 3}, // the slower of two in the middle
		{rate: 200, p50: d(3), of: 1},
	}, got)
}

func TestVerdictsOfAComparisonLineUp(t *testing.T) {
	c := compared()
	c.Ratios[1].Verdict = verdict.NotJudged
	c.Ratios[1].Reason = "not judged: the race detector is on"
	text := renderAny(t, c, Style{})
	assert.Contains(t, text, "\n  fail  head is")
	assert.Contains(t, text, "\n  not judged: the race detector is on\n")
}
