package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A contestant is one arm of a comparison and what it has done.
type contestant struct {
	*arm
	outcome *record.Record // of all its blocks
	allocs  *allocations
}

func (c *contestant) close() error {
	if c.arm == nil {
		return nil
	}
	return c.arm.close()
}

// A contest is a comparison under way.
type contest struct {
	*Comparison
	ctx, cut   context.Context
	late       context.Context // cut, or over when the budget with its overtime is
	monitor    *monitor
	rng        *rand.Rand
	base, head contestant

	block, guard time.Duration
	most         int // pairs
	pairs        []verdict.Pair
	ratios       []verdict.Ratio
}

// hold makes the blocks and judges them.
func (t *contest) hold() error {
	// Requests may take longer than a whole block.
	late, cancel := context.WithTimeout(t.cut, overtime*t.budget+2*t.trial())
	defer cancel()
	t.late = late
	t.monitor.says("trying both targets")
	if err := t.size(); err != nil {
		return err
	}
	began := time.Now()
	over := func() bool {
		return t.stopped() || late.Err() != nil || time.Since(began) > t.budget && len(t.pairs) >= pairsLeast
	}
	for _, look := range verdict.PairLooks(t.most) {
		for len(t.pairs) < look.Pairs && !over() {
			t.monitor.says(fmt.Sprintf("pair %d of at most %d", len(t.pairs)+1, t.most))
			if err := t.pair(); err != nil {
				return err
			}
		}
		t.judge(look.Share)
		if t.clear() || over() {
			break
		}
	}
	if t.stopped() {
		return nil
	}
	t.monitor.says("counting allocations")
	for _, c := range []*contestant{&t.base, &t.head} {
		var err error
		if c.allocs, err = c.measureAllocations(t.ctx, t.cut); err != nil {
			return err
		}
	}
	return nil
}

// stopped reports whether the comparison was interrupted.
func (t *contest) stopped() bool { return t.ctx.Err() != nil || t.cut.Err() != nil }

// trial is how long each target is tried.
func (c *Comparison) trial() time.Duration { return max(trialFor, c.head.opts.Warmup) }

// size tries both targets and decides how long blocks are and how many pairs of
// them the budget has.
func (t *contest) size() error {
	var p50 time.Duration
	rate := 1e9
	for _, c := range []*contestant{&t.base, &t.head} {
		o, err := c.arm.run(t.ctx, t.late, stretch{
			schedule: c.plan.schedule, duration: t.trial(), grace: c.plan.opts.Grace,
		}, t.monitor)
		if err != nil {
			return err
		}
		times := o.Response
		if times.Count() == 0 {
			times = o.Failures
		}
		median, _ := times.Quantile(0.5)
		p50 = max(p50, time.Duration(median))
		if o.Elapsed > 0 {
			rate = min(rate, float64(max(1, o.Due))/o.Elapsed.Seconds())
		}
	}
	enough := time.Duration(blockRequests / rate * float64(time.Second))
	t.block = min(max(blockLeast, enough, blockTimes*p50), blockMost)
	t.guard = min(t.block/5, max(5*time.Millisecond, 2*p50))
	if counted := t.block - t.guard; p50 > counted || rate*counted.Seconds() < 1 {
		t.guard = 0 // what is due at the beginning is all there is
	}
	t.most = min(max(int(t.budget/(2*t.block)), pairsLeast), pairsMost)
	if t.head.plan.opts.Waive != "" {
		t.most = pairsLeast // nothing will be judged
	}
	return nil
}

// pair makes one block of each target, in random order.
func (t *contest) pair() error {
	p := verdict.Pair{HeadFirst: t.rng.Uint64()&1 == 1}
	seed := t.rng.Uint64() // of both blocks' arrivals, where those are random
	sides := []struct {
		*contestant
		block *verdict.Block
	}{{&t.base, &p.Base}, {&t.head, &p.Head}}
	if p.HeadFirst {
		slices.Reverse(sides)
	}
	for _, s := range sides {
		if s.arm.pool == nil || s.arm.server != nil {
			runtime.GC() // or one would collect the other's garbage
		}
		o, err := s.stretch(t, seed)
		if err != nil || o.Interrupted {
			return err // half a pair says nothing
		}
		s.block.Times = hist.New(o.Response.Bits())
		s.block.Times.Merge(o.Response)
		s.block.Missed = o.Due - o.Succeeded
		s.outcome = merged(s.outcome, o)
	}
	t.pairs = append(t.pairs, p)
	return nil
}

// stretch makes one block.
func (c *contestant) stretch(t *contest, seed uint64) (*record.Record, error) {
	s := stretch{
		schedule: c.plan.schedule, origin: course(c.outcome),
		warmup: t.guard, duration: t.block - t.guard, grace: c.plan.opts.Grace,
	}
	if s.schedule != nil {
		schedule := *s.schedule
		schedule.Seed = seed
		s.schedule = &schedule
	}
	return c.arm.run(t.ctx, t.late, s, t.monitor)
}

// judge gives each tolerance its verdict at a look with a share of the error.
func (t *contest) judge(share float64) {
	t.ratios = t.ratios[:0]
	// Equal targets fail at most once in a hundred comparisons, whatever the
	// number of tolerances, and targets that differ by more than the tolerance
	// pass at most once in a hundred.
	const alpha = 0.01
	for _, tolerance := range t.tolerances {
		fail := alpha * share / float64(len(t.tolerances))
		r := verdict.JudgePairs(t.pairs, tolerance, fail, alpha*share)
		if r.Verdict == verdict.Pass && math.IsInf(r.Base, 1) {
			r.Verdict = verdict.Inconclusive // what head is compared with has to be right
		}
		t.ratios = append(t.ratios, r)
	}
}

// clear reports whether no more pairs are needed.
func (t *contest) clear() bool {
	passed := 0
	for _, r := range t.ratios {
		if r.Verdict == verdict.Fail {
			return true
		}
		if r.Verdict == verdict.Pass {
			passed++
		}
	}
	return passed == len(t.ratios)
}
