package loadtestkit

import (
	"errors"
	"fmt"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// given reports whether r is not the zero Relative.
func (r Relative) given() bool { return r.To.given() || r.Times != 0 }

// relative is the comparison that o's relative limit asks for, nil for none.
func (o Options) relative() (*engine.Comparison, error) {
	r := o.Limits.Relative
	if !r.given() {
		return nil, nil
	}
	if !r.To.given() || !(r.Times >= 1 && r.Times < 1e6) {
		return nil, fmt.Errorf("options: limits: Relative: %v times %s, want a target and how many times slower than it is allowed, at least 1", r.Times, r.To.name())
	}
	if len(o.Stages) > 0 {
		return nil, errors.New("options: limits: Relative: Stages are set, but both targets get short blocks of the same load; want a Rate, or none")
	}
	if o.Limits.MinRate > 0 {
		o.Rate = o.Limits.MinRate
	}
	o.Requests, o.Duration, o.Limits = 0, 0, Limits{ErrorRatio: o.Limits.ErrorRatio}
	base, err := o.engine(r.To)
	head, _ := o.engine(o.Target)
	if r.To.handler == nil {
		base.Path = ""
	}
	tolerances := []verdict.Tolerance{{Q: 0.5, Ratio: r.Times}}
	base.Tolerances, head.Tolerances = tolerances, tolerances
	c, planErr := engine.NewComparison(base, head)
	if err := errors.Join(err, planErr); err != nil {
		return nil, optionsError(err)
	}
	return c, nil
}

// judgeRelative adds to a run what the comparison with the reference says.
func judgeRelative(d *report.Report, c *report.Comparison) {
	d.Interrupted = c.Interrupted
	for _, r := range c.Ratios {
		d.Limits = append(d.Limits, report.LimitResult{
			Limit: fmt.Sprintf("%s<=%vx reference", r.Quantile, r.Tolerance), Verdict: r.Verdict,
			Observed: r.Ratio, Low: r.Low, High: r.High, N: c.Head.Requests.Due,
			Reason: "against the reference, which is base: " + r.Reason, Detail: r.Detail,
		})
	}
	for _, l := range c.Limits {
		if l.Verdict != verdict.Pass {
			l.Reason = "in the comparison with the reference: " + l.Reason
			d.Limits = append(d.Limits, l)
		}
	}
	d.Verdict = report.Overall(d.Limits)
}
