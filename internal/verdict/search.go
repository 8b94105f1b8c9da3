package verdict

import (
	"math"
	"time"
)

// What kept a rate from being held, or ended a search.
const (
	ByTarget    = "target"    // a limit was missed
	ByGenerator = "generator" // the generator did not send as much as was due
	ByHost      = "host"      // something else on the machine got in the way
	ByMost      = "most"      // the highest rate that may be tried was held
	ByBudget    = "budget"
	ByInterrupt = "interrupt"
)

// SearchOptions say where to look for the highest arrival rate at which the
// limits hold, and for how long.
type SearchRange struct {
	Start  float64       // arrivals per second to begin with, above 0
	Most   float64       // never try more; 0 means no bound
	Budget time.Duration // for all trials; 0 means 150 s; a search on a quiet machine takes about 60
}

// A TrialPlan is one short run to make, at one rate and from a rested target.
type TrialPlan struct {
	Rate    float64       // arrivals per second
	For     time.Duration // what is counted, after Warmup
	Warmup  time.Duration
	Purpose string // "control", "search" or "verify"
}

// A TrialResult is the outcome of a trial.
type TrialResult struct {
	Held  bool          // every limit held and at least 99 % of what was due was sent
	Limit string        // if not, why: ByTarget, ByGenerator or ByHost
	Took  time.Duration // all of it, until the target rested again
}

// A SearchResult is where the limits cease to hold.
type SearchResult struct {
	Low, High float64 // they held at Low and did not at High, arrivals per second; 0 if not known
	Verdict   Verdict // Pass if both were verified, or Low was and is [SearchOptions.Most]; else Inconclusive
	StoppedBy string  // one of the words above; empty while the search goes on
	Reason    string  // one line for a person
}

// How a search goes. Where no reason is given, the number comes from
// simulations of queues whose capacity is known, quiet ones and ones that stall.
const (
	controlTrials   = 8
	controlFailures = 2    // of these; if more fail, the rate is too high or the host too busy
	hopeless        = 3    // trials failed before any held: the rate is too high
	votesQuiet      = 3    // trials to each question if no control trial failed
	votesNoisy      = 7    // and if some did, or an end did not stand
	doubtful        = 3    // trials failed at the low end or held at the high one; if more did, the rate does not decide
	closeEnough     = 1.08 // ratio of the ends at which the search goes over to verifying them
	verifyStep      = 1.12 // and the ratio of the ends that are verified

	trialLength  = time.Second
	verifyLength = 2 * time.Second
	trialWarmup  = 300 * time.Millisecond

	trialArrivals = 10  // at least, however long they take: fewer say nothing
	leastRate     = 1.0 // arrivals per second, below which nothing is tried: less is no load
	defaultBudget = 150 * time.Second
)

// A Search looks for the highest arrival rate at which the limits hold. It says
// which trial to make next and records its result; it makes none itself:
//
//	s := NewSearch(o)
//	for t, ok := s.Next(); ok; t, ok = s.Next() {
//		s.Record(run(t))
//	}
//	return s.Result()
//
// Trials at the start rate show how much the host disturbs (and are repeated at
// half the rate while that is too high). Then the rate doubles until most trials
// fail, the gap is halved on a log scale, and longer trials verify both ends:
// one that does not stand moves by a step. What is found is the rate at which
// the median trial holds, so that one bad moment cannot decide; compare
// MLRsearch (draft-ietf-bmwg-mlrsearch).
type Search struct {
	o     SearchRange
	spent time.Duration

	plan  TrialPlan
	tally tally // of the trials made by the plan so far
	votes int   // most trials to a plan, once control is over

	mixed     tally // the control whose trials disagreed, if there was one
	low, high end

	stoppedBy string
	reason    string
}

// An end is a side of the gap in which the limits cease to hold.
type end struct {
	tally
	verified bool
}

// NewSearch returns a search in which no trial was made.
func NewSearch(o SearchRange) *Search {
	if o.Most == 0 {
		o.Most = math.Inf(1)
	}
	if o.Budget == 0 {
		o.Budget = defaultBudget
	}
	s := &Search{o: o}
	s.ask("control", min(o.Start, o.Most), trialLength)
	return s
}

// Next returns the next trial to make, the same until it is recorded; ok is
// false when the search is over.
func (s *Search) Next() (t TrialPlan, ok bool) {
	if s.stoppedBy == "" && s.spent+s.plan.Warmup+s.plan.For > s.o.Budget {
		s.stop(ByBudget)
	}
	return s.plan, s.stoppedBy == ""
}

// Record records the result of the trial that Next returned.
func (s *Search) Record(t TrialResult) {
	if s.stoppedBy != "" {
		return
	}
	s.spent += t.Took
	s.tally.add(t)
	switch {
	case s.plan.Purpose == "control":
		s.control()
	case s.tally.held > s.votes/2:
		s.held()
	case s.tally.failed() > s.votes/2:
		s.failed()
	}
}

// Interrupt ends the search early.
func (s *Search) Interrupt() {
	if s.stoppedBy == "" {
		s.stop(ByInterrupt)
	}
}

// GiveUp ends the search without a rate at which the limits held, and says why.
func (s *Search) GiveUp(why string) { s.stoppedBy, s.reason = ByTarget, why }

// ask plans trials at a rate.
func (s *Search) ask(purpose string, rate float64, length time.Duration) {
	length = max(length, time.Duration(trialArrivals/rate*float64(time.Second)))
	s.plan = TrialPlan{Rate: rate, For: length, Warmup: trialWarmup, Purpose: purpose}
	s.tally = tally{rate: rate}
}

// control looks at the control trials: many that fail mean that the rate is too
// high, unless others hold at a lower one too: that is the host.
func (s *Search) control() {
	t := s.tally
	switch {
	case t.held == 0 && t.failed() < hopeless:
	case t.held == 0:
		s.high = end{tally: t}
		s.lower()
	case t.failed() > controlFailures && s.mixed.rate > 0:
		s.stop(ByHost)
	case t.failed() > controlFailures:
		s.mixed = t
		s.lower()
	case t.held+t.failed() == controlTrials:
		s.votes = votesQuiet
		if t.failed() > 0 {
			s.votes = votesNoisy
		}
		s.held()
	}
}

// lower repeats the control at half the rate.
func (s *Search) lower() {
	if s.tally.rate/2 < leastRate {
		s.stop(s.tally.cause())
		return
	}
	s.ask("control", s.tally.rate/2, trialLength)
}

// held raises the low end to the rate that most trials held.
func (s *Search) held() {
	s.low = end{s.tally, s.plan.Purpose == "verify"}
	if s.high.rate <= s.low.rate {
		s.contradicted(&s.high)
	}
	s.proceed()
}

// failed brings the high end down to the rate at which most trials failed.
func (s *Search) failed() {
	s.high = end{s.tally, s.plan.Purpose == "verify"}
	if s.high.rate <= s.low.rate {
		s.contradicted(&s.low)
	}
	s.proceed()
}

// contradicted drops an end that did not stand. Something disturbs the trials, so
// from now on there are more to each question.
func (s *Search) contradicted(e *end) {
	if e.rate > 0 {
		s.votes = votesNoisy
	}
	*e = end{}
}

// proceed plans the next question, or stops.
func (s *Search) proceed() {
	low, high, searching := &s.low, &s.high, s.plan.Purpose != "verify"
	switch {
	case low.verified && high.verified && low.failed()+high.held > doubtful:
		s.stop(ByHost)
	case low.verified && high.verified:
		s.stop(high.cause())
	case low.verified && low.rate >= s.o.Most:
		s.stop(ByMost)
	case searching && high.rate == 0 && low.rate < s.o.Most:
		s.ask("search", min(2*low.rate, s.o.Most), trialLength)
	case searching && high.rate > closeEnough*low.rate:
		s.ask("search", math.Sqrt(low.rate*high.rate), trialLength)
	case low.rate == 0 && high.rate/verifyStep < leastRate:
		s.stop(high.cause())
	case low.rate == 0:
		s.ask("verify", high.rate/verifyStep, verifyLength)
	case !low.verified:
		s.ask("verify", low.rate, verifyLength)
	default:
		s.ask("verify", min(verifyStep*low.rate, s.o.Most), verifyLength)
	}
}
