package engine

import (
	"cmp"
	"context"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	runBudget = 30 * time.Second
	// keptFor is how long a rate that has to be kept is offered where nothing
	// else is said: it is the least time of load for a fail of any limit.
	keptFor = 10 * time.Second
	// clearWarmup is the warm-up of a run until its verdict is clear:
	// connections, caches and the collector have settled by then.
	clearWarmup = 500 * time.Millisecond
)

// A runPlan is one load on one target.
type runPlan struct {
	arm      *armPlan
	control  bool
	baseline *baseline.Baseline // nil without one

	calibrate func() time.Duration // does the reference work
}

// NewRun checks o and fills in defaults. Its error joins a *[Fault] for each
// option that is wrong.
func NewRun(o RunOptions) (Plan, error) {
	p := &armPlan{target: o.Target, Settings: o.Settings, requests: o.Requests, duration: o.Duration, limits: o.Limits}
	var f faults
	f.add(!(o.Kept >= 0 && o.Kept <= 1), "Kept", "%v is out of range, want the part of the rate that has to succeed, such as 0.95", o.Kept)
	f.add(o.Kept > 0 && o.Rate == 0, "Kept", "%v without a Rate to be a part of; want one with it", o.Kept)
	if o.Kept > 0 {
		p.limits = append(p.limits[:len(p.limits):len(p.limits)], verdict.Limit{Metric: verdict.Goodput, Op: verdict.AtLeast, Value: o.Kept * o.Rate})
	}
	f.add(p.endless() && len(p.limits) == 0, "Requests", "0, and Duration is 0 too; want at least one of them")
	f = append(f, p.check()...)
	earlier := o.Baseline
	if earlier != nil {
		earlier = new(*o.Baseline)
		oneProcessor.Lock() // it reads how many there are
		err := earlier.Load()
		oneProcessor.Unlock()
		if err != nil {
			f.add(true, "Baseline", "%s", unit.Message(err.Error()))
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if o.Kept > 0 && p.endless() {
		// A rate is kept up for some time, so that is given, not sought.
		p.duration = cmp.Or(o.Budget, keptFor)
	}
	p.Budget = cmp.Or(p.Budget, runBudget)
	if p.endless() {
		p.Warmup = max(p.Warmup, clearWarmup)
	}
	return &runPlan{arm: p, control: o.Control || earlier != nil, baseline: earlier, calibrate: baseline.Reference}, nil
}

// Preview describes the run; see [Plan].
func (p *runPlan) Preview() *report.Document {
	d := p.arm.preview(report.Run)
	d.Generator.Warnings = p.arm.tooFew()
	return d
}

// Run makes the run; see [Plan].
func (p *runPlan) Run(ctx, cut context.Context, watch Watch) (*report.Document, error) {
	m := startMonitor(watch)
	defer m.end()
	var of *round // what the document is of, which is not the repeat
	d, err := p.arm.twice(ctx, m, func(first *report.Document) (*report.Document, error) {
		r := &round{session: session{ctx: ctx, cut: cut, monitor: m}, runPlan: p, first: first}
		if first == nil {
			of = r
		}
		return r.make()
	})
	if err == nil && p.baseline != nil && p.baseline.Update && d.Ended() {
		err = p.baseline.Add(d, of.beside, p.arm.Waive)
	}
	return d, err
}

// A round is a run made one time.
type round struct {
	session
	*runPlan
	first *report.Document // of a repeat: the run that it repeats; else nil

	to       *arm
	control  *control          // nil without
	standard verdict.Standard  // that it was judged by
	least    int64             // requests without which there is no verdict, as things stand; 0 if that is not why
	early    string            // why it ended before its budget and without a verdict; "" if it did not
	settled  []verdict.Finding // at the last look, one of each limit; nil before
	beside   baseline.Beside   // of a run with a baseline
}

// make makes the run and its document.
func (r *round) make() (*report.Document, error) {
	plan := r.arm
	if r.first != nil {
		plan = plan.fresh()
	}
	r.standard = plan.standard()
	if r.baseline != nil {
		r.beside.Reference = r.calibrate()
	}
	return r.measure([]*armPlan{plan}, r.load, r.describe)
}

// load makes the load, with turns of the control in between.
func (r *round) load() error {
	r.to = r.arms[0]
	amid := r.first != nil || r.runPlan.control
	if r.to.Waive == "" && !r.to.Virtual && (r.to.endless() || amid) {
		r.control = openControl(r.ctx, r.to.armPlan)
		defer r.control.close()
	}
	switch {
	case r.to.endless():
		return r.untilClear()
	case r.control != nil:
		return r.amidControls()
	}
	return r.add(r.to.whole())
}

// describe judges the run and makes its document.
func (r *round) describe() (*report.Document, error) {
	seen := r.to.complete(r.machine)
	r.control.complete(seen)
	judged := excuse(r.keep(r.to.judge(seen, r.standard)), seen)
	for i, result := range judged {
		judged[i] = result.Advise(r.to.Words)
		if result.Verdict == verdict.Inconclusive && r.early != "" {
			judged[i] = result.Remark(r.early)
		}
	}
	d, err := r.document(report.Run, r.to, judged)
	if err != nil || r.baseline == nil || !d.Ended() {
		return d, err
	}
	if r.to.Waive == "" && r.to.seen.Succeeded > 0 && !r.stopped() {
		r.beside.Claims, err = r.readClaims()
	}
	if err == nil && !r.baseline.Update {
		err = r.baseline.Judge(d, r.beside, r.to.Waive)
	}
	return d, err
}

// add makes a stretch of load.
func (r *round) add(s stretch) error {
	_, err := r.to.add(r.ctx, r.cut, s, r.monitor)
	return err
}

// amidControls makes all of the run between two turns of the control.
func (r *round) amidControls() error {
	had := max(r.to.duration, controlFor) / 2
	if r.first != nil {
		had = max(had, r.first.Elapsed/2)
	}
	if s := r.to.schedule; s != nil && !s.Endless {
		had = max(had, s.Length()/2)
	}
	r.control.run(r.ctx, r.cut, had)
	if err := r.add(r.to.whole()); err != nil || r.to.seen.Interrupted {
		return err
	}
	r.control.run(r.ctx, r.cut, had)
	return nil
}
