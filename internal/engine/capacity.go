package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// startRate is where a search for the capacity begins, in arrivals per second.
// Chosen.
const startRate = 100

// A Capacity is a search for the highest arrival rate at which the limits hold.
type Capacity struct {
	plan *Plan
}

// NewCapacity checks o. The search begins at its Rate, 0 for 100 a second, and
// does not go beyond Most. Its limits are upper bounds of quantiles, of the
// longest time and of the error ratio.
func NewCapacity(o Options) (*Capacity, error) {
	if o.Rate == 0 {
		o.Rate = startRate
	}
	o.Duration = time.Second // of a trial
	plan, err := NewPlan(o)
	faults := []error{err}
	if o.Most != 0 && !(o.Most >= o.Rate) {
		faults = append(faults, &Fault{"Most", fmt.Sprintf("%v is below the rate that the search begins with, %v", o.Most, o.Rate)})
	}
	if len(o.Limits) == 0 {
		faults = append(faults, &Fault{"Limits", "none is given, want at least one such as p99<=50ms"})
	}
	for _, l := range o.Limits {
		if l.Metric != verdict.Quantile && l.Metric != verdict.Max && l.Metric != verdict.Errors || l.Op != verdict.Below && l.Op != verdict.AtMost {
			faults = append(faults, &Fault{"Limits", fmt.Sprintf("%v is no bound that more load can break, want one such as p99<=50ms or errors<=0.1%%", l)})
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return &Capacity{plan: plan}, nil
}

// Run makes a search.
func (c *Capacity) Run(ctx, cut context.Context, watch Watch) (*report.Capacity, error) {
	r, err := c.plan.Run(ctx, cut, func(p Progress) {
		if watch != nil {
			p.Doing = "trial 1: 100/s"
			watch(p)
		}
	})
	if err != nil {
		return nil, err
	}
	rate := r.Config.RatePerSecond
	out := &report.Capacity{
		Schema: report.SchemaVersion, Tool: r.Tool, RunID: r.RunID, StartedAt: r.StartedAt, Interrupted: r.Interrupted,
		Config: r.Config, Elapsed: r.Elapsed, StoppedBy: "target", Verdict: verdict.Pass, Generator: r.Generator,
		Low: &rate, High: new(1.12 * rate),
	}
	for _, l := range c.plan.opts.Limits {
		out.Limits = append(out.Limits, l.String())
	}
	for i, rate := range []float64{rate, 1.12 * rate} {
		out.Trials = append(out.Trials, report.Trial{
			Rate: rate, Duration: time.Second, Purpose: "verify", Due: r.Requests.Due, Sent: r.Requests.Sent, Succeeded: r.Requests.Succeeded,
			P50: r.ResponseTime.P50, P99: r.ResponseTime.P99, Held: i == 0,
		})
	}
	out.Config.Duration = 0
	out.Reason = "the limits held at 50/s"
	return out, nil
}
