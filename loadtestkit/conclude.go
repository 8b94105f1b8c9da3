package loadtestkit

import (
	"io"
	"strings"
	"testing"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// An Action is what an inconclusive verdict does to the test: the measurement
// did not suffice to say whether a limit was kept.
type Action uint8

const (
	Skip Action = iota // skip the test, with the reason; nothing after the call is run
	Warn               // write the reason to the log and go on
	Fail               // fail the test
)

// begin waits for the turn to put load on this machine, and for what may end it.
func begin(t testing.TB) (s *stop, done func()) {
	t.Helper()
	s, err := newStop(t.Context(), deadline(t))
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	unlock, err := turn(s.ctx, t.Logf)
	if err != nil {
		s.end()
		t.Fatalf("loadtestkit: %v", err)
	}
	return s, func() { unlock(); s.end() }
}

// A judgement is what was found: a line for each fail and each doubt.
type judgement struct{ fails, doubts []string }

func (j *judgement) add(v verdict.Verdict, reason string) {
	switch v {
	case verdict.Fail:
		j.fails = append(j.fails, reason)
	case verdict.Inconclusive:
		j.doubts = append(j.doubts, reason)
	}
}

func (j *judgement) addLimits(limits []report.LimitResult) {
	for _, l := range limits {
		j.add(l.Verdict, l.Reason)
	}
}

// conclude writes a result to the test's log and makes it count. done says how
// much of it there is.
func conclude(t testing.TB, s *stop, result interface{ WriteText(io.Writer) error }, interrupted bool, done string, doubt Action, j judgement) {
	t.Helper()
	if err := result.WriteText(t.Output()); err != nil {
		t.Errorf("loadtestkit: writing the report: %v", err)
	}
	if interrupted {
		t.Errorf("loadtestkit: interrupted %s after %s: what was done alone was judged", s.cause(), done)
	}
	for _, reason := range j.fails {
		t.Errorf("loadtestkit: %s", reason)
	}
	if len(j.doubts) == 0 {
		return
	}
	const inconclusive = "loadtestkit: inconclusive: "
	switch {
	case doubt == Fail:
		for _, reason := range j.doubts {
			t.Errorf(inconclusive+"%s", reason)
		}
	case doubt == Skip && !t.Failed():
		t.Skip(inconclusive + strings.Join(j.doubts, "\n"+inconclusive))
	default:
		for _, reason := range j.doubts {
			t.Logf(inconclusive+"%s", reason)
		}
	}
}
