package engine

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// comparisonBudget is how long a comparison measures at most.
const comparisonBudget = 20 * time.Second

// A comparePlan is two targets to be measured against each other in one run.
type comparePlan struct {
	base, head *armPlan // the same except for their targets
	order      uint64
	claims     []verdict.Claim
	named      map[string]bool // claims that were asked for by name, or by a tolerance of their own
	repeat     bool            // of a comparison that failed
}

// NewComparison checks o and fills in defaults. Its error joins a *[Fault] for
// each option that is wrong; the field of what is wrong with a target is Base or
// Head.
func NewComparison(o CompareOptions) (Plan, error) {
	p := &comparePlan{order: cmp.Or(o.Order, rand.Uint64N(1<<32))}
	var f faults
	f.add(len(o.Stages) > 0, "Stages", "are set, but both targets get short blocks of the same load; want a Rate, or none")
	f.checkClaims(&o)
	for _, l := range o.Limits {
		f.add(l.Metric != verdict.Errors, "Limits", "%v, but a comparison judges times by Tolerances; leave it out", l)
	}
	seen := map[float64]bool{}
	for _, t := range o.Tolerances {
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
	p.claims = verdict.ClaimsOf(o.Tolerances, o.CPU, o.Allocs, o.Bytes, o.Margin, o.Claims)
	p.named = map[string]bool{verdict.Work: o.CPU != 0, verdict.Tail: len(o.Tolerances) > 0}
	for _, name := range o.Claims {
		p.named[name] = true
	}
	f.add(!slices.ContainsFunc(p.claims, passes), "Claims", "%s cannot pass, want one that has a tolerance, other than load and locks", strings.Join(o.Claims, " and "))
	if err := f.err(); err != nil {
		return nil, err
	}
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
	var c *contest
	return p.head.atOnce(ctx, m, func(first *report.Document) (*report.Document, error) {
		plan := p
		if first != nil {
			plan = p.again(first, c.inquiry.Again())
		}
		c = &contest{session: session{ctx: ctx, cut: cut, monitor: m}, comparePlan: plan, rng: plan.rng(), volleys: hist.New(roundBits)}
		return c.measure([]*armPlan{plan.base, plan.head}, c.load, c.describe)
	})
}

// rng returns what the order of everything is drawn from.
func (p *comparePlan) rng() *rand.Rand { return rand.New(rand.NewPCG(p.order, p.order)) }

// renewed reports whether a repeat gets new servers, and not only new connections.
func (p *comparePlan) renewed() bool { return p.base.target.URL == "" && p.head.target.URL == "" }

// inProcess reports whether this process serves both targets.
func (p *comparePlan) inProcess() bool {
	return !p.base.target.isOutside() && !p.head.target.isOutside()
}

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

// again is p for the repeat of a fail, which examines some claims: all if it was of a
// limit, which every request counts for.
func (p *comparePlan) again(first *report.Document, claims []verdict.Claim) *comparePlan {
	plan := *p
	plan.base, plan.head = plan.base.fresh(), plan.head.fresh()
	plan.order++
	plan.repeat = true
	if !slices.ContainsFunc(first.Limits, func(l report.LimitResult) bool { return l.Verdict == verdict.Fail && !l.Exact }) {
		plan.claims = claims
	}
	return &plan
}
