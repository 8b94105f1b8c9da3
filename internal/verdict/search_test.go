package verdict

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// play answers each trial by what would hold and returns the trials made. It
// fails t if they do not end.
func play(t *testing.T, s *Search, answer func(TrialPlan) TrialResult) (plans []TrialPlan) {
	t.Helper()
	for p, ok := s.Next(); ok; p, ok = s.Next() {
		plans = append(plans, p)
		require.Less(t, len(plans), 1000)
		r := answer(p)
		r.Took = p.Warmup + p.For
		s.Record(r)
	}
	return plans
}

// upTo answers as a target does that holds every rate up to one, and none above.
func upTo(rate float64) func(TrialPlan) TrialResult {
	return func(p TrialPlan) TrialResult { return TrialResult{Held: p.Rate <= rate, Limit: ByTarget} }
}

func TestSearchFindsWhereLimitsCeaseToHold(t *testing.T) {
	for _, tc := range []struct {
		capacity, start float64
		why             string
	}{
		{1000, 100, "well above the start"},
		{100, 100, "at the start"},
		{90, 100, "just below the start"},
		{20, 100, "far below the start"},
		{3, 1000, "close to the least"},
		{0.9, 0.5, "slower than the least"},
		{1e6, 50, "much doubling"},
	} {
		s := NewSearch(SearchRange{Start: tc.start, Budget: time.Hour})
		plans := play(t, s, upTo(tc.capacity))
		r := s.Result()
		assert.Equal(t, Pass, r.Verdict, tc.why)
		assert.Equal(t, ByTarget, r.StoppedBy, tc.why)
		assert.LessOrEqual(t, r.Low, tc.capacity, tc.why)
		assert.Greater(t, r.High, tc.capacity, tc.why)
		assert.InDelta(t, 1.12, r.High/r.Low, 0.001, tc.why)
		last := plans[len(plans)-1]
		assert.Equal(t, "verify", last.Purpose, tc.why)
		assert.GreaterOrEqual(t, last.For, 2*time.Second, tc.why)
	}
}

func TestSearchSteps(t *testing.T) {
	s := NewSearch(SearchRange{Start: 100})
	p, ok := s.Next()
	assert.True(t, ok)
	assert.Equal(t, TrialPlan{Rate: 100, For: time.Second, Warmup: 300 * time.Millisecond, Purpose: "control"}, p)
	again, _ := s.Next()
	assert.Equal(t, p, again, "the same until it is recorded")
	plans := play(t, s, upTo(310))
	// After 3 control trials, 2 agree at each rate: 200 holds, 400 does not, and
	// so on; 308 and 1.12 times that are verified.
	assert.Equal(t, []float64{100, 200, 400, 283, 336, 308, 308, 345}, questions(plans))
	assert.Len(t, plans, 3+7*2)
	assert.Equal(t, "the limits held at 308/s and not at 345/s", s.Result().Reason)
}

// questions returns the rate of each question that trials were made to.
func questions(plans []TrialPlan) (rates []float64) {
	last := TrialPlan{}
	for _, p := range plans {
		if p != last {
			rates = append(rates, math.Round(p.Rate))
		}
		last = p
	}
	return rates
}

// A rate that is easy takes one trial, except in the control and where it is verified.
func TestSearchTakesOneTrialToAnEasyRate(t *testing.T) {
	made := map[float64]int{}
	play(t, NewSearch(SearchRange{Start: 100}), func(p TrialPlan) TrialResult {
		made[math.Round(p.Rate)]++
		return TrialResult{Held: p.Rate <= 310, Easy: p.Rate <= 310, Limit: ByTarget}
	})
	assert.Equal(t, map[float64]int{100: 3, 200: 1, 283: 1, 308: 1 + 2, 336: 2, 345: 2, 400: 2}, made)
}

// A trial in which the machine stalled does not count, and many of them are not the
// target's doing; but a search ends.
func TestSearchRepeatsStalledTrials(t *testing.T) {
	found := func(stalled func(n int, p TrialPlan) bool, held func(TrialPlan) bool) (SearchResult, []TrialPlan) {
		n := 0
		s := NewSearch(SearchRange{Start: 100, Budget: time.Hour})
		plans := play(t, s, func(p TrialPlan) TrialResult {
			n++
			if stalled(n, p) {
				return TrialResult{Held: !held(p), Limit: ByTarget, Stalled: true}
			}
			return TrialResult{Held: held(p), Limit: ByTarget}
		})
		return s.Result(), plans
	}
	holds := func(p TrialPlan) bool { return p.Rate <= 310 }
	r, plans := found(func(n int, _ TrialPlan) bool { return n%2 > 0 }, holds)
	assert.Equal(t, Pass, r.Verdict)
	assert.Equal(t, []float64{100, 200, 400, 283, 336, 308, 308, 345}, questions(plans))
	assert.Equal(t, "the limits held at 308/s and not at 345/s (17 trials in which this machine stalled not counted)", r.Reason)
	assert.Equal(t, briefLength, plans[len(plans)-1].For, "fewer of them meet a stall")

	// Trials that stall at high rates only may be the load's doing: they count.
	r, plans = found(func(_ int, p TrialPlan) bool { return p.Rate > 310 }, func(TrialPlan) bool { return true })
	assert.Less(t, len(plans), 60)
	assert.LessOrEqual(t, r.Low, 310.0)
	assert.Equal(t, Pass, r.Verdict)

	// Nor does a search go on for ever where all do.
	r, _ = found(func(int, TrialPlan) bool { return true }, holds)
	assert.NotEqual(t, Pass, r.Verdict, "nothing but stalls was seen")
}

// A control that disagrees makes verifying take more trials.
func TestSearchVerifiesMoreWhereTrialsDisagree(t *testing.T) {
	count := func(failures int) map[string]int {
		made := map[string]int{}
		s := NewSearch(SearchRange{Start: 100, Budget: time.Hour})
		play(t, s, func(p TrialPlan) TrialResult {
			made[p.Purpose]++
			if p.Purpose == "control" && made["control"] <= failures {
				return TrialResult{Limit: ByTarget}
			}
			return TrialResult{Held: p.Rate <= 310, Limit: ByTarget}
		})
		assert.Equal(t, Pass, s.Result().Verdict)
		return made
	}
	assert.Equal(t, map[string]int{"control": 3, "search": 5 * 2, "verify": 2 * 2}, count(0))
	assert.Equal(t, map[string]int{"control": 5, "search": 5 * 2, "verify": 2 * 6}, count(1))
}

// Ends at which as many trials hold as fail move apart, and what is between them is
// named.
func TestSearchWidensWhereTrialsDisagree(t *testing.T) {
	n := 0
	s := NewSearch(SearchRange{Start: 100, Budget: time.Hour})
	play(t, s, func(p TrialPlan) TrialResult {
		n++
		return TrialResult{Held: p.Rate <= 280 || p.Rate < 350 && n%2 == 0, Limit: ByTarget}
	})
	r := s.Result()
	assert.Equal(t, Pass, r.Verdict)
	assert.LessOrEqual(t, r.Low, 280.0)
	assert.GreaterOrEqual(t, r.High, 350.0)
	assert.Less(t, r.High/r.Low, widest)
	assert.Contains(t, r.Reason, "; in between trials disagreed")
}

func TestSearchOutvotesSingleTrials(t *testing.T) {
	n := 0
	s := NewSearch(SearchRange{Start: 100})
	play(t, s, func(p TrialPlan) TrialResult {
		n++
		r := TrialResult{Held: p.Rate <= 310, Limit: ByTarget}
		if p.Purpose != "control" && n%5 == 0 {
			r.Held = !r.Held
		}
		return r
	})
	r := s.Result()
	assert.Equal(t, Pass, r.Verdict)
	assert.True(t, r.Low <= 310 && 310 < r.High, "%+v", r)
}

func TestSearchStoppedByOthers(t *testing.T) {
	some := func(p TrialPlan) TrialResult { return TrialResult{} }
	n := 0
	for _, tc := range []struct {
		o         SearchRange
		answer    func(TrialPlan) TrialResult
		by        string
		verdict   Verdict
		low, high float64
		reason    string
		why       string
	}{
		{SearchRange{Start: 100, Most: 300}, upTo(1000), ByMost, Pass, 300, 0,
			"the limits held at 300/s, the most that was to be tried", "bounded"},
		{SearchRange{Start: 100, Most: 50}, upTo(1000), ByMost, Pass, 50, 0,
			"the limits held at 50/s, the most that was to be tried", "never above the bound"},
		{SearchRange{Start: 100, Most: 300}, upTo(290), ByTarget, Pass, 271, 300,
			"the limits held at 271/s and not at 300/s", "the bound is the high end"},
		{SearchRange{Start: 100}, func(p TrialPlan) TrialResult { return TrialResult{Held: p.Rate <= 310, Limit: ByGenerator} },
			ByGenerator, Inconclusive, 308, 0,
			"the limits held at 308/s; at 345/s the generator did not keep up, so the target may bear more", "a lower bound only"},
		{SearchRange{Start: 100}, func(p TrialPlan) TrialResult { return TrialResult{Held: p.Rate <= 310, Limit: ByHost} },
			ByHost, Inconclusive, 308, 0,
			"the limits held at 308/s; at 345/s the host was too busy, so the target may bear more", "noise never counts against the target"},
		{SearchRange{Start: 100}, upTo(0), ByTarget, Inconclusive, 0, 1.5625,
			"the limits do not hold even at 1.56/s: a limit was missed", "nothing holds"},
		{SearchRange{Start: 100}, func(TrialPlan) TrialResult { return TrialResult{Limit: ByHost} }, ByHost, Inconclusive, 0, 0,
			"the limits do not hold even at 1.56/s: the host was too busy", "nor is it the target's doing"},
		{SearchRange{Start: 100}, func(TrialPlan) TrialResult { n++; return TrialResult{Held: n%2 > 0} }, ByHost, Inconclusive, 0, 100,
			"the limits held in 3 of 6 trials at 100/s and in 3 of 6 trials at 50/s: something other than the rate decides, such as a busy host; try again on a quieter one or with wider limits", "whatever the rate"},
		{SearchRange{Start: 100, Budget: 14 * time.Second}, upTo(1000), ByBudget, Inconclusive, 800, 0,
			"the 14s for all trials are over: the limits held at 800/s (not verified); no rate was too high", "while doubling"},
		{SearchRange{Start: 100, Budget: 15 * time.Second}, upTo(310), ByBudget, Inconclusive, 283, 336,
			"the 15s for all trials are over: the limits held at 283/s (not verified) and not at 336/s (not verified)", "while bisecting"},
		{SearchRange{Start: 100, Budget: 2 * time.Second}, upTo(1000), ByBudget, Inconclusive, 0, 0,
			"the 2s for all trials are over: the limits held in 1 of 1 trials at 100/s", "in the control"},
		{SearchRange{Start: 100, Budget: 5 * time.Second}, some, ByBudget, Inconclusive, 0, 100,
			"the 5s for all trials are over: at 100/s a limit was missed, and no lower rate is known to hold", "on the way down"},
	} {
		s := NewSearch(tc.o)
		play(t, s, tc.answer)
		r := s.Result()
		assert.Equal(t, tc.by, r.StoppedBy, tc.why)
		assert.Equal(t, tc.verdict, r.Verdict, tc.why)
		assert.InDelta(t, tc.low, r.Low, 0.5, tc.why)
		assert.InDelta(t, tc.high, r.High, 0.5, tc.why)
		assert.Equal(t, tc.reason, r.Reason, tc.why)
	}
}

// A start rate near the capacity fails some trials. That is told from a busy
// host by half the rate, which holds.
func TestSearchStartsNearTheCapacity(t *testing.T) {
	n := 0
	s := NewSearch(SearchRange{Start: 100})
	plans := play(t, s, func(p TrialPlan) TrialResult {
		n++
		return TrialResult{Held: p.Rate < 99 || p.Rate < 101 && n%2 == 0, Limit: ByTarget}
	})
	assert.Equal(t, 50.0, plans[6].Rate)
	r := s.Result()
	assert.Equal(t, Pass, r.Verdict)
	assert.InEpsilon(t, 100, r.Low, 0.13)
}

func TestSearchMovesEndsThatDoNotStand(t *testing.T) {
	verified := func(capacity float64) SearchResult {
		s := NewSearch(SearchRange{Start: 100})
		play(t, s, func(p TrialPlan) TrialResult {
			if p.Purpose == "verify" {
				return upTo(capacity)(p)
			}
			return upTo(310)(p)
		})
		assert.Equal(t, Pass, s.Result().Verdict)
		return s.Result()
	}
	r := verified(600)
	assert.True(t, r.Low <= 600 && 600 < r.High, "up: %+v", r)
	r = verified(200)
	assert.True(t, r.Low <= 200 && 200 < r.High, "down: %+v", r)

	s := NewSearch(SearchRange{Start: 2, Budget: time.Hour})
	play(t, s, func(p TrialPlan) TrialResult { return TrialResult{Held: p.Purpose != "verify" && p.Rate <= 3} })
	assert.Equal(t, "the limits do not hold even at 1.02/s: a limit was missed", s.Result().Reason)
	assert.Zero(t, s.Result().Low)
}

// Where the median trial is not clear at several rates, the search says so.
func TestSearchIsInconclusiveWhenTheRateDoesNotDecide(t *testing.T) {
	made := map[float64]int{}
	s := NewSearch(SearchRange{Start: 100, Budget: time.Hour})
	plans := play(t, s, func(p TrialPlan) TrialResult {
		made[p.Rate]++
		held := p.Rate <= 310
		if p.Purpose == "verify" {
			held = made[p.Rate]%2 == 0
		}
		return TrialResult{Held: held, Limit: ByTarget}
	})
	r := s.Result()
	assert.Equal(t, Inconclusive, r.Verdict)
	assert.Equal(t, ByHost, r.StoppedBy)
	assert.Equal(t, "the limits held in 2 of 2 trials at 308/s and in 6 of 12 trials at 156/s: something other than the rate decides, such as a busy host; try again on a quieter one or with wider limits", r.Reason)
	assert.Less(t, len(plans), 80, "and soon")
}

func TestSearchInterrupted(t *testing.T) {
	s := NewSearch(SearchRange{Start: 100})
	assert.Equal(t, SearchResult{Verdict: Inconclusive, Reason: "the search is not over"}, s.Result())
	for range 5 {
		_, ok := s.Next()
		require.True(t, ok)
		s.Record(TrialResult{Held: true})
	}
	s.Interrupt()
	_, ok := s.Next()
	assert.False(t, ok)
	want := SearchResult{Low: 200, Verdict: Inconclusive, StoppedBy: ByInterrupt,
		Reason: "interrupted: the limits held at 200/s (not verified); no rate was too high"}
	assert.Equal(t, want, s.Result())
	s.Record(TrialResult{Held: true})
	s.Interrupt()
	assert.Equal(t, want, s.Result())
}

// A rate counts against the target only if that is clearly its doing.
func TestTallyCause(t *testing.T) {
	for _, tc := range []struct {
		tally tally
		want  string
	}{
		{tally{held: 1, byTarget: 2}, ByTarget},
		{tally{byTarget: 3, byGenerator: 1, byHost: 1}, ByTarget},
		{tally{byTarget: 1, byGenerator: 1}, ByGenerator},
		{tally{byTarget: 1, byHost: 1}, ByHost},
		{tally{byTarget: 2, byGenerator: 1, byHost: 2}, ByHost},
	} {
		assert.Equal(t, tc.want, tc.tally.cause(), "%+v", tc.tally)
	}
}

// Slow rates have longer trials: one of a single request would say nothing.
func TestSearchTrialsHaveEnoughArrivals(t *testing.T) {
	p, _ := NewSearch(SearchRange{Start: 2}).Next()
	assert.Equal(t, 5*time.Second, p.For)
	p, _ = NewSearch(SearchRange{Start: 10}).Next()
	assert.Equal(t, time.Second, p.For)
}
