package engine

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/stat"
)

const (
	// Claims are read for claimsFor, and on a busy machine or for a slow target up to
	// claimsLate, until there are claimsGood strata. At least claimsLeast are needed,
	// within claimsMost; claimsEnough are the most.
	claimsFor    = time.Second
	claimsLate   = 3 * time.Second
	claimsMost   = 10 * time.Second
	claimsGood   = 40
	claimsLeast  = 5
	claimsEnough = 2000

	// claimsWarmup is how many requests are sent before, to learn how long they take.
	claimsWarmup = 5

	// calm is the part of the strata that are taken to be undisturbed. In 90 runs of
	// the same code on two processors, with up to 13 threads waiting for them, the
	// times that this part keeps within varied by 1.7 %, as calibrated, where the
	// response times under load varied by tens of percent.
	calm = 0.1

	// settles is how long a server in another process is given to go back to sleep:
	// only then has its clock counted all that it did. What it has not counted by then
	// falls into the next stratum, which makes the lowest values too low, so of such a
	// server a larger part counts as calm.
	settles     = 200 * time.Microsecond
	calmSettled = 0.25
)

// readClaims reads what hardly changes between runs of the same code: how long a
// request takes alone, and how much processor time. Requests are sent one at a time,
// to a target opened for that, among those to a handler that does nothing and work that
// never changes, in an order drawn at random. What cannot be read is left out.
func (r *round) readClaims() (c baseline.Claims, err error) {
	r.monitor.tell("sending requests one at a time")
	cut, cancel := context.WithTimeout(r.cut, claimsMost)
	defer cancel()
	plan := r.to.fresh()
	plan.overTCP, plan.schedule, plan.Concurrency, plan.limits = true, nil, 1, nil
	a, err := plan.open(r.ctx)
	if err != nil {
		return c, nil // the run has told how its requests ended
	}
	defer a.close()
	d, err := a.openDriver(r.ctx, cut, 1)
	if err != nil {
		return c, err
	}
	defer d.Close()
	k := perStratum(warmUp(d))
	gauges := []*gauge{a.gauge(d)}
	if !plan.Virtual {
		null := openControl(r.ctx, plan)
		defer null.close()
		gauges = append(gauges, null.gauge(r.ctx, cut), timing(baseline.Work), timing(baseline.Arithmetic))
		runtime.GC() // what was before is not the target's garbage
	}
	began := a.clock().Now()
	for n := 0; !d.Over() && moreStrata(n, a.clock().Since(began)); n++ {
		addStratum(gauges, k)
	}
	c.Quick = readingOf(gauges, func(g *gauge) []float64 { return g.took }, calm)
	part := calm
	if gauges[0].total != nil {
		part = calmSettled
	}
	c.Work = readingOf(gauges, func(g *gauge) []float64 { return g.worked }, part)
	if plan.Virtual || !r.baseline.Counts() {
		return c, nil
	}
	if n := (&contender{arm: a, driver: d}).countAllocations(); n != nil && n.certain {
		c.Allocs, c.Bytes = &n.objects, &n.bytes
	}
	return c, nil
}

// moreStrata reports whether n strata, which took the given time, are too few.
func moreStrata(n int, took time.Duration) bool {
	switch {
	case n < claimsLeast:
		return true
	case n < claimsGood:
		return took < claimsLate
	}
	return n < claimsEnough && took < claimsFor
}

// warmUp sends a few requests and returns how long one of them took.
func warmUp(d *load.Driver) (took time.Duration) {
	for range claimsWarmup {
		took = d.Volley(1, 1, nil).Took
	}
	return took
}

// A gauge is something that is done again and again to learn how long it takes.
type gauge struct {
	once  func() (took, worked float64) // does it; ns, NaN where that is not known
	total func() float64                // processor time so far, where once does not know it; else nil

	took, worked []float64 // of each stratum: the least, or worked the mean if only the total is known
	last         float64   // the total at the end of the last one
}

// timing is a gauge of work in this process.
func timing(work func()) *gauge {
	m, _ := host.NewMeter(nil)
	return &gauge{once: func() (took, worked float64) {
		before, began := processor(m), clock.System.Now()
		work()
		took = float64(clock.System.Since(began))
		return took, processor(m) - before
	}}
}

// gauge is the gauge of the control's requests. If the control is off, it knows nothing.
func (c *control) gauge(ctx, cut context.Context) *gauge {
	if c.off == nil {
		if d, err := c.arm.openDriver(ctx, cut, 1); err == nil {
			return c.arm.gauge(d)
		}
	}
	return &gauge{once: func() (took, worked float64) { return math.NaN(), math.NaN() }}
}

// gauge is the gauge of requests to a, one at a time.
func (a *arm) gauge(d *load.Driver) *gauge {
	var clock *host.Meter
	m, err := a.newMeter()
	if err == nil {
		clock = m.Meter
	}
	g := &gauge{}
	if err == nil && len(m.pids) > 0 && !slices.Equal(m.pids, []int{os.Getpid()}) {
		g.total = func() float64 { time.Sleep(settles); return processor(m.Meter) }
		g.last, clock = g.total(), nil
	}
	g.once = func() (took, worked float64) {
		before := processor(clock)
		v := d.Volley(1, 1, nil)
		worked = processor(clock) - before
		if v.Ended < 1 || v.Failed > 0 {
			return math.NaN(), math.NaN()
		}
		return float64(v.Took), worked
	}
	return g
}

// processor returns the processor time that m counted so far, in ns; NaN if it is not
// known.
func processor(m *host.Meter) float64 {
	if m == nil {
		return math.NaN()
	}
	t, err := m.Read()
	if err != nil {
		return math.NaN()
	}
	return float64(t)
}

// addStratum does each gauge k times, in random order, and keeps the least of each.
func addStratum(gauges []*gauge, k int) {
	least := make([][2]float64, len(gauges))
	var order []int
	for i := range gauges {
		least[i] = [2]float64{math.Inf(1), math.Inf(1)}
		order = append(order, slices.Repeat([]int{i}, k)...)
	}
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, i := range order {
		took, worked := gauges[i].once()
		least[i] = [2]float64{min(least[i][0], took), min(least[i][1], worked)} // NaN if one is
	}
	for i, g := range gauges {
		took, worked := least[i][0], least[i][1]
		if g.total != nil {
			now := g.total()
			worked, g.last = (now-g.last)/float64(k), now
		}
		g.took, g.worked = append(g.took, took), append(g.worked, worked)
	}
}

// readingOf returns the reading of the first gauge, beside what the others read; nil
// if it has too few values.
func readingOf(gauges []*gauge, values func(*gauge) []float64, part float64) *baseline.Calibrated {
	var calmest [4]float64
	for i, g := range gauges {
		known := slices.DeleteFunc(slices.Clone(values(g)), func(v float64) bool { return !(v > 0) })
		if len(known) < claimsLeast {
			continue
		}
		slices.Sort(known)
		calmest[i] = known[stat.Rank(part, int64(len(known)))-1]
	}
	if calmest[0] == 0 {
		return nil
	}
	return &baseline.Calibrated{Time: calmest[0], NullHandler: calmest[1], Reference: calmest[2], Arithmetic: calmest[3]}
}
