package loadtestkit

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
)

// Run puts the load that opts describes on its target, writes the report to the
// test's log, and fails t once for each limit that was missed. A limit that was
// missed by what may be chance counts only if a second run, after a pause, misses
// it too. A verdict that is not clear does what opts.OnInconclusive says; by
// default it skips t. Run stops t at once if opts is invalid or the run could not
// be made, and fails it if no request succeeded: a bad measurement is never a pass.
//
// Without an end in opts it goes on until the verdict is clear: a second or two
// where the limits are kept with room to spare, opts.Budget at most. If every request
// fails it is given up within a second, and t has failed.
//
// It ends before t's deadline. Ctrl+C ends it too, with the report of what was
// done; so does the end of t's context. Either way t has then failed.
func Run(t testing.TB, opts Options) Report {
	mustBe(t, "Run")
	t.Helper()
	mustFit(t, "Run")
	run := func(onInconclusive Verdict) Report {
		t.Helper()
		p, err := opts.plan(t.Name(), true)
		return newReport(carryOut(newTest(t), p, err, onInconclusive, nil))
	}
	if opts.Baseline != "" {
		for range updates() - 1 {
			if r := run(Passed); t.Failed() { // a doubt about one is no reason to leave out the others
				return r
			}
		}
	}
	return run(opts.OnInconclusive)
}

// Measure is [Run] without a test to fail: the verdicts are in the report alone,
// and nothing is repeated. The name of its runs in opts.Baseline is what is sent
// and how, such as GET/items/c=10. Measure returns an error for invalid options
// and for a run that could not be made; if only its baseline could not be written,
// the report comes with the error. Cancelling ctx stops the run; its report is then
// of what was done.
func Measure(ctx context.Context, opts Options) (Report, error) {
	d, err := measure(ctx, opts)
	if err != nil {
		err = printable{fmt.Errorf("loadtestkit: %w", advise(err))}
	}
	if d == nil {
		return Report{}, err
	}
	return newReport(d), err
}

func measure(ctx context.Context, opts Options) (*report.Document, error) {
	if bubbled() {
		return nil, fmt.Errorf("Measure: %w", errBubble)
	}
	p, err := opts.plan("", false)
	if err != nil {
		return nil, err
	}
	unlock, err := turn(ctx, "Measure", noTest{})
	if err != nil {
		return nil, err
	}
	defer unlock()
	_ = preventCaching() // there is no log to say so
	return p.Run(ctx, context.Background(), nil)
}

// carryOut makes what was planned for a test, writes what came of it to the
// test's log and makes the verdict count. err is what was wrong with the plan. watch
// may be nil.
func carryOut(t test, p engine.Plan, err error, onInconclusive Verdict, watch engine.Watch) *report.Document {
	t.Helper()
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	for _, w := range p.Preview().Generator.Warnings {
		fmt.Fprintf(t.Output(), "loadtestkit: %s\n", w.Text)
	}
	s, done := begin(t)
	defer done()
	d, err := p.Run(s.ctx, s.cut, watch)
	if d == nil {
		t.Fatalf("loadtestkit: %v", advise(err))
	}
	conclude(t, s, d, err, onInconclusive)
	return d
}

// begin waits for the turn to put load on this machine, and watches for what may
// end it.
func begin(t test) (s *stop, done func()) {
	t.Helper()
	s, err := newStop(t.Context(), deadline(t.of))
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	unlock, err := turn(s.ctx, t.Name(), t)
	if err != nil {
		s.end()
		t.Fatalf("loadtestkit: %v", err)
	}
	if err := preventCaching(); err != nil {
		t.Logf("loadtestkit: %v", err)
	}
	return s, func() { unlock(); s.end() }
}

// deadline returns when t will be killed, zero if never.
func deadline(t any) time.Time {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		at, _ := d.Deadline()
		return at
	}
	return time.Time{}
}
