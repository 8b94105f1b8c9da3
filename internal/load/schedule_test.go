package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nth returns when arrival n of s is due.
func nth(s Schedule, n int64) (time.Duration, bool) {
	c := s.Cursor()
	for range n {
		c.Next()
	}
	a, ok := c.Next()
	return a.Due, ok
}

func TestConstantRate(t *testing.T) {
	check := func(perSecond float64, n int64, want time.Duration, why string) {
		t.Helper()
		got, ok := nth(Constant(perSecond), n)
		assert.True(t, ok)
		assert.Equal(t, want, got, why)
	}
	check(100, 0, 0, "the first arrival is due at once")
	check(100, 150, 1500*time.Millisecond, "150 / 100 per second")
	check(3, 3, time.Second, "thirds do not drift")
	check(3, 300_001, 100_000*time.Second+333_333_333, "nor do they after a day")
	check(300_000, 3_000_000, 10*time.Second, "a summed 3333 ns interval would be 1 ms early")
	check(0.01, 1, 100*time.Second, "less than one a second")
	check(50.0/60, 50, time.Minute, "fifty a minute")
}

func TestStages(t *testing.T) {
	s := Schedule{Stages: []Stage{
		{For: 10 * time.Second, From: 100, To: 100}, // arrivals 0 to 999
		{For: 5 * time.Second},                      // a pause
		{For: 10 * time.Second, From: 0, To: 100},   // 1000 to 1499
		{For: 10 * time.Second, From: 100, To: 0},   // 1500 to 1999
	}}
	check := func(n int64, want time.Duration, why string) {
		t.Helper()
		got, ok := nth(s, n)
		assert.True(t, ok, why)
		assert.Equal(t, want, got, why)
	}
	check(999, 9990*time.Millisecond, "the last of the step")
	check(1000, 15*time.Second, "a pause is waited out")
	check(1005, 15*time.Second+time.Second, "x = 100 t²/20 = 5 at t = 1")
	check(1125, 20*time.Second, "a quarter of the ramp's arrivals in half its time")
	check(1500, 25*time.Second, "the fall begins")
	check(1875, 30*time.Second, "three quarters in half the time")
	_, ok := nth(s, 2000)
	assert.False(t, ok, "no arrival is due at the end")
	assert.Equal(t, 35*time.Second, s.Length())
	assert.Equal(t, 100.0, s.Peak())
}

func TestStagesEndless(t *testing.T) {
	s := Schedule{Stages: []Stage{{For: time.Second, From: 0, To: 10}}, Endless: true}
	got, ok := nth(s, 25)
	assert.True(t, ok)
	assert.Equal(t, 3*time.Second, got, "5 on the ramp, then 10 a second")
}

func TestDueNeverDecreases(t *testing.T) {
	for _, poisson := range []bool{false, true} {
		s := Schedule{Poisson: poisson, Seed: 7, Stages: []Stage{
			{For: time.Second, From: 1, To: 5000}, {For: time.Millisecond, From: 1e6, To: 1e6},
			{For: time.Second, From: 5000, To: 0}, {For: time.Second}, {For: 300 * time.Millisecond, From: 0.1, To: 1000},
		}}
		var last time.Duration
		c := s.Cursor()
		n := 0
		for a, ok := c.Next(); ok; a, ok = c.Next() {
			require.GreaterOrEqual(t, a.Due, last, "arrival %d", a.N)
			require.Less(t, a.Due, s.Length())
			last = a.Due
			n++
		}
		assert.InEpsilon(t, 6150, n, 0.05)
	}
}

// The gaps of Poisson arrivals are exponential. The test is that of Kolmogorov and
// Smirnov, whose statistic exceeds 1.95/sqrt(n) in one of a thousand samples.
func TestPoissonGapsAreExponential(t *testing.T) {
	const n, perSecond = 20_000, 1000.0
	for _, seed := range []uint64{1, 2, 1 << 60} {
		s := Constant(perSecond)
		s.Poisson, s.Seed = true, seed
		c := s.Cursor()
		var gaps []float64
		var last time.Duration
		for range n {
			a, _ := c.Next()
			gaps = append(gaps, (a.Due-last).Seconds()*perSecond)
			last = a.Due
		}
		slices.Sort(gaps)
		var worst float64
		for i, g := range gaps {
			cdf := 1 - math.Exp(-g)
			worst = max(worst, math.Abs(cdf-float64(i)/n), math.Abs(cdf-float64(i+1)/n))
		}
		assert.Less(t, worst, 1.95/math.Sqrt(n), "seed %d", seed)
		assert.InEpsilon(t, n/perSecond, last.Seconds(), 0.03, "the mean rate, to four standard errors")
	}
}

func TestPoissonIsSeeded(t *testing.T) {
	arrivals := func(seed uint64) (due []time.Duration) {
		s := Constant(100)
		s.Poisson, s.Seed = true, seed
		c := s.Cursor()
		for range 100 {
			a, _ := c.Next()
			due = append(due, a.Due)
		}
		return due
	}
	assert.Equal(t, arrivals(1), arrivals(1))
	assert.NotEqual(t, arrivals(1), arrivals(2))
}

func TestCursorCopiesGoOnAlone(t *testing.T) {
	s := Constant(100)
	s.Poisson = true
	a := s.Cursor()
	a.Next()
	b := a
	fromA, _ := a.Next()
	fromB, _ := b.Next()
	assert.Equal(t, fromA, fromB)
}

// Skip passes the arrivals that Next would return, and no others.
func TestSkipPassesWhatNextReturns(t *testing.T) {
	stages := Schedule{Stages: []Stage{
		{For: 20 * time.Millisecond, From: 3e5, To: 3e5},
		{For: 5 * time.Millisecond},
		{For: 30 * time.Millisecond, From: 0, To: 1e6},
		{For: 30 * time.Millisecond, From: 1e6, To: 1},
	}}
	endless := stages
	endless.Endless = true
	random := stages
	random.Poisson = true
	for name, s := range map[string]Schedule{
		"1e9/s": Constant(1e9), "3/s": Constant(3), "1e-6/s": Constant(1e-6), "7e8/3/s": Constant(7e8 / 3),
		"stages": stages, "endless": endless, "poisson": random,
	} {
		t.Run(name, func(t *testing.T) {
			walked, skipped := s.Cursor(), s.Cursor()
			for before := time.Duration(1); before < 120*time.Millisecond; before = before*5/4 + 1 {
				var want int64
				for want < 1000 {
					ahead := walked
					if a, ok := ahead.Next(); !ok || a.Due >= before {
						break
					}
					walked = ahead
					want++
				}
				require.Equal(t, want, skipped.Skip(before, 1000), "before %v", before)
				require.Equal(t, walked, skipped)
			}
		})
	}
}

func TestSkipOfManyTakesNoLonger(t *testing.T) {
	s := Constant(1e9)
	c := s.Cursor()
	assert.Equal(t, int64(time.Hour), c.Skip(time.Hour, math.MaxInt64))
	a, _ := c.Next()
	assert.Equal(t, time.Hour, a.Due)
}
