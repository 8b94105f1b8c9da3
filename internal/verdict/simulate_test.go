package verdict

import (
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// simulateAll makes the simulations run in full: minutes, not seconds.
var simulateAll = os.Getenv("LOADTESTKIT_SIMULATE") == "1"

// runs returns how many runs to simulate: all of the plan, or few.
func runs(all, few int) int {
	if simulateAll {
		return all
	}
	return few
}

// A world makes the response times, in ms, of requests that are due one per
// millisecond. What makes them depend on each other lives on from one to the
// next.
type world struct {
	name     string
	new      func(r *rand.Rand) func() float64
	p50, p99 float64 // true quantiles, from 100 million requests each
}

// lognormal returns exp of a normal variable.
func lognormal(r *rand.Rand, mean, sd float64) float64 {
	return math.Exp(mean + sd*r.NormFloat64())
}

// autoregressive returns lognormal times of standard deviation 0.5 that
// remember a part phi of the one before.
func autoregressive(r *rand.Rand, phi float64) func() float64 {
	x, fresh := 0.5*r.NormFloat64(), 0.5*math.Sqrt(1-phi*phi)
	return func() float64 {
		x = phi*x + fresh*r.NormFloat64()
		return math.Exp(x)
	}
}

// worlds are the targets and machines that verdicts are tried on.
var worlds = []world{
	{"iid", func(r *rand.Rand) func() float64 {
		return func() float64 { return lognormal(r, 0, 0.5) }
	}, 1, math.Exp(0.5 * 2.3263478740408408)},
	{"mix", func(r *rand.Rand) func() float64 { // now and then a slow path
		return func() float64 {
			if r.Float64() < 0.03 {
				return lognormal(r, 2.3, 0.5)
			}
			return lognormal(r, 0, 0.3)
		}
	}, 1.0117, 12.375},
	{"ar.9", func(r *rand.Rand) func() float64 { return autoregressive(r, 0.9) }, 1, math.Exp(0.5 * 2.3263478740408408)},
	{"ar.99", func(r *rand.Rand) func() float64 { return autoregressive(r, 0.99) }, 1, math.Exp(0.5 * 2.3263478740408408)},
	{"stall", func(r *rand.Rand) func() float64 { // a backlog of 30 ms every 2 s
		next, backlog := autoregressive(r, 0.9), 0.0
		return func() float64 {
			backlog = max(0, backlog-1)
			if r.Float64() < 1./2000 {
				backlog += 30 * r.ExpFloat64()
			}
			return next() + backlog
		}
	}, 1.0095, 14.04},
	{"queue.7", func(r *rand.Rand) func() float64 { // Poisson arrivals, one server, 70 % busy
		wait, sd := 0.0, 0.8
		mean := math.Log(0.7) - sd*sd/2
		for range 1000 {
			wait = max(0, wait+lognormal(r, mean, sd)-r.ExpFloat64())
		}
		return func() float64 {
			service := lognormal(r, mean, sd)
			response := wait + service
			wait = max(0, response-r.ExpFloat64())
			return response
		}
	}, 1.4715, 11.03},
	{"regime", func(r *rand.Rand) func() float64 { // a neighbour: 1 s of every 5 s three times as slow
		next, slow := autoregressive(r, 0.9), r.Float64() < 0.2
		return func() float64 {
			stay := 4000.
			if slow {
				stay = 1000
			}
			if r.Float64() < 1/stay {
				slow = !slow
			}
			if slow {
				return 3 * next()
			}
			return next()
		}
	}, 1.162, 6.834},
}

// A virtual run offers one request per millisecond, for a limit on time.
type virtual struct {
	next func() float64
	seen *record.Record
}

func newVirtual(w *world, l Limit, seed uint64) *virtual {
	return &virtual{next: w.new(rand.New(rand.NewPCG(seed, 1))), seen: record.New(false, Thresholds([]Limit{l}))}
}

// until goes on to n requests in all and returns what was seen.
func (v *virtual) until(n int64) *record.Record {
	for k := v.seen.Due; k < n; k++ {
		due := time.Duration(k) * time.Millisecond
		v.seen.Add(&record.Sample{N: k, Due: due, Sent: due, Done: due + time.Duration(v.next()*1e6), Result: record.Result{Status: 200}})
	}
	return v.seen
}

// procedure judges a run of at most so many requests as a door does: look by
// look, a fail only if a fresh run repeats it. It says how many requests the
// run took, and whether it failed before it was repeated.
func procedure(w *world, l Limit, requests int64, seed uint64) (v Verdict, took int64, first bool) {
	v, took = look(w, l, requests, seed)
	if v != Fail {
		return v, took, false
	}
	if again, _ := look(w, l, requests, seed+1<<32); again != Fail {
		return Inconclusive, took, true
	}
	return Fail, took, true
}

func look(w *world, l Limit, requests int64, seed uint64) (Verdict, int64) {
	run := newVirtual(w, l, seed)
	s := DefaultStandard
	s.Repeated = true
	for _, k := range Looks(time.Duration(requests) * time.Millisecond) {
		n := k.At.Milliseconds()
		if r := Judge([]Limit{l}, run.until(n), s.Share(k.Share))[0]; r.Verdict != Inconclusive {
			return r.Verdict, n
		}
	}
	return Inconclusive, requests
}

// named returns the worlds of the given names.
func named(names string) (found []*world) {
	for _, name := range strings.Fields(names) {
		for i := range worlds {
			if worlds[i].name == name {
				found = append(found, &worlds[i])
			}
		}
	}
	return found
}
