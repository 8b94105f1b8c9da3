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

// A SearchRange says where to look for the highest arrival rate at which the
// limits hold, and for how long.
type SearchRange struct {
	Start  float64       // arrivals per second to begin with, above 0
	Most   float64       // never try more; 0 means no bound
	Budget time.Duration // for all trials; 0 means 150 s; a search on a quiet machine takes about 25
}

// A TrialPlan is one short run to make, at one rate and from a rested target.
type TrialPlan struct {
	Rate    float64       // arrivals per second
	For     time.Duration // what is counted, after Warmup; less if a [TrialWatch] says so
	Warmup  time.Duration
	Purpose string // "control", "search" or "verify"
}

// A TrialResult is the outcome of a trial.
type TrialResult struct {
	Held    bool          // every limit held and at least 99 % of what was due was sent
	Easy    bool          // it held by far, see [Easy]
	Limit   string        // if not held, why: ByTarget, ByGenerator or ByHost
	Stalled bool          // this machine stalled meanwhile, whatever came of it
	Median  time.Duration // of the response times
	Took    time.Duration // all of it, until the target rested again
}

// A SearchResult is where the limits cease to hold.
type SearchResult struct {
	Low, High float64 // they held at Low and did not at High, arrivals per second; 0 if not known
	Verdict   Verdict // Pass if both were verified, or Low was and is [SearchRange.Most]; else Inconclusive
	StoppedBy string  // one of the words above; empty while the search goes on
	Reason    string  // one line for a person
}

// How a search goes. Where no reason is given, the number comes from
// simulations of queues whose capacity is known, quiet ones and ones that stall.
const (
	lead        = 2  // a rate is decided once this many more trials held than failed, or the reverse
	controlLead = 3  // the same of the control, which shows how much the host disturbs
	noisyLead   = 6  // and of an end where something besides the rate has a say
	mostVotes   = 6  // trials to a question, or twice the lead; then they are split
	mostSplit   = 3  // questions that may be
	mostMoved   = 3  // ends that do not stand before the gap is opened again
	mostVoid    = 20 // stalled trials to a question that are made again

	closeEnough = 1.12 // ratio of the ends at which the search goes over to verifying them
	verifyStep  = 1.12 // and the ratio of the ends that are verified
	farApart    = 1.1  // ratio to an end beyond which no trial should go the other way
	widest      = 2.0  // ratio of the verified ends above which the rate is not what decides

	trialLength  = time.Second
	verifyLength = 2 * time.Second
	briefLength  = 700 * time.Millisecond // of both on a machine that stalls: fewer trials meet a stall
	trialWarmup  = 300 * time.Millisecond

	trialTimes    = 3   // medians that it is long, at least: until then what falls behind may be slow only
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
// The rate doubles from the start rate until trials fail (or halves until they
// hold), the gap is halved on a log scale, and longer trials verify both ends:
// one that does not stand moves by a step. A rate at which trials disagree lies
// between the ends, which move apart then. What is found is the rate at which
// the median trial holds, so that one bad moment cannot decide; compare
// MLRsearch (draft-ietf-bmwg-mlrsearch).
//
// A trial in which the machine stalled is made again, whether it held or not,
// so that what is left are those of a quiet machine. Where the limits may cease
// to hold that is so only if the machine stalled under less load as well, because
// a load that is too high can look like a stall.
type Search struct {
	o      SearchRange
	spent  time.Duration
	median time.Duration // the least of those of trials that held; 0 before

	plan  TrialPlan
	tally tally // of the trials made by the plan so far

	made  []tally // each trial that counts, in order
	calm  int     // trials that stalled at rates that held before any failed
	again int     // trials that were made again
	mixed tally   // the control whose trials disagreed, if there was one

	low, high end
	moved     int     // ends that did not stand since the gap was last opened
	splits    int     // questions to which as many trials held as failed
	disputed  float64 // the highest rate of those between the ends; 0 if there is none

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
	s.ask("control", min(o.Start, o.Most))
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
func (s *Search) Record(r TrialResult) {
	if s.stoppedBy != "" {
		return
	}
	s.spent += r.Took
	if r.Held && (s.median == 0 || r.Median < s.median) {
		s.median = r.Median
	}
	t := &s.tally
	if r.Stalled && t.void < mostVoid && (s.high.rate == 0 || s.calm > 0) {
		t.void++
		s.again++
		return
	}
	t.add(r)
	one := tally{rate: t.rate}
	one.add(r)
	s.made = append(s.made, one)
	ahead, verifying := s.lead(), s.plan.Purpose == "verify"
	switch {
	case t.held-t.failed() >= ahead, r.Easy && t.failed() == 0 && s.plan.Purpose == "search":
		s.held()
	case t.failed()-t.held >= ahead, t.held == 0 && t.failed() == lead && !verifying:
		s.failed()
	case t.held+t.failed() >= max(mostVotes, 2*ahead):
		s.split()
	}
}

// lead is how many more trials have to hold than fail, or the reverse, for an answer.
func (s *Search) lead() int {
	switch {
	case s.plan.Purpose == "control":
		return controlLead
	case s.noisy() && s.plan.Purpose == "verify":
		return noisyLead
	}
	return lead
}

// noisy reports whether a trial failed well below the low end, or held well above
// the high one: something besides the rate has a say.
func (s *Search) noisy() bool {
	if s.mixed.rate > 0 {
		return true
	}
	below, above := s.beyond(s.low.rate/farApart, s.high.rate*farApart)
	return below.failed() > 0 || s.high.rate > 0 && above.held > 0
}

// beyond adds up the trials at rates up to low, and those at high or more.
func (s *Search) beyond(low, high float64) (below, above tally) {
	for _, t := range s.made {
		if t.rate <= low {
			below.merge(t)
		}
		if t.rate >= high {
			above.merge(t)
		}
	}
	return below, above
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
func (s *Search) ask(purpose string, rate float64) {
	length := trialLength
	switch {
	case s.calm > 0:
		length = briefLength
	case purpose == "verify":
		length = verifyLength
	}
	length = max(length, trialTimes*s.median, time.Duration(trialArrivals/rate*float64(time.Second)))
	s.plan = TrialPlan{Rate: rate, For: length, Warmup: trialWarmup, Purpose: purpose}
	s.tally = tally{rate: rate}
}

// held raises the low end to the rate that most trials held.
func (s *Search) held() {
	if s.high.rate == 0 {
		s.calm += s.tally.void
	}
	if s.plan.Purpose == "control" && s.tally.failed() > 0 {
		s.mixed = s.tally
	}
	s.low = end{s.tally, s.plan.Purpose == "verify"}
	if s.high.rate <= s.low.rate {
		s.drop(&s.high)
	}
	if s.disputed <= s.low.rate {
		s.disputed = 0
	}
	s.proceed()
}

// drop forgets an end that did not stand. After some of them the gap is opened
// again.
func (s *Search) drop(e *end) {
	if e.rate == 0 {
		return
	}
	*e = end{}
	if s.moved++; s.moved == mostMoved {
		s.moved, s.plan.Purpose = 0, "search"
	}
}

// failed brings the high end down to the rate at which most trials failed.
func (s *Search) failed() {
	s.high = end{s.tally, s.plan.Purpose == "verify"}
	if s.high.rate <= s.low.rate {
		s.drop(&s.low)
	}
	if s.disputed >= s.high.rate {
		s.disputed = 0
	}
	s.proceed()
}

// split goes on where as many trials held as failed: the rate lies between the
// ends, or the rate does not decide.
func (s *Search) split() {
	s.disputed = max(s.disputed, s.plan.Rate)
	s.splits++
	switch {
	case s.splits > mostSplit:
		s.stop(ByHost)
	case s.plan.Purpose == "search":
		s.failed()
	case s.plan.Purpose == "control" && s.mixed.rate > 0:
		s.stop(ByHost)
	case s.plan.Purpose == "control":
		s.mixed = s.tally
		s.failed()
	case s.low.verified && s.plan.Rate > s.low.rate:
		s.verifyHigh()
	case s.plan.Rate/s.splitStep() < leastRate:
		s.stop(ByHost)
	default:
		s.ask("verify", s.plan.Rate/s.splitStep())
	}
}

// splitStep is how far an end moves at which trials were split: further each time.
func (s *Search) splitStep() float64 { return math.Pow(verifyStep, float64(s.splits)) }

// verifyHigh asks whether the limits do not hold a step above the low end, and
// above any rate at which trials were split.
func (s *Search) verifyHigh() {
	rate := max(verifyStep*s.low.rate, s.splitStep()*s.disputed)
	if rate > s.o.Most && s.disputed >= s.o.Most || rate > widest*verifyStep*s.low.rate {
		s.stop(ByHost)
		return
	}
	s.ask("verify", min(rate, s.o.Most))
}

// proceed plans the next question, or stops.
func (s *Search) proceed() {
	low, high, searching := &s.low, &s.high, s.plan.Purpose != "verify"
	switch {
	case low.verified && high.verified && high.rate > widest*low.rate:
		s.stop(ByHost)
	case low.verified && high.verified:
		s.stop(high.cause())
	case low.verified && low.rate >= s.o.Most:
		s.stop(ByMost)
	case searching && low.rate == 0 && high.rate/2 < leastRate:
		s.stop(high.cause())
	case searching && low.rate == 0:
		s.ask("control", high.rate/2)
	case searching && high.rate == 0 && low.rate < s.o.Most:
		s.ask("search", min(2*low.rate, s.o.Most))
	case searching && high.rate > closeEnough*low.rate:
		s.ask("search", math.Sqrt(low.rate*high.rate))
	case low.rate == 0 && high.rate/verifyStep < leastRate:
		s.stop(high.cause())
	case low.rate == 0:
		s.ask("verify", high.rate/verifyStep)
	case !low.verified:
		s.ask("verify", low.rate)
	default:
		s.verifyHigh()
	}
}
