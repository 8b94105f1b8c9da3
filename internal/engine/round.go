package engine

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/report"
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

	arm       *arm
	control   *control // nil without
	outcome   *load.Outcome
	next      int64            // number of the next arrival
	warmed    time.Duration    // how long the warm-up took
	stretches int              // made so far
	standard  verdict.Standard // that it was judged by
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
	limits := excused(r.judge(r.outcome, r.standard), r.noise(r.outcome, usage, r.arm.wire, r.control))
	rep = r.report(r.outcome, usage, r.arm.wire, limits)
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
	s.schedule, s.first, s.origin = r.resume(), r.next, course(r.outcome)
	o, err := r.arm.run(r.ctx, r.cut, s, r.monitor)
	if err != nil {
		return err
	}
	r.next += o.Due + o.Warmup.Due
	r.warmed += s.warmup
	r.stretches++
	r.outcome = merged(r.outcome, o)
	if s.schedule != nil && r.opts.endless() && !o.Interrupted {
		r.wait(o.Start.Add(s.warmup + s.duration))
	}
	return nil
}

// resume is the schedule of the next stretch: it goes on where the one before left
// off. A rate of 2.5/s would else be 3/s in stretches of a second.
func (r *round) resume() *load.Schedule {
	s := later(r.schedule, r.stretches)
	if r.opts.Rate == 0 || r.opts.Poisson {
		return s
	}
	due := time.Duration(math.Round(float64(r.next) / r.opts.Rate * 1e9)) // of the next arrival
	if gap := due - r.warmed - course(r.outcome); gap > 0 {
		s.Stages = append([]load.Stage{{For: gap}}, s.Stages...)
	}
	return s
}

// wait waits for the time at, or until the run is stopped.
func (r *round) wait(at time.Time) {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.ctx.Done():
	case <-r.cut.Done():
	}
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
	s := r.whole()
	r.monitor.says("until the verdict is clear, at most " + verdict.FormatDuration(r.opts.Budget))
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
