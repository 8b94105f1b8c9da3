package load

import (
	"fmt"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// An Arrival is a request that has become due.
type Arrival struct {
	N   int64         // its number, counted from 0 over the whole run, warm-up included
	Due time.Duration // offset from the start of the run
}

// A Stage is a part of an open workload's schedule in which the arrival rate changes
// linearly from From to To, in arrivals per second, both at least 0. From == To is a
// step, both 0 a pause.
type Stage struct {
	For      time.Duration // how long; > 0
	From, To float64
}

func (s Stage) String() string {
	if s.From == s.To {
		return fmt.Sprintf("%v:%v", s.For, s.From)
	}
	return fmt.Sprintf("%v:%v..%v", s.For, s.From, s.To)
}

// mass returns the number of arrivals due within the first t seconds of the stage:
// the integral of its rate.
func (s Stage) mass(t float64) float64 {
	return s.From*t + (s.To-s.From)*t*t/(2*s.For.Seconds())
}

// after is the inverse of mass: it returns the seconds until x arrivals have become due.
func (s Stage) after(x float64) float64 {
	if x <= 0 {
		return 0
	}
	a := (s.To - s.From) / s.For.Seconds()
	// The usual root (-r + sqrt(r²+2ax))/a cancels for small a; this is the same
	// number, and is right for a = 0 too.
	return 2 * x / (s.From + math.Sqrt(max(0, s.From*s.From+2*a*x)))
}

// A Schedule determines when the arrivals of an open workload are due, whatever the
// target does. Arrival n is due when the integral of the rate reaches n, or with
// Poisson arrivals the n-th epoch of a unit Poisson process. It is computed from n,
// so that rounding errors do not add up.
type Schedule struct {
	Stages  []Stage // in order
	Endless bool    // the last stage's To rate goes on after its end
	Poisson bool    // gaps are exponential instead of even
	Seed    uint64  // of Poisson arrivals; the same seed gives the same arrivals
}

// Constant returns an endless schedule with a constant rate in arrivals per second.
func Constant(rate float64) Schedule {
	return Schedule{Stages: []Stage{{For: time.Second, From: rate, To: rate}}, Endless: true}
}

// Length returns how long all stages take; an Endless schedule goes on after that.
func (s *Schedule) Length() time.Duration {
	var d time.Duration
	for _, st := range s.Stages {
		d += st.For
	}
	return d
}

// Peak returns the highest rate of any stage, in arrivals per second.
func (s *Schedule) Peak() float64 {
	var r float64
	for _, st := range s.Stages {
		r = max(r, st.From, st.To)
	}
	return r
}

// due returns the offset at which the integral of the rate reaches x; ok is false
// past the end. Nothing is due in a pause: an arrival that would be is due at its
// end.
func (s *Schedule) due(x float64) (at time.Duration, ok bool) {
	var start time.Duration
	for i, st := range s.Stages {
		if m := st.mass(st.For.Seconds()); x < m {
			return start + time.Duration(math.Round(st.after(x)*1e9)), true
		} else if i < len(s.Stages)-1 || !s.Endless {
			x -= m
			start += st.For
		} else if st.To > 0 {
			return start + st.For + time.Duration(math.Round((x-m)/st.To*1e9)), true
		}
	}
	return 0, false
}

// passed returns the integral of the rate up to an offset: how many arrivals become
// due before it, on average.
func (s *Schedule) passed(at time.Duration) (x float64) {
	for i, st := range s.Stages {
		if at <= st.For {
			return x + st.mass(max(0, at).Seconds())
		}
		x += st.mass(st.For.Seconds())
		at -= st.For
		if s.Endless && i == len(s.Stages)-1 {
			x += st.To * at.Seconds()
		}
	}
	return x
}

// gaps returns how long it takes n arrivals to become due at the average rate between
// two offsets, in which they did: as long as n gaps. Between even arrivals there are
// up to one gap more and one less than the time itself holds. Poisson arrivals take
// the time itself.
func (s *Schedule) gaps(n int64, from, to time.Duration) time.Duration {
	planned := s.passed(to) - s.passed(from)
	if s.Poisson || n == 0 || planned <= 0 {
		return max(0, to-from)
	}
	return time.Duration(float64(to-from) * float64(n) / planned)
}

// A Cursor walks through the arrivals of a schedule. It is a value: a copy moves on
// independently. It is not safe for concurrent use.
type Cursor struct {
	schedule *Schedule
	first    int64  // number of the schedule's first arrival
	next     int64  // index in the schedule of the arrival that Next returns
	sum      uint64 // Poisson: sum of the gaps before it, in units of 2^-24 mean gaps, exact for 2^40 arrivals
}

// Cursor returns a cursor at arrival 0.
func (s *Schedule) Cursor() Cursor { return Cursor{schedule: s} }

// Next returns the next arrival; ok is false when the schedule has ended.
func (c *Cursor) Next() (a Arrival, ok bool) {
	x := float64(c.next)
	if c.schedule.Poisson {
		c.sum += gap(c.schedule.Seed, c.next)
		x = float64(c.sum) / (1 << 24)
	}
	at, ok := c.schedule.due(x)
	a = Arrival{N: c.first + c.next, Due: at}
	c.next++
	return a, ok
}

// Skip moves past the arrivals due before a time, at most the given number of them, and
// returns how many there were. Without Poisson arrivals it takes no longer for many
// than for few.
func (c *Cursor) Skip(before time.Duration, most int64) (n int64) {
	if !c.schedule.Poisson {
		n = max(0, min(c.schedule.dueBefore(before)-c.next, most))
		c.next += n
		return n
	}
	for n < most {
		ahead := *c
		if a, ok := ahead.Next(); !ok || a.Due >= before {
			break
		}
		*c = ahead
		n++
	}
	return n
}

// dueBefore returns how many arrivals of a schedule without Poisson arrivals are due
// before a time.
func (s *Schedule) dueBefore(at time.Duration) int64 {
	var mass float64
	left := at
	for i, st := range s.Stages {
		if left <= st.For {
			mass += st.mass(max(0, left).Seconds())
			left = 0
			break
		}
		mass += st.mass(st.For.Seconds())
		left -= st.For
		if i == len(s.Stages)-1 && s.Endless {
			mass += st.To * left.Seconds()
		}
	}
	// The mass is rounded, and so are due times: the count may be off by a few.
	n := int64(math.Ceil(mass))
	for n > 0 {
		if due, ok := s.due(float64(n - 1)); ok && due < at {
			break
		}
		n--
	}
	for {
		if due, ok := s.due(float64(n)); !ok || due >= at {
			return n
		}
		n++
	}
}

// gap returns the exponential gap before arrival n, in units of 2^-24 mean gaps. It
// is a pure function of seed and n.
func gap(seed uint64, n int64) uint64 {
	u := (float64(stat.Random(seed, n)>>11) + 0.5) / (1 << 53) // in (0, 1)
	return uint64(math.Round(-math.Log(u) * (1 << 24)))
}
