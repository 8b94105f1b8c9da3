package loadtestkit

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/load"
)

// A Load says when requests are due: it is a [Closed], an [Open] or a [Staged].
// Where a Load is asked for, nil means Closed(10).
type Load interface {
	// load returns the load and what the engine cannot find wrong with it: it
	// takes an open workload without a rate for a closed one, and a negative
	// ConnectionsAhead for none. The load then has a rate all the same, so that
	// the engine finds what else is wrong.
	load() (engine.Load, faults)
	kind() string // as users write it
}

// A SteadyLoad is a [Load] that stays the same for as long as it is offered, as
// comparisons and benchmarks need it: it is a [Closed] or an [Open].
type SteadyLoad interface {
	Load
	steady()
}

// Closed is a closed workload of n requests at a time: each permit sends its next
// request when it has the response to the last, so a slow target gets fewer.
// Closed(0) means Closed(10).
type Closed int

// Open is an open workload: requests are due at a constant rate, whatever the
// target does. Response times count from when a request was due, so that a target
// that stalls cannot hide behind a client that waits for it.
type Open struct {
	Rate    float64 // arrivals per second, from 1e-6 to 1e9; required
	Poisson bool    // arrivals at random instead of evenly spaced
	Seed    uint64  // of Poisson arrivals: the same seed, the same arrivals; 0 means a random one, which the report names

	Concurrency      int // permits: most requests in flight; 0 means 1000, or as many as the process may open files for
	ConnectionsAhead int // connections opened before the start; 0 means what a service time of 100 ms keeps in flight, at most 256
}

// Staged is an [Open] workload whose rate changes. It ends with its last stage.
type Staged struct {
	Stages  []Stage // one after another; required
	Poisson bool    // as in Open
	Seed    uint64  // as in Open

	Concurrency      int // as in Open
	ConnectionsAhead int // as in Open, at the first rate
}

// A Stage is a stretch of a [Staged] workload in which the arrival rate goes from
// From to To, linearly, in arrivals per second, each from 0 to 1e9. Equal rates
// are a step, zeros a pause.
type Stage struct {
	Duration time.Duration // how long; must be above 0
	From, To float64
}

func (c Closed) load() (engine.Load, faults) { return engine.Load{Concurrency: int(c)}, nil }
func (Closed) kind() string                  { return "Closed" }
func (Closed) steady()                       {}

func (o Open) load() (engine.Load, faults) {
	l := engine.Load{Rate: o.Rate, Poisson: o.Poisson, Seed: o.Seed, Concurrency: o.Concurrency, ConnectionsAhead: o.ConnectionsAhead}
	f := checkAhead(o.ConnectionsAhead)
	if o.Rate == 0 {
		f = append(f, fault("Rate", "0, want arrivals per second such as 500"))
		l.Rate = 1
	}
	return l, f
}

func (Open) kind() string { return "Open" }
func (Open) steady()      {}

func (s Staged) load() (engine.Load, faults) {
	l := engine.Load{Poisson: s.Poisson, Seed: s.Seed, Concurrency: s.Concurrency, ConnectionsAhead: s.ConnectionsAhead}
	for _, stage := range s.Stages {
		l.Stages = append(l.Stages, load.Stage{For: stage.Duration, From: stage.From, To: stage.To})
	}
	f := checkAhead(s.ConnectionsAhead)
	if len(s.Stages) == 0 {
		f = append(f, fault("Stages", "none, want at least one"))
		l.Stages = []load.Stage{{For: 1000 * time.Hour, From: 1, To: 1}}
	}
	return l, f
}

func (Staged) kind() string { return "Staged" }

func checkAhead(n int) (f faults) {
	f.add(n < 0, "ConnectionsAhead", "%d is negative, want at least 1", n)
	return f
}
