package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A queue is a server in virtual time: Poisson arrivals, first come first
// served. Its machine may stall, or have a hog that takes half of the server's
// speed in regimes.
type queue struct {
	served  float64       // requests per second while it is busy
	workers int           // that serve at once; 0 means 1
	steady  bool          // service times are equal; else they are exponential (M/M/1)
	limit   time.Duration // on the 0.99 quantile of the response time
	stalls  float64       // per second, Poisson; the server does nothing in one
	stall   time.Duration // mean length of a stall, exponential
	seen    bool          // a sensor sees the stalls
	hog     float64       // part of the time that it runs, a second at a time on average
	rng     *rand.Rand
}

// capacity is the arrival rate at which 0.99 of the response times of an M/M/1
// queue are within the limit, without stalls: they are exponential with rate
// served - arrivals.
func (q *queue) capacity() float64 { return q.served - math.Log(100)/q.limit.Seconds() }

// run makes a trial against the queue, which is empty before, and ends it early
// as the engine does.
func (q *queue) run(t TrialPlan) TrialResult {
	begin, end := t.Warmup.Seconds(), (t.Warmup + t.For).Seconds()
	watch := TrialWatch{TrialPlan: t}
	paces, stalls := q.paces(3 * end)
	free := make([]float64, max(1, q.workers)) // when each worker is done with all before
	var due, done, warm []float64              // warm is done of those due in the warm-up
	at := q.rng.ExpFloat64() / t.Rate
	offer := func(until float64) {
		for ; at < until; at += q.rng.ExpFloat64() / t.Rate {
			w := 0
			for k := range free {
				if free[k] < free[w] {
					w = k
				}
			}
			start := max(free[w], at)
			free[w] = q.serve(start, paces)
			if at >= begin {
				due, done = append(due, at), append(done, free[w])
			} else {
				warm = append(warm, free[w])
			}
		}
	}
	now, behind := begin, false
	for now < end {
		now = min(now+LookEvery.Seconds(), end)
		offer(now)
		ended, least := endedBy(warm, now), now-begin
		for i := range due {
			if done[i] <= now {
				least = min(least, done[i]-due[i])
			}
		}
		behind = watch.fellBehind(glance{
			time.Duration(math.Round((now - begin) * 1e9)), int64(len(warm) + len(due)), ended + endedBy(done, now), ratio(ended, int64(len(warm))), time.Duration(least * 1e9),
		}) != ""
		if behind || now < end && q.over(t, due, done, begin, now) {
			break
		}
	}
	late, slow := 0, 0
	var took []float64
	for i := range due {
		took = append(took, done[i]-due[i])
		late += count(done[i]-due[i] > q.limit.Seconds())
		slow += count(done[i]-due[i] > q.limit.Seconds()/easyPart)
	}
	n := float64(len(due))
	r := TrialResult{Held: float64(late) <= 0.01*n && !behind}
	r.Easy = r.Held && float64(slow) <= 0.01*n
	r.Median = time.Duration(nearestRank(took, 0.5) * float64(time.Second))
	last := max(now, slices.Max(free))
	r.Took = time.Duration(last * float64(time.Second))
	if !r.Held {
		r.Limit = ByTarget
	}
	r.Stalled = len(stalls) > 0 && stalls[0] < last
	return r
}

// over reports whether a look ends the trial.
func (q *queue) over(t TrialPlan, due, done []float64, begin, at float64) bool {
	late, slow, ended := 0, 0, 0
	for i := range due {
		if done[i] > at {
			continue
		}
		ended++
		late += count(done[i]-due[i] > q.limit.Seconds())
		slow += count(done[i]-due[i] > q.limit.Seconds()/easyPart)
	}
	if float64(late) > 0.01*t.Rate*t.For.Seconds() {
		return true
	}
	n := float64(len(due))
	return t.Purpose == "search" && at >= begin+easyAfter.Seconds() && ended >= trialArrivals && float64(ended) >= .9*n && float64(slow) <= 0.01*float64(ended)
}

// endedBy counts those done at a time.
func endedBy(done []float64, at float64) (n int64) {
	for _, d := range done {
		n += int64(count(d <= at))
	}
	return n
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A pace is how fast the server works from some time on, in seconds.
type pace struct{ at, speed float64 }

// paces returns the course of a trial's speed, and when stalls that a sensor sees
// end.
func (q *queue) paces(end float64) (all []pace, seen []float64) {
	stall, hog := math.Inf(1), math.Inf(1)
	if q.stalls > 0 {
		stall = q.rng.ExpFloat64() / q.stalls
	}
	speed := 1.0
	if q.hog > 0 {
		hog = 0
		if q.rng.Float64() < q.hog {
			speed = 0.5
		}
	}
	all = []pace{{0, speed}}
	for now := 0.0; now < end; {
		switch {
		case hog <= stall && hog < end:
			mean := 1.0
			if hog > 0 {
				speed = 1.5 - speed
				all = append(all, pace{hog, speed})
			}
			if speed == 1 {
				mean = (1 - q.hog) / q.hog
			}
			now, hog = hog, hog+q.rng.ExpFloat64()*mean
		case stall < end:
			length := q.rng.ExpFloat64() * q.stall.Seconds()
			all = append(all, pace{stall, 0}, pace{stall + length, speed})
			if q.seen && length > stallPart*q.limit.Seconds() {
				seen = append(seen, stall)
			}
			now = stall + length
			hog, stall = max(hog, now), now+q.rng.ExpFloat64()/q.stalls
		default:
			now = end
		}
	}
	return all, seen
}

// serve returns when a request is done whose service starts at the given time.
func (q *queue) serve(start float64, paces []pace) float64 {
	work := float64(max(1, q.workers)) / q.served
	if !q.steady {
		work *= q.rng.ExpFloat64()
	}
	for i, p := range paces {
		next := math.Inf(1)
		if i+1 < len(paces) {
			next = paces[i+1].at
		}
		if next <= start {
			continue
		}
		if does := (next - start) * p.speed; does < work {
			work -= does
			start = next
			continue
		}
		return start + work/p.speed
	}
	return start + work
}

// search looks for the queue's capacity and says how long that took.
func (q *queue) search(o SearchRange) (r SearchResult, took time.Duration) {
	s := NewSearch(o)
	for t, ok := s.Next(); ok; t, ok = s.Next() {
		res := q.run(t)
		took += res.Took
		s.Record(res)
	}
	return s.Result(), took
}

// curve returns how likely a trial of two seconds, or more where requests are slow,
// holds at a rate, from a number of them at rates 6 % apart, and the rate at which half
// of them do.
func (q *queue) curve(trials int) (median float64, holds func(rate float64) float64) {
	least := 0.02 * q.served
	length := verifyLength
	if q.workers > 0 {
		length = max(length, time.Duration(trialTimes*float64(q.workers)/q.served*float64(time.Second)))
	}
	var parts []float64
	for rate := least; rate < 1.6*q.served; rate *= off {
		held := 0
		for range trials {
			held += count(q.run(TrialPlan{Rate: rate, For: length, Warmup: trialWarmup, Purpose: "verify"}).Held)
		}
		parts = append(parts, float64(held)/float64(trials))
		if parts[len(parts)-1] > 0.5 {
			median = rate * math.Sqrt(off)
		}
	}
	return median, func(rate float64) float64 {
		at := int(math.Round(math.Log(rate/least) / math.Log(off)))
		return parts[min(max(at, 0), len(parts)-1)]
	}
}

// nearestRank returns quantile q of values; 0 of none.
func nearestRank(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	return v[max(0, int(math.Ceil(q*float64(len(v))))-1)]
}
