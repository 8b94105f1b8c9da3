package loadtestkit

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Run puts the load that opts describes on its target, writes the report to the
// test's log, and fails t once for each limit that was missed or could not be
// judged. It stops t at once if opts is invalid or the run could not be made: a
// bad measurement is never a pass.
//
// It ends before t's deadline. Ctrl+C ends it too, with the report of what was
// done; so does the end of t's context. Either way t has then failed.
func Run(t testing.TB, opts Options) Report {
	t.Helper()
	p, err := opts.plan()
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	s, err := newStop(t.Context(), deadline(t))
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	defer s.end()
	unlock, err := turn(s.ctx, t.Logf)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	defer unlock()

	d, err := p.Run(s.ctx, s.cut, nil)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	if err := report.WriteText(t.Output(), d, report.Style{}); err != nil {
		t.Errorf("loadtestkit: writing the report: %v", err)
	}
	if d.Interrupted {
		t.Errorf("loadtestkit: interrupted %s after %s and %s requests: %s",
			s.cause(), verdict.FormatDuration(d.Elapsed), verdict.FormatCount(d.Requests.Sent), "the limits were judged on those alone")
	}
	for _, l := range d.Limits {
		switch l.Verdict {
		case verdict.Fail:
			t.Errorf("loadtestkit: %s", l.Reason)
		case verdict.Inconclusive:
			t.Errorf("loadtestkit: cannot judge: %s", l.Reason)
		}
	}
	return newReport(d)
}

// Measure is [Run] without a test to fail: the verdicts on the limits are in the
// report alone. It returns an error for invalid options and for a run that could
// not be made. Cancelling ctx stops the run; its report is then of what was done.
func Measure(ctx context.Context, opts Options) (Report, error) {
	d, err := measure(ctx, opts)
	if err != nil {
		return Report{}, fmt.Errorf("loadtestkit: %w", err)
	}
	return newReport(d), nil
}

func measure(ctx context.Context, opts Options) (*report.Report, error) {
	p, err := opts.plan()
	if err != nil {
		return nil, err
	}
	unlock, err := turn(ctx, func(string, ...any) {})
	if err != nil {
		return nil, err
	}
	defer unlock()
	return p.Run(ctx, context.Background(), nil)
}

// RequestID returns the id of the request that ctx belongs to, within a handler
// that [Handler] serves or a function that [Func] calls: the one that the report
// gives beside its slowest and its failed requests. It is "" anywhere else.
func RequestID(ctx context.Context) string { return target.RequestID(ctx) }

// deadline returns when t will be killed, zero if never.
func deadline(t testing.TB) time.Time {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		at, _ := d.Deadline()
		return at
	}
	return time.Time{}
}

// waive says why limits on time and throughput are not judged in this build, ""
// if they are.
func waive() string {
	switch {
	case raceEnabled:
		return "the race detector is on (-race)"
	case testing.CoverMode() != "":
		return "coverage is being recorded (-cover)"
	}
	return ""
}
