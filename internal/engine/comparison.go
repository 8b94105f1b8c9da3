package engine

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// comparisonBudget is how long a comparison goes on at most: pairsMost of
	// the shortest blocks.
	comparisonBudget = 20 * time.Second
	// overtime is how many times the budget a comparison may take, besides the
	// trials, to reach the least number of pairs. Chosen.
	overtime = 2

	// Pairs of which no fewer can be judged, and no more are needed. See
	// [verdict.PairLooks].
	pairsLeast, pairsMost = 12, 200

	// Blocks are as short as can be: what the machine does to one of a pair it
	// then mostly does to both, and the more pairs there are the smaller a
	// difference shows. A block of 50 requests has a median to speak of, one of
	// ten response times is not all beginning and end. Chosen.
	blockLeast, blockMost = 50 * time.Millisecond, 500 * time.Millisecond
	blockRequests         = 50
	blockTimes            = 10

	// trialFor is how long each target is tried before the comparison, to warm
	// it up and to learn how long blocks must be. Chosen.
	trialFor = 300 * time.Millisecond
)

// A Comparison is two plans, alike but for their target, to be measured against
// each other in one run.
type Comparison struct {
	base, head *Plan
	seed       uint64
	budget     time.Duration
	tolerances []verdict.Tolerance
}

// defaultTolerances are what noise that is not the targets' seldom exceeds.
// Chosen.
var defaultTolerances = []verdict.Tolerance{{Q: 0.5, Ratio: 1.05}, {Q: 0.99, Ratio: 1.10}}

// NewComparison checks base and head, which are alike but for their target. Its
// error joins a *[Fault] for each option that is wrong; the field of what is
// wrong with a target is Base or Head.
func NewComparison(base, head Options) (*Comparison, error) {
	c := &Comparison{seed: head.Seed, budget: head.Budget, tolerances: head.Tolerances}
	if c.seed == 0 {
		c.seed = rand.Uint64N(1 << 32)
	}
	if c.budget == 0 {
		c.budget = comparisonBudget
	}
	if len(c.tolerances) == 0 {
		c.tolerances = defaultTolerances
	}
	faults := c.check(&head)
	for _, arm := range []struct {
		name string
		plan **Plan
		opts Options
	}{{"Base", &c.base, base}, {"Head", &c.head, head}} {
		// How long a comparison goes on, and what its seed is for, is its own.
		arm.opts.Requests, arm.opts.Duration, arm.opts.Stages, arm.opts.Seed = 0, time.Second, nil, 0
		// In memory the scheduler may serve one connection again and again, and
		// another way in the next block: over TCP the pairs differ by half as
		// much, measured with handlers that compute.
		arm.opts.overTCP = true
		plan, err := NewPlan(arm.opts)
		*arm.plan = plan
		faults = append(faults, armFaults(err, arm.name)...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return c, nil
}

// check returns what only a comparison refuses.
func (c *Comparison) check(o *Options) (faults []error) {
	fault := func(field, format string, args ...any) {
		faults = append(faults, &Fault{field, fmt.Sprintf(format, args...)})
	}
	refuseEnd(o, fault, "a comparison ends when its verdict is clear")
	if len(o.Stages) > 0 {
		fault("Stages", "are set, but both targets get short blocks of the same load; want a Rate, or none")
	}
	for _, l := range o.Limits {
		if l.Metric != verdict.Errors {
			fault("Limits", "%v, but a comparison judges times by Tolerances; leave it out", l)
		}
	}
	seen := map[float64]bool{}
	for _, t := range c.tolerances {
		if !(t.Q > 0 && t.Q < 1) || !(t.Ratio >= 1) {
			fault("Tolerances", "%v at quantile %v, want at least 1 at a quantile between 0 and 1", t.Ratio, t.Q)
		}
		if seen[t.Q] {
			fault("Tolerances", "quantile %v has two, want one", t.Q)
		}
		seen[t.Q] = true
	}
	return faults
}

// armFaults are the faults of one arm's plan: those of its target, and of the
// first also the others, which the second has too.
func armFaults(err error, arm string) (faults []error) {
	if err == nil {
		return nil
	}
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		var fault *Fault
		switch {
		case errors.As(err, &fault) && (fault.Field == "URL" || fault.Field == "Target"):
			faults = append(faults, &Fault{arm, fault.Want})
		case arm == "Base":
			faults = append(faults, err)
		}
	}
	return faults
}

// Run makes the comparison; see [Plan.Run]. It ends when every tolerance is
// kept or one is not, or when the budget is used up.
func (c *Comparison) Run(ctx, cut context.Context, watch Watch) (*report.Comparison, error) {
	m := watching(watch)
	defer m.end()
	r, err := c.once(ctx, cut, m)
	if err != nil || !c.head.opts.Confirm || r.Interrupted || !ratioFailed(r) && !limitFailed(r.Limits) {
		return r, err
	}
	if !c.head.rest(ctx, r.Elapsed, m) {
		r.Interrupted = true
		return r, nil
	}
	fresh, err := c.fresh()
	if err != nil {
		return nil, err
	}
	r.Repeat, err = fresh.once(ctx, cut, m)
	switch {
	case err != nil && ctx.Err() != nil: // before anything was sent
		r.Interrupted = true
	case err != nil:
		return nil, fmt.Errorf("repeating the comparison: %w", err)
	case r.Repeat.Interrupted:
		r.Interrupted = true
	default:
		confirmRatios(r)
	}
	return r, nil
}

// fresh is c with new run ids and a new order of blocks.
func (c *Comparison) fresh() (*Comparison, error) {
	f := *c
	f.seed++
	var err error
	if f.base, err = c.base.fresh(); err == nil {
		f.head, err = c.head.fresh()
	}
	return &f, err
}

// once makes the comparison one time.
func (c *Comparison) once(ctx, cut context.Context, m *monitor) (r *report.Comparison, err error) {
	t := &contest{Comparison: c, ctx: ctx, cut: cut, monitor: m, rng: rand.New(rand.NewPCG(c.seed, c.seed))}
	defer func() {
		if closing := errors.Join(t.base.close(), t.head.close()); closing != nil && r != nil {
			r.Generator.Warnings = append(r.Generator.Warnings, report.Warning{Code: "abandoned", Text: closing.Error()})
		}
	}()
	for _, side := range []struct {
		*contestant
		name string
		plan *Plan
	}{{&t.base, "base", c.base}, {&t.head, "head", c.head}} {
		if side.arm, err = side.plan.open(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", side.name, err)
		}
	}
	sensors := host.Start(os.DirFS("/"))
	began := time.Now()
	err = t.hold()
	elapsed, usage := time.Since(began), sensors.Stop()
	if err != nil {
		return nil, err
	}
	if r, err = t.report(usage); err != nil {
		return nil, err
	}
	r.StartedAt, r.Elapsed = began, elapsed
	return r, nil
}
