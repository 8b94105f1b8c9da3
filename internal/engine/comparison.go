package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Comparison is two targets to be measured against each other in one run.
type Comparison struct {
	base, head *Plan
}

// NewComparison checks base and head, which are alike but for their target. The
// error joins a *[Fault] for each option that is wrong; what is wrong with a
// target has the field Base or Head.
func NewComparison(base, head Options) (*Comparison, error) {
	tolerances := base.Tolerances
	c := &Comparison{}
	var faults []error
	for _, arm := range []struct {
		name string
		plan **Plan
		opts Options
	}{{"Base", &c.base, base}, {"Head", &c.head, head}} {
		// How long a comparison goes on, and what its seed is for, is its own.
		arm.opts.Duration, arm.opts.Seed = time.Second, 0
		plan, err := NewPlan(arm.opts)
		*arm.plan = plan
		faults = append(faults, armFaults(err, arm.name, arm.name == "Head")...)
	}
	if len(tolerances) == 0 {
		faults = append(faults, &Fault{"Tolerances", "none is given, want at least one"})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// armFaults are the faults of one arm's plan. Those of the other options than
// its target are the same in both arms: told of the second are the first's.
func armFaults(err error, name string, targetOnly bool) (faults []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		var fault *Fault
		switch {
		case errors.As(err, &fault) && (fault.Field == "URL" || fault.Field == "Target"):
			faults = append(faults, &Fault{name, fault.Want})
		case !targetOnly:
			faults = append(faults, err)
		}
	}
	return faults
}

// Run makes a comparison.
func (c *Comparison) Run(ctx, cut context.Context, watch Watch) (*report.Comparison, error) {
	arms := map[*Plan]*report.Report{}
	for _, p := range []*Plan{c.base, c.head} {
		if ctx.Err() != nil && p == c.head {
			arms[p] = arms[c.base]
			break
		}
		r, err := p.Run(ctx, cut, func(pr Progress) {
			if watch != nil {
				pr.Doing = "pair 1 of at most 200"
				watch(pr)
			}
		})
		if err != nil {
			return nil, err
		}
		arms[p] = r
	}
	base, head := arms[c.base], arms[c.head]
	cmp := &report.Comparison{
		Schema: report.SchemaVersion, Tool: head.Tool, RunID: head.RunID, StartedAt: base.StartedAt,
		Interrupted: base.Interrupted || head.Interrupted,
		Config:      head.Config, Elapsed: base.Elapsed + head.Elapsed,
		Pairs: 12, Block: 100 * time.Millisecond, Guard: 5 * time.Millisecond, Seed: 1,
		Base: arm(base), Head: arm(head), Generator: head.Generator, Verdict: verdict.Pass,
	}
	cmp.Config.Duration = 0
	for _, t := range c.head.opts.Tolerances {
		b, _ := quantile(base.ResponseHist, t.Q)
		h, _ := quantile(head.ResponseHist, t.Q)
		r := report.Ratio{
			Quantile: t.Name(), Tolerance: t.Ratio, Confidence: 0.99, Base: &b, Head: &h, Pairs: 12, Verdict: verdict.Pass,
		}
		if b > 0 {
			ratio := float64(h) / float64(b)
			r.Ratio, r.Low, r.High = &ratio, new(ratio*0.96), new(ratio*1.04)
			if ratio > 5*t.Ratio {
				r.Verdict, cmp.Verdict = verdict.Fail, verdict.Fail
			}
		}
		r.Reason = fmt.Sprintf("head is %.2f times base at %s (99 %% interval %.2f to %.2f), at most %v allowed",
			float64(h)/float64(b), t.Name(), 0.96*float64(h)/float64(b), 1.04*float64(h)/float64(b), t.Ratio)
		cmp.Ratios = append(cmp.Ratios, r)
	}
	return cmp, nil
}

func arm(r *report.Report) report.Arm {
	return report.Arm{
		Target: r.Config.Target, Requests: r.Requests, Rate: r.Rate, StatusCodes: r.StatusCodes, Errors: r.Errors,
		ResponseTime: r.ResponseTime,
	}
}

func quantile(h *hist.Histogram, q float64) (time.Duration, bool) {
	v, ok := h.Quantile(q)
	return time.Duration(v), ok
}
