package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	// overtime is how many budgets a comparison may take to reach the first look,
	// besides the warm-up and counting allocations.
	overtime = 2

	// warmupLeast is how long each target is tried before anything counts, to learn
	// how long its requests take.
	warmupLeast = 40 * time.Millisecond

	// A volley is as many requests as the load has in flight, but enough to keep
	// every processor busy, and no more than end within a time slice or two.
	volleyLeast, volleyMost = 8, 64

	// A stratum has stratumMost requests of each target, fewer if they are slow. Two
	// strata and two pairs of volleys are a round, one of each if requests are very
	// slow.
	stratumMost = 4
	slow        = 25 * time.Millisecond
	verySlow    = 100 * time.Millisecond

	// standstill is after how many volleys a clock that has not moved is that of a
	// bubble in which requests take no time.
	standstill = 100

	// roundsPart is how many quarters of the budget the rounds may take; the rest is
	// for sustained load.
	roundsPart = 3

	// firstLook is how many rounds suffice for every claim to be judged once.
	firstLook = 14

	// roundBits is the precision of the response times of a round: 0.4 %.
	roundBits = 8
)

// A contest is a comparison made one time.
type contest struct {
	session
	*comparePlan
	late    context.Context // cut, or over when the budget with its overtime is
	rng     *rand.Rand
	to      [2]*contender // base and head
	inquiry *verdict.Inquiry
	failing bool // no request of the warm-up succeeded

	perStratum, perVolley, perRound int // requests of a target; strata and volleys
	rounds                          int
	singles                         []verdict.Single       // of the current stratum
	unclocked                       error                  // why processor time is not compared; nil if it is
	unmeasured                      []verdict.ClaimFinding // of claims that cannot be measured

	volleys      *hist.Histogram // how long they took, in ns
	block, guard time.Duration
	pairs        int // of blocks
}

// load measures until the claims are settled, and then under sustained load.
func (c *contest) load() error {
	budget := c.head.Budget
	// Requests may take longer than a whole round.
	late, cancel := context.WithTimeout(c.cut, overtime*budget+2*(c.warmup()+allocPatience))
	defer cancel()
	c.late = late
	for i, a := range c.arms {
		d, err := a.openDriver(c.ctx, late, volleyMost)
		if err != nil {
			return err
		}
		c.to[i] = c.newContender(a, d)
	}
	c.drive()
	over := c.over()
	for _, t := range c.to {
		t.closeDriver(t.driver)
		t.driver = nil
	}
	if over || c.ended != "" || c.inquiry.Verdict() == verdict.Fail || verdict.MixesDiffer(c.to[0].seen, c.to[1].seen) != "" {
		return nil
	}
	c.size()
	return c.sustain(budget - time.Since(c.began))
}

// warmup is how long each target is tried.
func (c *contest) warmup() time.Duration { return max(warmupLeast, c.head.Warmup) }

// drive makes the rounds, after what they need to know.
func (c *contest) drive() {
	defer c.monitor.follow(c)()
	if c.inProcess() && !c.head.Virtual {
		runtime.GC() // what was before is not the targets' garbage
	}
	c.monitor.tell("trying both targets")
	c.try()
	c.inquire()
	if c.ended != "" || c.over() {
		return
	}
	if !c.repeat {
		c.monitor.tell("counting allocations")
		if c.countAllocations(); c.inquiry.Verdict() == verdict.Fail {
			return // a fact, which needs no time to be measured
		}
		if c.over() {
			return
		}
	}
	for _, t := range c.to {
		t.driver.Restart()
	}
	began := time.Now()
	for c.open() && !c.over() {
		if c.rounds >= firstLook && (c.head.Waive != "" || time.Since(began) > roundsPart*c.head.Budget/4) {
			c.inquiry.Conclude()
			return
		}
		if c.rounds == firstLook && c.mixesDiffer() != "" {
			return
		}
		c.rounds++
		c.monitor.tell(fmt.Sprintf("round %d: %s", c.rounds, c.examined()))
		c.round()
	}
}

// mixesDiffer says why the two cannot be compared whatever more is measured; "" if they
// can.
func (c *contest) mixesDiffer() string {
	return verdict.MixesDiffer(c.to[0].driver.Record(), c.to[1].driver.Record())
}

// open reports whether more rounds may change the verdict.
func (c *contest) open() bool {
	return c.ended == "" && c.inquiry.Verdict() != verdict.Fail &&
		c.inquiry.Open(verdict.Work, verdict.Quick, verdict.Alone, verdict.Burst, verdict.Tail)
}

// over reports whether no more can be sent.
func (c *contest) over() bool {
	return c.stopped() || c.late.Err() != nil || c.to[0].driver.Over() || c.to[1].driver.Over()
}

// perStratum returns how many requests of a target a stratum has: fewer if they are slow.
func perStratum(took time.Duration) int {
	switch {
	case took > verySlow:
		return 1
	case took > slow:
		return stratumMost / 2
	}
	return stratumMost
}

// try warms both targets up and decides how much of them is measured at a time.
func (c *contest) try() {
	var alone time.Duration
	for _, t := range c.to {
		t.takes = t.tryFor(c.warmup()/4, 1, 1)
		alone = max(alone, t.takes)
	}
	c.perVolley = min(max(c.head.Concurrency, volleyLeast), volleyMost)
	if c.head.schedule != nil {
		c.perVolley = min(max(int(c.head.Rate*alone.Seconds()), volleyLeast), volleyMost)
	}
	c.unclocked = c.openMeters() // now that the targets have served
	for _, t := range c.to {
		sent, served := t.driver.Record().Sent, t.processor()
		t.tryFor(c.warmup(), c.perVolley, volleyMost)
		t.works = time.Duration((t.processor() - served) / float64(t.driver.Record().Sent-sent))
		c.failing = c.failing || t.driver.Record().Succeeded == 0
	}
	if c.unclocked == nil {
		c.unclocked = c.readMeters() // of all that was read
	}
	c.perStratum, c.perRound = perStratum(alone), 2
	if c.perStratum == 1 {
		c.perRound = 1
	}
	c.giveUp()
}

// Progress returns what both targets got so far; see [monitor.follow].
func (c *contest) Progress() load.Tally {
	t, u := c.to[0].driver.Progress(), c.to[1].driver.Progress()
	elapsed := max(t.Elapsed, u.Elapsed)
	t.Add(u)
	t.Elapsed = elapsed
	return t
}

// giveUp ends the comparison if every request to one of the targets failed.
func (c *contest) giveUp() {
	if !c.failing {
		return
	}
	var why []string
	for _, t := range c.to {
		r := t.seen
		if t.driver != nil {
			r = t.driver.Record()
			t.addAnswers(r)
		}
		if all := verdict.AllFailed(r); all != "" {
			why = append(why, t.role+": "+all)
		}
	}
	c.ended = strings.Join(why, "; ")
}

// round gives each claim that is open one or two more readings.
func (c *contest) round() {
	for _, t := range c.to {
		t.times = verdict.Block{Times: hist.New(roundBits)}
	}
	// Which readings a round has must not depend on what it finds: its slowest requests
	// are judged together.
	alone, together := c.inquiry.Open(verdict.Quick, verdict.Alone), c.inquiry.Open(verdict.Work, verdict.Burst, verdict.Tail)
	for range c.perRound {
		if alone {
			c.stratum()
		}
	}
	for range c.perRound {
		if together {
			c.volley()
		}
	}
	if !c.over() {
		c.inquiry.AddRound(verdict.Pair{Base: c.to[0].times, Head: c.to[1].times})
		c.checkClock()
	}
	c.giveUp()
}

func (c *contest) coin() bool { return c.rng.Uint64()&1 == 1 }

// stratum sends some requests of each target, one at a time, in an order drawn at
// random.
func (c *contest) stratum() {
	var order []*contender
	for range c.perStratum {
		order = append(order, c.to[:]...)
	}
	c.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	c.singles = c.singles[:0]
	for _, t := range order {
		if v := t.driver.Volley(1, 1, t.addSingle); v.Ended < 1 {
			return
		}
	}
	c.inquiry.AddStratum(c.singles)
}

// volley sends a volley of each target, in an order drawn at random.
func (c *contest) volley() {
	order := []int{0, 1}
	if c.coin() {
		slices.Reverse(order)
	}
	var work, burst [2]float64
	for _, i := range order {
		t := c.to[i]
		before := t.processor()
		v := t.driver.Volley(c.perVolley, volleyMost, t.add)
		c.volleys.Record(int64(v.Took))
		work[i], burst[i] = (t.processor()-before)/float64(c.perVolley), float64(max(v.Took, 1))
		switch {
		case v.Ended < c.perVolley:
			return
		case v.Failed > 0:
			work[i], burst[i] = math.Inf(1), math.Inf(1)
		}
	}
	c.inquiry.Add(verdict.Work, verdict.Reading{Base: work[0], Head: work[1]})
	c.inquiry.Add(verdict.Burst, verdict.Reading{Base: burst[0], Head: burst[1]})
}
