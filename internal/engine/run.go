package engine

import (
	"context"
	"fmt"

	"github.com/loadtestkit/load-tester/internal/report"
)

// Run makes the load that p describes and returns its report. Cancelling ctx
// issues nothing more and lets what is in flight finish within the grace
// period; cancelling cut ends it at once; the report is whole either way. An
// error means that the run could not be made, or its counts do not add up. It
// says what to do where that is known.
func (p *Plan) Run(ctx, cut context.Context, watch Watch) (*report.Report, error) {
	m := watching(watch)
	defer m.end()
	first := &round{Plan: p, ctx: ctx, cut: cut, monitor: m}
	r, err := first.make()
	if err != nil || !p.opts.Confirm || r.Interrupted || !limitFailed(r.Limits) {
		return r, err
	}
	if err := p.repeat(ctx, cut, r, m); err != nil {
		return nil, err
	}
	return r, nil
}

// Repeat makes the run of r a second time, after a pause, and adds it to r: a
// fail of p's limits stays if it is shared or a fact, and a fact of the repeat
// counts too. If ctx ends before that is over, r is as good as interrupted.
func (p *Plan) Repeat(ctx, cut context.Context, r *report.Report) error {
	return p.repeat(ctx, cut, r, nil)
}

func (p *Plan) repeat(ctx, cut context.Context, r *report.Report, m *monitor) error {
	if !p.rest(ctx, r.Elapsed, m) {
		r.Interrupted = true
		return nil
	}
	fresh, err := p.fresh()
	if err != nil {
		return err
	}
	again := &round{Plan: fresh, ctx: ctx, cut: cut, monitor: m, after: r.Elapsed}
	r.Repeat, err = again.make()
	switch {
	case err != nil && ctx.Err() != nil: // before anything was sent
		r.Interrupted = true
		return nil
	case err != nil:
		return fmt.Errorf("repeating the run: %w", err)
	}
	if r.Interrupted = r.Repeat.Interrupted; !r.Interrupted {
		confirmLimits(r)
	}
	return nil
}
