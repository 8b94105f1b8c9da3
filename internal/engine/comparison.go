package engine

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// comparisonBudget is how long a comparison goes on at most: as many of the
	// shortest blocks as pairsMost needs.
	comparisonBudget = 20 * time.Second
	// overtime is how many times the budget a comparison may take, besides the
	// trials, to reach the least number of pairs.
	overtime = 2

	// pairsMost is of which more are not needed; see [verdict.PairLooks].
	pairsMost = 200

	// Blocks are as short as can be: what the machine does to one of a pair it
	// then mostly does to both, and the more pairs there are the smaller a
	// difference shows. A block of 50 requests has a median to speak of, one of
	// ten response times is not all beginning and end.
	blockLeast, blockMost = 50 * time.Millisecond, 500 * time.Millisecond
	blockRequests         = 50
	blockTimes            = 10

	// trialFor is how long each target is tried before the comparison, to warm
	// it up and to learn how long blocks must be.
	trialFor = 300 * time.Millisecond
)

// defaultTolerances are what noise that is not the targets' seldom exceeds.
var defaultTolerances = []verdict.Tolerance{{Q: 0.5, Ratio: 1.05}, {Q: 0.99, Ratio: 1.10}}

// A comparePlan is two targets to be measured against each other in one run.
type comparePlan struct {
	base, head *armPlan // the same except for their targets
	order      uint64
	tolerances []verdict.Tolerance
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

// Run makes the comparison; see [Plan]. It ends when every tolerance is kept or
// one is not, or when the budget is used up.
func (p *comparePlan) Run(ctx, cut context.Context, watch Watch) (*report.Document, error) {
	m := startMonitor(watch)
	defer m.end()
	plan := *p
	return p.head.twice(ctx, m, func(first *report.Document) (*report.Document, error) {
		if first != nil {
			plan.base, plan.head = plan.base.fresh(), plan.head.fresh()
			plan.order++
		}
		c := &contest{session: session{ctx: ctx, cut: cut, monitor: m}, comparePlan: &plan, rng: rand.New(rand.NewPCG(plan.order, plan.order))}
		return c.measure([]*armPlan{plan.base, plan.head}, c.load, c.describe)
	})
}

// A contest is a comparison made one time.
type contest struct {
	session
	*comparePlan
	late   context.Context // cut, or over when the budget with its overtime is
	rng    *rand.Rand
	to     [2]*arm         // base and head
	allocs [2]*allocations // of one request; nil where that cannot be told

	failing      bool // no request of a trial succeeded
	block, guard time.Duration
	most         int // pairs
	pairs        []verdict.Pair
	ratios       []verdict.PairsFinding
}

// load makes the blocks and judges them.
func (c *contest) load() error {
	c.to = [2]*arm{c.arms[0], c.arms[1]}
	budget := c.head.Budget
	// Requests may take longer than a whole block.
	late, cancel := context.WithTimeout(c.cut, overtime*budget+2*c.trial())
	defer cancel()
	c.late = late
	c.monitor.tell("trying both targets")
	if err := c.size(); err != nil || c.ended != "" {
		return err
	}
	began := time.Now()
	over := func() bool {
		return c.stopped() || late.Err() != nil || time.Since(began) > budget && len(c.pairs) >= verdict.LeastPairs
	}
	for _, look := range verdict.PairLooks(c.most) {
		for len(c.pairs) < look.Pairs && !over() {
			c.monitor.tell(fmt.Sprintf("pair %d of at most %d", len(c.pairs)+1, c.most))
			if err := c.pair(); err != nil || c.ended != "" {
				return err
			}
		}
		c.ratios = verdict.JudgeComparison(c.pairs, c.tolerances, look.Share)
		if verdict.Clear(c.ratios) || over() {
			break
		}
	}
	if c.stopped() {
		return nil
	}
	c.monitor.tell("counting allocations")
	for i, a := range c.to {
		var err error
		if c.allocs[i], err = a.measureAllocations(c.ctx, c.cut); err != nil {
			return err
		}
	}
	return nil
}

// trial is how long each target is tried.
func (c *contest) trial() time.Duration { return max(trialFor, c.head.Warmup) }

// size tries both targets and decides how long blocks are and how many pairs of
// them the budget has.
func (c *contest) size() error {
	var p50 time.Duration
	rate := 1e9
	var tried [2]*record.Record
	for i, a := range c.to {
		r, err := a.send(c.ctx, c.late, stretch{schedule: a.schedule, duration: c.trial(), grace: a.Grace}, c.monitor)
		if err != nil {
			return err
		}
		tried[i] = r
		times := r.Response
		if times.Count() == 0 {
			times, c.failing = r.Failures, true
		}
		median, _ := times.Quantile(0.5)
		p50 = max(p50, time.Duration(median))
		if span := r.Span(); span > 0 {
			rate = min(rate, float64(max(1, r.Due))/span.Seconds())
		}
	}
	if c.giveUp(tried[0], tried[1]); c.ended != "" {
		c.to[0].seen.Merge(tried[0])
		c.to[1].seen.Merge(tried[1])
		return nil
	}
	enough := time.Duration(blockRequests / rate * float64(time.Second))
	c.block = min(max(blockLeast, enough, blockTimes*p50), blockMost)
	c.guard = min(c.block/5, max(5*time.Millisecond, 2*p50))
	if counted := c.block - c.guard; p50 > counted || rate*counted.Seconds() < 1 {
		c.guard = 0 // what is due at the beginning is all there is
	}
	c.most = min(max(int(c.head.Budget/(2*c.block)), verdict.LeastPairs), pairsMost)
	if c.head.Waive != "" {
		c.most = verdict.LeastPairs // nothing will be judged
	}
	return nil
}

// pair makes one block of each target, in random order.
func (c *contest) pair() error {
	p := verdict.Pair{HeadFirst: c.rng.Uint64()&1 == 1}
	seed := c.rng.Uint64() // of both blocks' arrivals, where those are random
	blocks := []struct {
		to   *arm
		into *verdict.Block
	}{{c.to[0], &p.Base}, {c.to[1], &p.Head}}
	if p.HeadFirst {
		slices.Reverse(blocks)
	}
	for _, b := range blocks {
		if !b.to.target.isOutside() && !b.to.Virtual {
			runtime.GC() // or one would collect the other's garbage, which takes no virtual time
		}
		r, err := c.send(b.to, seed)
		if err != nil || r.Interrupted {
			return err // half a pair says nothing
		}
		b.into.Times = hist.New(r.Response.Bits())
		b.into.Times.Merge(r.Response)
		b.into.Missed = r.Missed()
		b.to.seen.Merge(r)
	}
	c.pairs = append(c.pairs, p)
	if c.failing {
		c.giveUp(c.to[0].seen, c.to[1].seen)
	}
	return nil
}

// giveUp ends the comparison if every request to one of the targets failed.
func (c *contest) giveUp(base, head *record.Record) {
	var why []string
	for i, r := range []*record.Record{base, head} {
		if all := verdict.AllFailed(r); all != "" {
			why = append(why, c.to[i].role+": "+all)
		}
	}
	c.ended = strings.Join(why, "; ")
}

// send makes one block.
func (c *contest) send(to *arm, seed uint64) (*record.Record, error) {
	s := stretch{schedule: to.schedule, warmup: c.guard, duration: c.block - c.guard, grace: to.Grace}
	if s.schedule != nil {
		s.schedule = &load.Schedule{Stages: to.schedule.Stages, Endless: to.schedule.Endless, Poisson: to.Poisson, Seed: seed}
	}
	return to.send(c.ctx, c.late, s, c.monitor)
}

// describe makes the document of what was done.
func (c *contest) describe() (*report.Document, error) {
	var docs [2]*report.Document
	for i, a := range c.to {
		var err error
		if docs[i], err = c.document(report.Comparison, a, a.judge(a.complete(c.machine), a.standard())); err != nil {
			return nil, err
		}
		if n := c.allocs[i]; n != nil {
			docs[i].AllocsPerRequest, docs[i].BytesPerRequest = &n.objects, &n.bytes
		}
	}
	base, d := docs[0], docs[1]
	d.Base = &base.Arm
	d.StartedAt, d.Interrupted = c.began, c.stopped()
	d.Config.Duration = 0
	d.Generator.CPUPerRequest = nil // the other's requests took theirs too
	d.Pairs = &report.Pairs{Judged: len(c.pairs), Block: c.block, Guard: c.guard, Seed: c.order}
	for _, r := range c.ratios {
		d.Ratios = append(d.Ratios, report.NewRatio(r, c.head.Waive))
	}
	if why := verdict.MixesDiffer(c.to[0].seen, c.to[1].seen); why != "" {
		for i := range d.Ratios {
			d.Ratios[i].Refuse(why)
		}
	}
	for i := range d.Limits {
		l := &d.Limits[i]
		l.Summary, l.Reason = "head: "+l.Summary, "head: "+l.Reason
	}
	for _, l := range base.Limits {
		if l.Verdict == verdict.Fail {
			// What base is compared with has to be right.
			l.Limit, l.Verdict = "base: "+l.Limit, verdict.Inconclusive
			l.Summary, l.Reason = "base: "+l.Summary, "base: "+l.Reason
			d.Limits = append(d.Limits, l)
		}
	}
	d.Verdict = report.Overall(d.Judged())
	if d.Stopped != "" && d.Verdict == verdict.NotJudged {
		d.Verdict = verdict.Inconclusive
	}
	return d, nil
}
