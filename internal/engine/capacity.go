package engine

import (
	"cmp"
	"context"
	"errors"
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
	// capacityStart is where a search begins, in arrivals per second. Chosen:
	// nearly everything takes it, and doubling gets far in a few trials.
	capacityStart = 100
	// capacityBudget is how long a search goes on at most. Chosen: on a quiet
	// machine one takes about a minute.
	capacityBudget = 150 * time.Second
	// drainLeast is how long a trial waits at its end, at least, for what is in
	// flight, and drainTimes the same in tightest limits on time. Chosen: what
	// takes longer has missed them.
	drainLeast = time.Second
	drainTimes = 4
)

// A Capacity is a search for the highest arrival rate at which the limits hold.
type Capacity struct {
	plan   *Plan
	budget time.Duration
}

// NewCapacity checks o. The search begins at its Rate, 0 for 100/s, and does not
// go beyond Most. Its limits are upper bounds of quantiles, of the longest time
// and of the error ratio.
func NewCapacity(o Options) (*Capacity, error) {
	c := &Capacity{budget: cmp.Or(o.Budget, capacityBudget)}
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, &Fault{field, fmt.Sprintf(format, args...)})
	}
	refuseEnd(&o, fault, "a search ends when the capacity is known")
	if len(o.Stages) > 0 {
		fault("Stages", "are set, but a search chooses its rates; leave them out")
	}
	if len(o.Limits) == 0 {
		fault("Limits", "none is given, want at least one such as p99<=50ms")
	}
	for _, l := range o.Limits {
		if l.Metric != verdict.Quantile && l.Metric != verdict.Max && l.Metric != verdict.Errors || l.Op != verdict.Below && l.Op != verdict.AtMost {
			fault("Limits", "%v is no bound that more load can break, want one such as p99<=50ms or errors<=0.1%%", l)
		}
	}
	if o.Rate == 0 {
		o.Rate = capacityStart
		if o.Most > 0 {
			o.Rate = min(o.Rate, o.Most)
		}
	}
	if o.Most != 0 && !(o.Most >= o.Rate && o.Most <= maxRate) {
		fault("Most", "%v is below the rate that the search begins with, %v, or above 1e9", o.Most, o.Rate)
	}
	// The plan is of one trial.
	o.Requests, o.Duration, o.Stages = 0, time.Second, nil
	var err error
	if c.plan, err = NewPlan(o); err != nil {
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// Run makes the search; see [Plan.Run].
func (c *Capacity) Run(ctx, cut context.Context, watch Watch) (*report.Capacity, error) {
	m := watching(watch)
	defer m.end()
	a, err := c.plan.open(ctx)
	if err != nil {
		return nil, err
	}
	e := &exploration{Capacity: c, arm: a, monitor: m, began: time.Now()}
	e.search = verdict.NewSearch(verdict.SearchOptions{Start: c.plan.opts.Rate, Most: c.plan.opts.Most, Budget: c.budget})
	sensors := host.Start(os.DirFS("/"))
	err = e.explore(ctx, cut)
	usage := sensors.Stop()
	closing := a.close()
	if err != nil {
		return nil, err
	}
	r := e.report(usage)
	r.Interrupted = ctx.Err() != nil || cut.Err() != nil
	if closing != nil {
		r.Generator.Warnings = append(r.Generator.Warnings, report.Warning{Code: "abandoned", Text: closing.Error()})
	}
	return r, nil
}

// An exploration is a search under way.
type exploration struct {
	*Capacity
	arm     *arm
	monitor *monitor
	search  *verdict.Search
	began   time.Time
	outcome *record.Record // of all trials
	trials  []report.Trial
}

// explore makes trials until the search is over.
func (e *exploration) explore(ctx, cut context.Context) error {
	for {
		t, ok := e.search.Next()
		if !ok {
			return nil
		}
		e.monitor.says(fmt.Sprintf("trial %d at %s, at most %s", len(e.trials)+1, unit.Rate(t.Rate), unit.Duration(e.budget)))
		began := time.Now()
		o, err := e.try(ctx, cut, t)
		if err != nil {
			return err
		}
		if ctx.Err() != nil || cut.Err() != nil {
			e.search.Interrupt()
			return nil
		}
		limit, why := e.judge(o)
		e.search.Record(verdict.TrialResult{Held: limit == "", Limit: limit, Took: time.Since(began)})
		e.note(t, o, why)
	}
}

// try makes a trial.
func (e *exploration) try(ctx, cut context.Context, t verdict.TrialPlan) (*record.Record, error) {
	schedule := load.Constant(t.Rate)
	schedule.Poisson, schedule.Seed = e.plan.opts.Poisson, e.plan.opts.Seed
	sensors := host.Start(os.DirFS("/"))
	o, err := e.arm.run(ctx, cut, stretch{
		schedule: later(&schedule, len(e.trials)), origin: course(e.outcome), warmup: t.Warmup, duration: t.For,
		grace: min(e.plan.opts.Grace, max(drainLeast, drainTimes*e.plan.longestLimit())),
	}, e.monitor)
	if usage := sensors.Stop(); err == nil {
		o.Machine = usage
	}
	return o, err
}

// judge says what a trial ran into: one of verdict's words, "" if it held.
func (e *exploration) judge(o *record.Record) (limit, why string) {
	behind := float64(o.Due-o.Sent) > verdict.MostUnsent*float64(o.Due)
	if behind && o.PeakInFlight < e.plan.opts.Concurrency {
		return verdict.ByGenerator, fmt.Sprintf("%s of what was due was sent", unit.Percent(ratio(o.Sent, o.Due)))
	}
	if missed := e.plan.missed(o); len(missed) > 0 {
		miss := missed[0]
		if why := verdict.Steal.Excuses(o); why != "" {
			return verdict.ByHost, miss + ", while " + why
		}
		if why := verdict.ExcuseOwnCPU(o); why != "" {
			return verdict.ByGenerator, miss + ", while " + why
		}
		if e.generatorLate(o) {
			return verdict.ByGenerator, miss + ", most of it the generator's own lateness"
		}
		return verdict.ByTarget, miss
	}
	if behind {
		return verdict.ByTarget, fmt.Sprintf("%s of what was due was sent, as all permits were taken", unit.Percent(ratio(o.Sent, o.Due)))
	}
	return "", ""
}

// generatorLate reports whether a limit on time that was missed would have been
// kept but for how late the generator sent, in process with the target or not.
func (e *exploration) generatorLate(o *record.Record) bool {
	for _, l := range e.plan.opts.Limits {
		if l.Metric != verdict.Quantile || float64(o.Failed) > (1-l.Q)*float64(o.Due) {
			continue // those that failed would have missed it at any time
		}
		late, _ := o.Lateness.Quantile(l.Q)
		service, _ := o.Service.Quantile(l.Q)
		waited, _ := o.Waited.Quantile(l.Q)
		if time.Duration(late) > l.Time/2 && time.Duration(service+waited) < l.Time/2 {
			return true
		}
	}
	return false
}

// missed says which limits a trial missed, by what was counted alone: a trial
// is one of many, and it is those together that are judged.
func (p *Plan) missed(o *record.Record) (missed []string) {
	within := o.Within
	for _, l := range p.opts.Limits {
		bad, most := o.Due-o.Succeeded, l.Value
		text := fmt.Sprintf("error ratio %.3g", ratio(bad, o.Due))
		kept := below(l, ratio(bad, o.Due), most)
		switch l.Metric {
		case verdict.Quantile:
			within, bad = within[1:], o.Due-within[0]
			kept = float64(bad) <= (1-l.Q)*float64(o.Due)*(1+1e-12)
			text = fmt.Sprintf("%d of %d not within %v", bad, o.Due, l.Time)
			if o.Failed > 0 {
				text += fmt.Sprintf(", %d of them failed", o.Failed)
			}
		case verdict.Max:
			kept = bad == 0 && below(l, float64(o.Response.Max()), float64(l.Time))
			text = "max " + unit.Duration(time.Duration(o.Response.Max()))
			if bad > 0 {
				text = fmt.Sprintf("%d of %d did not succeed", bad, o.Due)
			}
		}
		if !kept {
			missed = append(missed, fmt.Sprintf("%v: %s", l, text))
		}
	}
	return missed
}

// below compares as the limit l does, which is an upper bound.
func below(l verdict.Limit, v, most float64) bool {
	return v < most || v == most && l.Op == verdict.AtMost
}

// longestLimit is the longest time that any limit allows; 0 without one.
func (p *Plan) longestLimit() (d time.Duration) {
	for _, l := range p.opts.Limits {
		d = max(d, l.Time)
	}
	return d
}

// ratio is a/b; 1 where nothing was due.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}
