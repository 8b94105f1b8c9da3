package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// Blocks are as short as possible, so that what the machine does to one of a pair
	// it mostly does to both. With 50 requests a block has a usable median; with ten
	// response times it is more than its beginning and end.
	blockLeast, blockMost = 50 * time.Millisecond, 500 * time.Millisecond
	blockRequests         = 50
	blockTimes            = 10
)

// size decides how long blocks are, by how long as many requests take together as a
// load keeps in flight.
func (c *contest) size() {
	median, ok := c.volleys.Quantile(0.5)
	took := time.Duration(median)
	if !ok { // no claim needed them
		took = time.Duration(c.perVolley) * max(c.to[0].takes, c.to[1].takes)
	}
	rate := c.head.Rate
	if rate == 0 {
		rate = float64(c.perVolley) / max(took, 1).Seconds()
	}
	enough := time.Duration(min(blockRequests/rate, blockMost.Seconds()) * float64(time.Second))
	c.block = min(max(blockLeast, enough, blockTimes*took), blockMost)
	c.guard = min(c.block/5, max(5*time.Millisecond, 2*took))
	if counted := c.block - c.guard; took > counted || rate*counted.Seconds() < 1 {
		c.guard = 0 // what is due at the beginning is all there is
	}
}

// sustain makes pairs of blocks of sustained load, within the time that is left of the
// budget or a quarter of it.
func (c *contest) sustain(left time.Duration) error {
	began := time.Now()
	left = max(left, c.head.Budget/4)
	for c.inquiry.Open(verdict.Load, verdict.Locks) && !c.stopped() && c.late.Err() == nil && time.Since(began) < left {
		c.monitor.tell(fmt.Sprintf("sustained load, pair %d of %d", c.pairs+1, verdict.LeastPairs))
		if err := c.pair(); err != nil || c.ended != "" {
			return err
		}
	}
	return nil
}

// pair makes one block of each target, in random order.
func (c *contest) pair() error {
	var p verdict.Pair
	seed := c.rng.Uint64() // of both blocks' arrivals, where those are random
	blocks := [2]struct {
		to     *contender
		into   *verdict.Block
		waited *float64
	}{}
	var waits verdict.Reading
	blocks[0].to, blocks[0].into, blocks[0].waited = c.to[0], &p.Base, &waits.Base
	blocks[1].to, blocks[1].into, blocks[1].waited = c.to[1], &p.Head, &waits.Head
	if c.coin() {
		slices.Reverse(blocks[:])
	}
	for _, b := range blocks {
		before := host.MutexWait()
		r, err := c.send(b.to.arm, seed)
		if err != nil {
			return err
		}
		b.to.seen.Merge(r)
		if r.Interrupted {
			return nil // half a pair says nothing
		}
		*b.waited = (host.MutexWait() - before) * 1e9 / float64(max(r.Sent+r.Warmup.Sent, 1))
		b.into.Times = hist.New(r.Response.Bits())
		b.into.Times.Merge(r.Response)
		b.into.Missed = r.Missed()
	}
	c.pairs++
	c.inquiry.AddSustained(p, waits)
	c.giveUp()
	return nil
}

// send makes one block.
func (c *contest) send(to *arm, seed uint64) (*record.Record, error) {
	s := stretch{schedule: to.schedule, warmup: c.guard, duration: c.block - c.guard, grace: to.Grace}
	if s.schedule != nil {
		s.schedule = &load.Schedule{Stages: to.schedule.Stages, Endless: to.schedule.Endless, Poisson: to.Poisson, Seed: seed}
	}
	return to.send(c.ctx, c.late, s, c.monitor)
}
