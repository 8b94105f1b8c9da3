package engine

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	clearBudget = 30 * time.Second
	// clearWarmup is the warm-up of a run until its verdict is clear. Chosen:
	// connections, caches and the collector have settled by then.
	clearWarmup = 500 * time.Millisecond
	// clearStretch is how long such a run goes on between two turns of the
	// control. Chosen.
	clearStretch = time.Second
)

// A round is a run made one time.
type round struct {
	*Plan
	ctx, cut context.Context
	monitor  *monitor
	after    time.Duration // of a repeat: how long the run before it took; else 0

	arm      *arm
	control  *control // nil without
	outcome  *record.Record
	standard verdict.Standard // that it was judged by
}

// make makes the run and its report.
func (r *round) make() (rep *report.Report, err error) {
	if r.arm, err = r.open(r.ctx); err != nil {
		return nil, err
	}
	defer func() {
		closing := r.arm.close()
		if closing != nil && rep != nil {
			rep.Generator.Warnings = append(rep.Generator.Warnings, report.Warning{Code: "abandoned", Text: closing.Error()})
		}
	}()
	amid := r.after > 0 || r.opts.Control
	if r.opts.Waive == "" && (r.opts.endless() || amid) {
		r.control = r.openControl(r.ctx)
		defer r.control.close()
	}
	r.standard = r.Plan.standard()
	sensors := host.Start(os.DirFS("/"))
	switch {
	case r.opts.endless():
		err = r.untilClear()
	case r.control != nil:
		err = r.amidControls()
	default:
		err = r.stretch(r.whole())
	}
	usage := sensors.Stop()
	usage.Off = append(usage.Off, r.control.sensorsOff()...)
	if err != nil {
		return nil, err
	}
	r.outcome.Machine = usage
	if r.control != nil {
		r.outcome.Control = r.control.outcome
	}
	limits := excused(r.judge(r.outcome, r.standard), r.outcome)
	rep = r.report(r.outcome, r.arm.pool, limits)
	if r.control != nil && r.control.outcome != nil {
		rep.Generator.Control = report.Summarize(r.control.outcome.Response)
	}
	if err := conserved(rep); err != nil {
		return nil, err
	}
	return rep, nil
}

// conserved checks that the counts of a report add up.
func conserved(r *report.Report) error {
	if err := report.CheckConservation(r); err != nil {
		return fmt.Errorf("the counts of this run do not add up, which is a defect of load-tester: %w", err)
	}
	return nil
}

// stretch makes a stretch of load.
func (r *round) stretch(s stretch) error {
	s.origin = course(r.outcome)
	o, err := r.arm.run(r.ctx, r.cut, s, r.monitor)
	if err != nil {
		return err
	}
	r.outcome = merged(r.outcome, o)
	return nil
}

// amidControls makes all of the run between two turns of the control.
func (r *round) amidControls() error {
	had := max(r.after, r.opts.Duration, controlFor) / 2
	if s := r.schedule; s != nil && !s.Endless {
		had = max(had, s.Length()/2)
	}
	r.control.run(r.ctx, r.cut, had)
	if err := r.stretch(r.whole()); err != nil || r.outcome.Interrupted {
		return err
	}
	r.control.run(r.ctx, r.cut, had)
	return nil
}

// untilClear makes load until the verdict on every limit is clear, or the
// budget is used up.
func (r *round) untilClear() error {
	r.monitor.says("until the verdict is clear, at most " + unit.Duration(r.opts.Budget))
	if r.schedule != nil {
		return r.openUntilClear()
	}
	s := r.whole()
	for _, look := range verdict.Looks(r.opts.Budget) {
		for measured := course(r.outcome); measured < look.At; measured = course(r.outcome) {
			s.duration = min(clearStretch, look.At-measured)
			if err := r.stretch(s); err != nil || r.outcome.Interrupted {
				return err
			}
			s.warmup = 0
			r.control.run(r.ctx, r.cut, s.duration)
		}
		r.standard = r.Plan.standard().Share(look.Share)
		if settled(r.judge(r.outcome, r.standard)) {
			return nil
		}
	}
	return nil
}

// openUntilClear is untilClear for an open workload, which has no breaks: a
// target that cannot keep up would catch up in them, and look as if it could.
// The control has its turns before and after.
func (r *round) openUntilClear() error {
	r.control.run(r.ctx, r.cut, controlFor/2)
	s := r.whole()
	s.duration = r.opts.Budget
	s.watched = r.look
	if err := r.stretch(s); err != nil || r.outcome.Interrupted {
		return err
	}
	r.control.run(r.ctx, r.cut, r.outcome.Course())
	return nil
}

// look ends a loop under way at the first look that has a clear verdict, unless
// it is over before.
func (r *round) look(loop *load.Loop, over <-chan struct{}) {
	looks := verdict.Looks(r.opts.Budget)
	last := len(looks) - 1
	for _, look := range looks[:last] {
		if !hasCome(loop, r.opts.Warmup+look.At, over) {
			break
		}
		s := r.Plan.standard().Share(look.Share)
		if r.settledSoFar(loop.Peek(), s) {
			r.standard = s
			loop.End()
			return
		}
	}
	r.standard = r.Plan.standard().Share(looks[last].Share)
}

// hasCome waits until a loop has come so far; it returns false if it is over
// before.
func hasCome(loop *load.Loop, at time.Duration, over <-chan struct{}) bool {
	for {
		left := at - loop.Progress().Elapsed // which is 0 before the start
		if left <= 0 {
			return true
		}
		t := time.NewTimer(min(left, watchEvery))
		select {
		case <-t.C:
		case <-over:
			t.Stop()
			return false
		}
	}
}

// settledSoFar is settled for what is over of a loop under way. What is not over
// may still be in time, so it makes no fail; but for a pass it counts as missed,
// or a target that answers ever later would seem to keep up.
func (r *round) settledSoFar(o *record.Record, s verdict.Standard) bool {
	results := r.judge(o, s)
	if !settled(results) || verdict.Overall(results) == verdict.Fail {
		return settled(results)
	}
	due := int64(r.opts.Rate * o.Offering.Seconds())
	o.Unfinished = max(0, due-o.Due)
	o.Due += o.Unfinished
	o.Sent = o.Due
	for _, result := range r.judge(o, s) {
		m := result.Limit.Metric
		if (m == verdict.Quantile || m == verdict.Throughput || m == verdict.Goodput) && result.Verdict != verdict.Pass && result.Verdict != verdict.NotJudged {
			return false
		}
	}
	return true
}

// settled reports whether no more load is needed: nothing is in doubt, or
// something has failed.
func settled(results []verdict.Result) bool {
	doubt := false
	for _, r := range results {
		if r.Verdict == verdict.Fail {
			return true
		}
		doubt = doubt || r.Verdict == verdict.Inconclusive
	}
	return !doubt
}
