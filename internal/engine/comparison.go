package engine

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// comparisonBudget is how long a comparison measures at most.
const comparisonBudget = 20 * time.Second

// defaultTolerances are what noise that is not the targets' seldom exceeds.
var defaultTolerances = []verdict.Tolerance{{Q: 0.5, Ratio: 1.05}, {Q: 0.99, Ratio: 1.10}}

// A comparePlan is two targets to be measured against each other in one run.
type comparePlan struct {
	base, head *armPlan // the same except for their targets
	order      uint64
	tolerances []verdict.Tolerance // of the times under sustained load
	claims     []verdict.Claim
	sustained  bool // sustained load is judged
	repeat     bool // of a comparison that failed
}

// NewComparison checks o and fills in defaults. Its error joins a *[Fault] for
// each option that is wrong; the field of what is wrong with a target is Base or
// Head.
func NewComparison(o CompareOptions) (Plan, error) {
	p := &comparePlan{order: cmp.Or(o.Order, rand.Uint64N(1<<32)), tolerances: o.Tolerances}
	if len(p.tolerances) == 0 {
		p.tolerances = defaultTolerances
	}
	var f faults
	f.add(len(o.Stages) > 0, "Stages", "are set, but both targets get short blocks of the same load; want a Rate, or none")
	for _, l := range o.Limits {
		f.add(l.Metric != verdict.Errors, "Limits", "%v, but a comparison judges times by Tolerances; leave it out", l)
	}
	seen := map[float64]bool{}
	for _, t := range p.tolerances {
		f.add(!(t.Q > 0 && t.Q < 1) || !(t.Ratio >= 1), "Tolerances", "%v at quantile %v, want at least 1 at a quantile between 0 and 1", t.Ratio, t.Q)
		f.add(seen[t.Q], "Tolerances", "quantile %v has two, want one", t.Q)
		seen[t.Q] = true
	}
	arm := func(role, field string, t Target) *armPlan {
		// In memory the scheduler may serve one connection again and again, and
		// another way in the next block: over TCP the pairs differ by half as
		// much, measured with handlers that compute.
		a := &armPlan{role: role, target: t, Settings: o.Settings, duration: time.Second, limits: o.Limits, overTCP: true}
		a.Stages = nil
		a.Budget = cmp.Or(a.Budget, comparisonBudget)
		f.addArm(a.check(), field)
		return a
	}
	p.base, p.head = arm("base", "Base", o.Base), arm("head", "Head", o.Head)
	if err := f.err(); err != nil {
		return nil, err
	}
	p.claims = claimsOf(p.tolerances, o.CPU, o.Allocs, o.Bytes, o.Margin, o.Claims)
	p.sustained = len(o.Claims) == 0 || slices.Contains(o.Claims, verdict.Load)
	return p, nil
}

// addArm adds the faults of one arm's plan: those of its target under the arm's
// name, and the others, which both arms have, once.
func (f *faults) addArm(found faults, arm string) {
	for _, err := range found {
		fault := err.(*Fault)
		switch fault.Field {
		case "URL", "Target", "Path", "Method", "Header", "ExpectStatus", "ExpectBody", "Address":
			*f = append(*f, &Fault{arm, fault.Want})
		default:
			if arm == "Base" {
				*f = append(*f, fault)
			}
		}
	}
}

// Preview describes the comparison; see [Plan].
func (p *comparePlan) Preview() *report.Document {
	d := p.head.preview(report.Comparison)
	d.Config.Duration = 0
	base, _, _ := p.base.name()
	d.Base = &report.Arm{Target: base}
	return d
}

// Run makes the comparison; see [Plan]. It ends when every claim is settled or one is
// refuted, or when the budget is used up.
func (p *comparePlan) Run(ctx, cut context.Context, watch Watch) (*report.Document, error) {
	m := startMonitor(watch)
	defer m.end()
	return p.head.atOnce(ctx, m, func(first *report.Document) (*report.Document, error) {
		plan := p
		if first != nil {
			plan = p.again(first)
		}
		c := &contest{session: session{ctx: ctx, cut: cut, monitor: m}, comparePlan: plan, rng: rand.New(rand.NewPCG(plan.order, plan.order))}
		return c.measure([]*armPlan{plan.base, plan.head}, c.load, c.describe)
	})
}

// renewed reports whether a repeat gets new servers, and not only new connections.
func (p *comparePlan) renewed() bool { return p.base.target.URL == "" && p.head.target.URL == "" }

// anew is what a repeat gets anew.
func (p *comparePlan) anew() string {
	switch {
	case !p.renewed():
		return "connections"
	case p.base.target.Func != nil && p.head.target.Func != nil:
		return ""
	}
	return "servers"
}

// again is p for the repeat of a fail: of the claims that failed, and of those that
// must agree with them. The order is another.
func (p *comparePlan) again(first *report.Document) *comparePlan {
	plan := *p
	plan.base, plan.head = plan.base.fresh(), plan.head.fresh()
	plan.order++
	plan.repeat = true
	if slices.ContainsFunc(first.Limits, func(l report.LimitResult) bool { return l.Verdict == verdict.Fail && !l.Exact }) {
		return &plan // which all requests count for
	}
	failed := map[string]bool{}
	for _, c := range first.Claims {
		if c.Verdict == verdict.Fail && !c.Exact {
			failed[c.Claim] = true
		}
	}
	plan.claims = slices.DeleteFunc(slices.Clone(p.claims), func(c verdict.Claim) bool {
		return !failed[c.Name] && !p.supports(c.Name, failed)
	})
	plan.sustained = slices.ContainsFunc(first.Ratios, func(r report.RatioResult) bool { return r.Verdict == verdict.Fail })
	return &plan
}

// supports reports whether a claim has to agree with one of those that failed; see
// [verdict.Inquiry].
func (p *comparePlan) supports(claim string, failed map[string]bool) bool {
	agreeing := []string{verdict.Work, verdict.Alone}
	if !p.renewed() {
		agreeing = append(agreeing, verdict.Quick, verdict.Burst)
	}
	return slices.Contains(agreeing, claim) && (failed[verdict.Quick] ||
		!p.renewed() && slices.ContainsFunc(agreeing, func(name string) bool { return failed[name] }))
}
