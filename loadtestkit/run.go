package loadtestkit

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Run puts the load that opts describes on its target, writes the report to the
// test's log, and fails t once for each limit that was missed. A limit that was
// missed by what may be chance counts only if a second run, after a pause,
// misses it too. A verdict that is not clear does what opts.OnInconclusive says;
// by default it skips t. Run stops t at once if opts is invalid or the run could
// not be made: a bad measurement is never a pass.
//
// Without Requests, Duration, Stages and Limits.MinRate it goes on until the
// verdict is clear: a second or two where the limits are kept with room to
// spare, opts.Budget at most.
//
// It ends before t's deadline. Ctrl+C ends it too, with the report of what was
// done; so does the end of t's context. Either way t has then failed.
func Run(t testing.TB, opts Options) Report {
	t.Helper()
	p, err := opts.plan(true)
	var relative *engine.Comparison
	var before *earlier
	if err == nil {
		relative, err = opts.relative()
	}
	if err == nil {
		before, err = opts.readEarlier(t.Name())
	}
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	s, done := begin(t)
	defer done()
	if before != nil {
		before.reference = baseline.Reference()
	}
	d, err := p.Run(s.ctx, s.cut, nil)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	if relative != nil && !d.Interrupted {
		switch c, err := relative.Run(s.ctx, s.cut, nil); {
		case err != nil && s.ctx.Err() != nil: // before anything was sent
			d.Interrupted = true
		case err != nil:
			t.Fatalf("loadtestkit: %v", err)
		default:
			judgeRelative(d, c)
		}
	}
	if before != nil && !d.Interrupted {
		if err := before.conclude(t, s, p, d); err != nil {
			t.Errorf("loadtestkit: %v", err)
		}
	}
	var j judgement
	j.addLimits(d.Limits)
	r := newReport(d)
	conclude(t, s, r, d.Interrupted, fmt.Sprintf("%s and %s requests", unit.Duration(d.Elapsed), unit.Count(d.Requests.Sent)),
		opts.OnInconclusive, j)
	return r
}

// Measure is [Run] without a test to fail: the verdicts on the limits are in the
// report alone, and nothing is repeated. Limits.Relative and Baseline are for Run
// alone. It returns an error for invalid options and for a run that could
// not be made. Cancelling ctx stops the run; its report is then of what was done.
func Measure(ctx context.Context, opts Options) (Report, error) {
	d, err := measure(ctx, opts)
	if err != nil {
		return Report{}, fmt.Errorf("loadtestkit: %w", err)
	}
	return newReport(d), nil
}

func measure(ctx context.Context, opts Options) (*report.Report, error) {
	p, err := opts.plan(false)
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
