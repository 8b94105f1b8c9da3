package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// mm1 is an M/M/1 server in virtual time: Poisson arrivals, exponential
// service times, first come first served. Its host may stall.
type mm1 struct {
	served float64       // requests per second while it is busy
	limit  time.Duration // on the 0.99 quantile of the response time
	stalls float64       // per second, Poisson; the server does nothing in one
	stall  time.Duration // mean length of a stall, exponential
	rng    *rand.Rand
}

// capacity is the arrival rate at which 0.99 of the response times are within
// the limit, without stalls: they are exponential with rate served - arrivals.
func (q *mm1) capacity() float64 { return q.served - math.Log(100)/q.limit.Seconds() }

// run makes a trial against the queue, which is empty before.
func (q *mm1) run(t TrialPlan) TrialResult {
	var due, over int
	begin, end := t.Warmup.Seconds(), (t.Warmup + t.For).Seconds()
	stalls := q.stallsUntil(2 * end)
	free := 0.0 // when the server is done with all before
	for at := q.rng.ExpFloat64() / t.Rate; at < end; at += q.rng.ExpFloat64() / t.Rate {
		start, work := max(free, at), q.rng.ExpFloat64()/q.served
		for len(stalls) > 0 && stalls[0].from < start+work {
			if stalls[0].from <= start {
				start = max(start, stalls[0].to)
			} else {
				work += stalls[0].to - stalls[0].from
			}
			stalls = stalls[1:]
		}
		free = start + work
		if at >= begin {
			due++
			if free-at > q.limit.Seconds() {
				over++
			}
		}
	}
	r := TrialResult{Held: float64(over) <= 0.01*float64(due), Took: time.Duration(max(free, end) * float64(time.Second))}
	if !r.Held {
		r.Limit = ByTarget
	}
	return r
}

// A mm1Stall is when the server does nothing, in seconds.
type mm1Stall struct{ from, to float64 }

func (q *mm1) stallsUntil(end float64) (all []mm1Stall) {
	if q.stalls == 0 {
		return nil
	}
	for at := q.rng.ExpFloat64() / q.stalls; at < end; at += q.rng.ExpFloat64() / q.stalls {
		all = append(all, mm1Stall{at, at + q.rng.ExpFloat64()*q.stall.Seconds()})
	}
	return all
}

// search looks for the queue's capacity and says how long that took.
func (q *mm1) search(o SearchRange) (r SearchResult, took time.Duration) {
	s := NewSearch(o)
	for t, ok := s.Next(); ok; t, ok = s.Next() {
		res := q.run(t)
		took += res.Took
		s.Record(res)
	}
	return s.Result(), took
}

// nearestRank returns quantile q of values.
func nearestRank(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return v[max(0, int(math.Ceil(q*float64(len(v))))-1)]
}
