package verdict

import (
	"math"
	"math/rand/v2"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// A claimWorld is a machine of two processors on which both targets of a comparison
// run, and what else happens on it.
type claimWorld struct {
	name   string
	spread float64 // of the logarithm of a request's time
	phi    float64 // how much of it remains after 1 ms
	mix    float64 // chance of a request that takes ten times as long
	slow   float64 // slower by this in periods of 1 s mean, every 5 s; 0 is never
	stalls float64 // chance per ms of a stall of 30 ms mean, which all wait for
	queue  bool    // another queue of requests in front of it, 70 % busy
	drift  float64 // how much slower it gets in 10 s
	calm   float64 // chance of an undisturbed request, which takes a fifth less
	first  float64 // how much longer the first of two volleys takes
	hog    bool    // another process takes a processor half of the time, in slices of 3 ms, and waking up takes longer now and then
}

var claimWorlds = []claimWorld{
	{name: "iid", spread: 0.5},
	{name: "mix", spread: 0.3, mix: 0.03},
	{name: "ar.9", spread: 0.5, phi: 0.9},
	{name: "ar.99", spread: 0.5, phi: 0.99},
	{name: "stall", spread: 0.2, phi: 0.9, stalls: 1.0 / 2000},
	{name: "queue.7", spread: 0.2, queue: true},
	{name: "regime", spread: 0.2, phi: 0.9, slow: 3},
	{name: "drift", spread: 0.5, drift: 0.3},
	{name: "hog", spread: 0.1, hog: true},
	{name: "all", spread: 0.2, phi: 0.99, slow: 3, stalls: 1.0 / 2000, drift: 0.3},
}

// A claimTarget is what a target does with a request; the zero value takes 0.25 ms of
// a processor.
type claimTarget struct {
	work   float64 // more of that: 0.1 is 10 % more
	time   float64 // likewise of whole times, the machine's part too
	sleep  float64 // ms that a request waits
	share  float64 // of requests that do; 0 means all
	lock   bool    // one request at a time
	placed bool    // where it runs, none of its requests is undisturbed
	leaves float64 // ms that the next request of the other target takes longer
}

// A claimMachine is where a world stands.
type claimMachine struct {
	claimWorld
	rng             *rand.Rand
	at              float64 // ms
	ar              float64 // of mean 0 and standard deviation 1
	isSlow          bool
	backlog         float64 // ms
	hogged          bool
	until           float64 // when the hog comes or goes
	sluggish, awake float64 // until when waking up takes longer, and until when it does not
	left            float64 // ms of garbage, and by whom
	leftBy          bool
}

func newClaimMachine(rng *rand.Rand, w claimWorld) *claimMachine {
	return &claimMachine{claimWorld: w, rng: rng, ar: rng.NormFloat64(), isSlow: w.slow > 0 && rng.IntN(5) == 0}
}

// pass lets ms go by.
func (m *claimMachine) pass(ms float64) {
	phi := 0.0
	if m.phi > 0 {
		phi = math.Pow(m.phi, ms)
	}
	m.ar = phi*m.ar + math.Sqrt(1-phi*phi)*m.rng.NormFloat64()
	m.at += ms
	if m.slow > 0 {
		stay := 4000.0
		if m.isSlow {
			stay = 1000
		}
		m.isSlow = m.isSlow != (m.rng.Float64() < ms/stay)
	}
	m.backlog = max(0, m.backlog-ms)
	if m.stalls > 0 && m.rng.Float64() < m.stalls*ms {
		m.backlog += 30 * m.rng.ExpFloat64()
	}
	if m.hog && m.at > m.until {
		m.hogged = !m.hogged
		m.until = m.at + 100*math.Pow(30, m.rng.Float64())
	}
}

// speed is how many times as long work takes now.
func (m *claimMachine) speed() float64 {
	s := math.Exp(m.spread*m.ar) * (1 + m.drift*m.at/10e3)
	if m.phi == 0 {
		s = math.Exp(m.spread*m.rng.NormFloat64()) * (1 + m.drift*m.at/10e3)
	}
	if m.isSlow {
		s *= m.slow
	}
	if m.mix > 0 && m.rng.Float64() < m.mix {
		s *= math.Exp(2.3 + 0.5*m.rng.NormFloat64())
	}
	return s
}

// waits is how long a request waits for a processor.
func (m *claimMachine) waits() float64 {
	ms := m.backlog
	if m.queue {
		for m.rng.Float64() < 0.7 {
			ms += 0.2 * m.rng.ExpFloat64()
		}
	}
	if !m.hogged {
		return ms
	}
	if m.at > m.awake && m.at > m.sluggish {
		m.sluggish = m.at + 50*m.rng.ExpFloat64()
		m.awake = m.sluggish + 50*m.rng.ExpFloat64()
	}
	if m.at < m.sluggish {
		ms += 0.1
	}
	if m.rng.Float64() < 0.05 {
		ms += 3 * m.rng.Float64()
	}
	return ms
}

// single sends one request and returns its time in ns.
func (m *claimMachine) single(t claimTarget, head bool) Single {
	ms := 0.25*(1+t.work)*m.speed() + m.waits() + m.sleeps(t)
	if m.left > 0 && m.leftBy != head {
		ms += m.left
	}
	if m.rng.Float64() < m.calm && !t.placed {
		ms *= 0.8
	}
	m.left, m.leftBy = t.leaves, head
	ms *= 1 + t.time
	m.pass(ms)
	return Single{Head: head, Time: 1e6 * ms}
}

func (m *claimMachine) sleeps(t claimTarget) float64 {
	if t.sleep > 0 && (t.share == 0 || m.rng.Float64() < t.share) {
		return t.sleep
	}
	return 0
}

// volley sends n requests at once and returns their times in ms, the time until the
// last and the processor time.
func (m *claimMachine) volley(t claimTarget, n int) (times []float64, makespan, cpu float64) {
	var free [2]float64 // when each processor is
	if m.hogged {
		free[1] = 3 * m.rng.Float64()
	}
	held := 0.0 // until when a lock is
	for range n {
		work := 0.25 * (1 + t.work) * m.speed()
		p := 0
		if free[1] < free[0] {
			p = 1
		}
		start := free[p]
		if t.lock {
			start = max(start, held)
		}
		free[p] = start + work
		if m.hogged && p == 1 && m.rng.Float64() < 0.1 {
			free[p] += 3
		}
		held = free[p]
		done := (free[p] + m.waits() + m.sleeps(t)) * (1 + t.time)
		times = append(times, done)
		makespan = max(makespan, done)
		cpu += work * (1 + t.time)
	}
	m.pass(makespan)
	return times, makespan, cpu * math.Exp(0.02*m.rng.NormFloat64())
}

// sustain makes a block with ten in flight, and returns how long a request waited
// for locks, in ns.
func (m *claimMachine) sustain(t claimTarget) (b Block, waits float64) {
	b = Block{Times: hist.New(7)}
	luck := math.Exp(0.3 * m.rng.NormFloat64()) // whom the scheduler serves first
	for range 40 {
		times, _, _ := m.volley(t, 10)
		for _, v := range times {
			b.Times.Record(int64(1e6 * v * luck))
		}
	}
	if t.lock {
		waits = 0.8e6 * m.rng.ExpFloat64()
	}
	return b, waits + 300*m.rng.ExpFloat64()
}

// A claimContest is a comparison on a simulated machine.
type claimContest struct {
	*claimMachine
	base, head claimTarget
	*Inquiry
	fixed   bool            // the order is not drawn
	refuted bool            // some claim was at some look, whether another agreed or not
	ever    map[string]bool // which
	most    int             // rounds
}

// newClaimContest returns a comparison with head that lasts for 20 s at most.
func newClaimContest(rng *rand.Rand, w claimWorld, head claimTarget, claims []Claim) *claimContest {
	return &claimContest{claimMachine: newClaimMachine(rng, w), head: head, ever: map[string]bool{}, Inquiry: NewInquiry(claims, true), most: math.MaxInt}
}

// run measures until the claims are settled, then under sustained load, and returns
// how long that took in ms.
func (c *claimContest) run() float64 {
	for n := 0; n < c.most && c.Verdict() != Fail && c.Open(Work, Quick, Alone, Burst, Tail) && c.at < 20e3; n++ {
		c.round()
	}
	for c.Verdict() != Fail && c.Open(Load, Locks) {
		var p Pair
		var waits Reading
		for _, head := range c.order(1) {
			if head {
				p.Head, waits.Head = c.sustain(c.head)
			} else {
				p.Base, waits.Base = c.sustain(c.base)
			}
		}
		c.AddSustained(p, waits)
	}
	return c.at
}

// order draws the order of n of each.
func (c *claimContest) order(n int) []bool {
	order := make([]bool, 2*n)
	for k := range order {
		order[k] = k%2 == 0
	}
	if !c.fixed {
		c.rng.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
	}
	return order
}

func (c *claimContest) target(head bool) claimTarget {
	if head {
		return c.head
	}
	return c.base
}

// round makes two strata of four requests of each target and two volleys of ten.
func (c *claimContest) round() {
	p := Pair{Base: Block{Times: hist.New(7)}, Head: Block{Times: hist.New(7)}}
	add := func(head bool, ns float64) {
		if head {
			p.Head.Times.Record(int64(ns))
		} else {
			p.Base.Times.Record(int64(ns))
		}
	}
	for range 2 {
		if !c.Open(Quick, Alone) {
			break
		}
		var stratum []Single
		for _, head := range c.order(4) {
			s := c.single(c.target(head), head)
			stratum = append(stratum, s)
			add(head, s.Time)
		}
		c.AddStratum(stratum)
		c.note()
	}
	for range 2 {
		if !c.Open(Work, Burst, Tail) {
			break
		}
		var work, burst Reading
		for k, head := range c.order(1) {
			times, makespan, cpu := c.volley(c.target(head), 10)
			if k == 0 {
				makespan, cpu = makespan*(1+c.claimWorld.first), cpu*(1+c.claimWorld.first)
			}
			if head {
				burst.Head, work.Head = 1e6*makespan, 1e5*cpu
			} else {
				burst.Base, work.Base = 1e6*makespan, 1e5*cpu
			}
			for _, ms := range times {
				add(head, 1e6*ms)
			}
		}
		c.Add(Work, work)
		c.Add(Burst, burst)
		c.note()
	}
	c.AddRound(p)
	c.note()
}

// note remembers that a claim was refuted.
func (c *claimContest) note() {
	for _, q := range c.questions {
		if q.refuted {
			c.refuted, c.ever[q.Name] = true, true
		}
	}
}
