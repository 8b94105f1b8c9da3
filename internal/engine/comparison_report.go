package engine

import (
	"errors"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// report makes the report of what was done so far.
func (t *contest) report(u host.Usage) (*report.Comparison, error) {
	base, head := t.base.report(u), t.head.report(u)
	if err := errors.Join(conserved(base), conserved(head)); err != nil {
		return nil, err
	}
	r := &report.Comparison{
		Schema:      report.SchemaVersion,
		Tool:        head.Tool,
		RunID:       head.RunID,
		Interrupted: t.stopped(),
		Config:      head.Config,
		Pairs:       len(t.pairs),
		Block:       t.block,
		Guard:       t.guard,
		Seed:        t.seed,
		Base:        t.base.result(base),
		Head:        t.head.result(head),
		Limits:      head.Limits,
		Generator:   head.Generator,
	}
	r.Config.Duration = 0
	r.Generator.CPUPerRequest = nil // the other's requests took theirs too
	for _, ratio := range t.ratios {
		r.Ratios = append(r.Ratios, t.ratio(ratio))
	}
	for i := range r.Limits {
		r.Limits[i].Reason = "head: " + r.Limits[i].Reason
	}
	for _, l := range base.Limits {
		if l.Verdict == verdict.Fail {
			// What base is compared with has to be right.
			l.Limit, l.Verdict, l.Reason = "base: "+l.Limit, verdict.Inconclusive, "base: "+l.Reason
			r.Limits = append(r.Limits, l)
		}
	}
	r.Verdict = report.Overall(r.Judged())
	return r, nil
}

// report is that of c's own requests.
func (c *contestant) report(u host.Usage) *report.Report {
	o := c.outcome
	if o == nil {
		o = c.arm.nothing()
	}
	o.Machine = u
	return c.plan.report(o, c.arm.pool, c.plan.judge(o, c.plan.standard()))
}

// result is what r says of c.
func (c *contestant) result(r *report.Report) report.Arm {
	a := report.Arm{
		Target:       r.Config.Target,
		Requests:     r.Requests,
		Rate:         r.Rate,
		StatusCodes:  r.StatusCodes,
		Errors:       r.Errors,
		ResponseTime: r.ResponseTime,
	}
	if c.allocs != nil {
		a.AllocsPerRequest, a.BytesPerRequest = &c.allocs.objects, &c.allocs.bytes
	}
	return a
}

// ratio is v as a report holds it.
func (t *contest) ratio(v verdict.Ratio) report.Ratio {
	r := report.Ratio{
		Quantile:   v.Name(),
		Tolerance:  v.Tolerance.Ratio,
		Confidence: v.Confidence,
		Pairs:      v.Pairs,
		BlockLevel: v.BlockLevel,
		Verdict:    v.Verdict,
		Reason:     v.Reason,
		Detail:     v.Detail,
		Ratio:      finite(v.Estimate),
		Low:        finite(v.Low),
		High:       finite(v.High),
		Base:       span(v.Base),
		Head:       span(v.Head),
	}
	if why := t.head.plan.opts.Waive; why != "" {
		r.Verdict, r.Reason = verdict.NotJudged, "not judged: "+why+"; "+r.Reason
	}
	return r
}

// finite is f as a report has it: nil where it is unknown or without bound.
func finite(f float64) *float64 {
	if f <= 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return &f
}

// span is a time in ns, likewise.
func span(ns float64) *time.Duration {
	if finite(ns) == nil {
		return nil
	}
	return new(time.Duration(ns))
}
