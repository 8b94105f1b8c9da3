package engine

import (
	"context"
	"fmt"
	"os"

	"github.com/loadtestkit/load-tester/internal/host"
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
	return p.once(ctx, cut, m)
}

// once makes the load one time.
func (p *Plan) once(ctx, cut context.Context, m *monitor) (*report.Report, error) {
	a, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	sensors := host.Start(os.DirFS("/"))
	o, err := a.run(ctx, cut, p.whole(), m)
	usage := sensors.Stop()
	if err != nil {
		a.close()
		return nil, err
	}
	r := p.report(o, usage, a.wire)
	if err := a.close(); err != nil {
		r.Generator.Warnings = append(r.Generator.Warnings, report.Warning{Code: "abandoned", Text: err.Error()})
	}
	if err := report.CheckConservation(r); err != nil {
		return nil, fmt.Errorf("the counts of this run do not add up, which is a defect of load-tester: %w", err)
	}
	return r, nil
}
