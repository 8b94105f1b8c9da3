package verdict

import (
	"math"
	"math/rand/v2"
	"os"
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
		assert.InEpsilon(t, 1.12, r.High/r.Low, 1e-9, tc.why)
		last := plans[len(plans)-1]
		assert.Equal(t, "verify", last.Purpose, tc.why)
		assert.GreaterOrEqual(t, last.For, 2*time.Second, tc.why)
	}
}

func TestSearchSteps(t *testing.T) {
	s := NewSearch(SearchRange{Start: 100})
	plans := play(t, s, upTo(310))
	var rates []float64
	for i, p := range plans {
		assert.Equal(t, 300*time.Millisecond, p.Warmup)
		if i == 0 || p.Rate != plans[i-1].Rate {
			rates = append(rates, math.Round(p.Rate))
		}
		if i < 8 {
			assert.Equal(t, TrialPlan{100, time.Second, 300 * time.Millisecond, "control"}, p)
		}
	}
	// 8 control trials, then 2 of 3 agree at each rate: 200 holds, 400 does
	// not, and so on; 306 and 1.12 times that are verified.
	assert.Equal(t, []float64{100, 200, 400, 283, 336, 308, 322, 308, 345}, rates)
	assert.Len(t, plans, 8+8*2)
	r := s.Result()
	assert.Equal(t, "the limits held at 308/s and not at 345/s", r.Reason)
}

// A trial that fails in the control makes every question a vote of seven.
func TestSearchVotes(t *testing.T) {
	count := func(failures int) map[string]int {
		made := map[string]int{}
		s := NewSearch(SearchRange{Start: 100, Budget: time.Hour})
		play(t, s, func(p TrialPlan) TrialResult {
			made[p.Purpose]++
			if p.Purpose == "control" && made["control"] > 8-failures {
				return TrialResult{Limit: ByTarget}
			}
			return TrialResult{Held: p.Rate <= 310, Limit: ByTarget}
		})
		assert.Equal(t, Pass, s.Result().Verdict)
		return made
	}
	assert.Equal(t, map[string]int{"control": 8, "search": 6 * 2, "verify": 2 * 2}, count(0))
	assert.Equal(t, map[string]int{"control": 8, "search": 6 * 4, "verify": 2 * 4}, count(1))
	assert.Equal(t, map[string]int{"control": 8, "search": 6 * 4, "verify": 2 * 4}, count(2))
}

func TestSearchOutvotesSingleTrials(t *testing.T) {
	n := 0
	s := NewSearch(SearchRange{Start: 100})
	play(t, s, func(p TrialPlan) TrialResult {
		n++
		r := TrialResult{Held: p.Rate <= 310, Limit: ByTarget}
		if p.Purpose != "control" && n%3 == 0 {
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
		{SearchRange{Start: 100, Most: 300}, upTo(290), ByTarget, Pass, 285, 300,
			"the limits held at 285/s and not at 300/s", "the bound is the high end"},
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
		{SearchRange{Start: 100}, func(TrialPlan) TrialResult { n++; return TrialResult{Held: n%2 > 0} }, ByHost, Inconclusive, 0, 0,
			"the limits held in 3 of 6 trials at 100/s and in 3 of 6 trials at 50/s: something other than the rate decides, such as a busy host; try again on a quieter one or with wider limits", "whatever the rate"},
		{SearchRange{Start: 100, Budget: 20 * time.Second}, upTo(1000), ByBudget, Inconclusive, 800, 0,
			"the 20s for all trials are over: the limits held at 800/s (not verified); no rate was too high", "while doubling"},
		{SearchRange{Start: 100, Budget: 22 * time.Second}, upTo(310), ByBudget, Inconclusive, 283, 336,
			"the 22s for all trials are over: the limits held at 283/s (not verified) and not at 336/s (not verified)", "while bisecting"},
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
	assert.Equal(t, "the limits do not hold even at 1.07/s: a limit was missed", s.Result().Reason)
	assert.Zero(t, s.Result().Low)
}

// Ends that stand by a bare majority each are not told apart by the rate.
func TestSearchIsInconclusiveWhenTheRateDoesNotDecide(t *testing.T) {
	verified := func(lowFails, highHolds int) SearchResult {
		made := map[float64]int{}
		s := NewSearch(SearchRange{Start: 100, Budget: time.Hour})
		play(t, s, func(p TrialPlan) TrialResult {
			held := p.Rate <= 310
			made[p.Rate]++
			switch n := made[p.Rate]; {
			case p.Purpose == "control":
				held = n > 1
			case p.Purpose == "verify" && held:
				held = n > 4+lowFails
			case p.Purpose == "verify":
				held = n <= highHolds
			}
			return TrialResult{Held: held, Limit: ByTarget}
		})
		return s.Result()
	}
	assert.Equal(t, Pass, verified(2, 1).Verdict)
	r := verified(2, 2)
	assert.Equal(t, Inconclusive, r.Verdict)
	assert.Equal(t, ByHost, r.StoppedBy)
	assert.Equal(t, "the limits held in 4 of 6 trials at 308/s and in 2 of 6 trials at 345/s: something other than the rate decides, such as a busy host; try again on a quieter one or with wider limits", r.Reason)
}

func TestSearchInterrupted(t *testing.T) {
	s := NewSearch(SearchRange{Start: 100})
	assert.Equal(t, SearchResult{Verdict: Inconclusive, Reason: "the search is not over"}, s.Result())
	for range 10 {
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

// The limit of the queues: chosen so that the load is heavy, 0.91, and the
// response times of a trial depend on each other.
const queueLimit = 50 * time.Millisecond

// searches is how many searches of each sort are simulated.
func searches() int {
	if os.Getenv("LOADTESTKIT_SIMULATE") == "1" {
		return 200
	}
	return 60
}

func TestSearchOnQuietQueues(t *testing.T) {
	runs := searches()
	for _, start := range []float64{100, 20, 3000} {
		rng := rand.New(rand.NewPCG(71, uint64(start)))
		q := &queue{served: 1000, limit: queueLimit, rng: rng}
		within, conclusive, total := 0, 0, 0.0
		var ratios []float64
		for range runs {
			r, took := q.search(SearchRange{Start: start})
			ratio := r.Low / q.capacity()
			ratios = append(ratios, ratio)
			if ratio >= 0.9 && ratio <= 1.13 {
				within++
			}
			if r.Verdict == Pass {
				conclusive++
			}
			total += took.Seconds()
		}
		t.Logf("start %.0f/s of %.0f/s: low/true within 0.9 to 1.13 in %d of %d, 5%% %.3f, 50%% %.3f, 95%% %.3f; pass %d; mean %.1f s",
			start, q.capacity(), within, runs, nearestRank(ratios, .05), nearestRank(ratios, .5), nearestRank(ratios, .95), conclusive, total/float64(runs))
		assert.GreaterOrEqual(t, float64(within), 0.95*float64(runs))
		assert.LessOrEqual(t, total/float64(runs), 75.0)
	}
}

func TestSearchOnStallingQueues(t *testing.T) {
	runs := searches()
	for _, tc := range []struct {
		stalls float64
		least  float64 // ratio of runs that must be inconclusive
	}{{0.2, 0}, {0.5, 0}, {1, 0.7}} {
		q := &queue{served: 1000, limit: queueLimit, stalls: tc.stalls, stall: 150 * time.Millisecond, rng: rand.New(rand.NewPCG(72, 1))}
		inconclusive := 0
		var ratios []float64
		for range runs {
			r, _ := q.search(SearchRange{Start: 100})
			if r.Verdict == Inconclusive {
				inconclusive++
				continue
			}
			ratios = append(ratios, r.Low/q.capacity())
		}
		t.Logf("%.1f stalls/s: inconclusive %d of %d; of the others low/true 5%% %.3f, 50%% %.3f, 95%% %.3f", tc.stalls, inconclusive, runs,
			nearestRank(ratios, .05), nearestRank(ratios, .5), nearestRank(ratios, .95))
		assert.GreaterOrEqual(t, float64(inconclusive), tc.least*float64(runs))
		for _, ratio := range ratios {
			assert.Less(t, ratio, 1.2, "noise never makes the target look better")
		}
	}
}
