package engine

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/baseline"
)

// counting is a gauge that takes 1, 2, 3 ns and so on, and ten times that of processor
// time.
func counting() *gauge {
	n := 0.0
	return &gauge{once: func() (took, worked float64) { n++; return n, 10 * n }}
}

func TestStratumKeepsTheLeastOfEach(t *testing.T) {
	a, b := counting(), counting()
	failing := &gauge{once: func() (took, worked float64) { return math.NaN(), math.NaN() }}
	for range 2 {
		addStratum([]*gauge{a, b, failing}, 4)
	}
	for _, g := range []*gauge{a, b} {
		assert.Equal(t, []float64{1, 5}, g.took)
		assert.Equal(t, []float64{10, 50}, g.worked)
	}
	assert.True(t, math.IsNaN(failing.took[0]) && math.IsNaN(failing.worked[1]), "%v %v", failing.took, failing.worked)
}

// Of a server in another process only the total is known, from the end of one stratum
// to that of the next.
func TestStratumOfAnotherProcess(t *testing.T) {
	g := counting()
	total := 1000.0
	g.last = total
	g.total = func() float64 { total += 80; return total }
	addStratum([]*gauge{g}, 4)
	addStratum([]*gauge{g}, 2)
	assert.Equal(t, []float64{20, 40}, g.worked)
	assert.Equal(t, []float64{1, 5}, g.took)
}

func TestReadingIsTheCalmPart(t *testing.T) {
	var times, few []float64
	for i := range 40 {
		times = append(times, float64(100+(i*7)%40)) // 100 to 139 in another order
	}
	few = append(few, 1, 2, 3, 4, math.NaN(), 0, -5, math.Inf(-1))
	took := func(g *gauge) []float64 { return g.took }
	gauges := []*gauge{{took: times}, {took: few}, {took: times[:5]}}
	assert.Equal(t, &baseline.Calibrated{Time: 103, Reference: 100}, readingOf(gauges, took, 0.1), "the 4th of 40, none of too few, the least of 5")
	assert.Equal(t, &baseline.Calibrated{Time: 109, Reference: 107}, readingOf(gauges, took, 0.25))
	assert.Nil(t, readingOf([]*gauge{{took: few}}, took, 0.1))
}

func TestMoreStrata(t *testing.T) {
	for _, tc := range []struct {
		n    int
		took time.Duration
		want bool
		why  string
	}{
		{100, 900 * time.Millisecond, true, "a second is not over"},
		{100, time.Second, false, "and now it is"},
		{39, 2 * time.Second, true, "a busy machine has made few"},
		{39, 3 * time.Second, false, "but takes too long"},
		{4, 9 * time.Second, true, "too few to tell anything"},
		{2000, 0, false, "time stands still"},
	} {
		assert.Equal(t, tc.want, moreStrata(tc.n, tc.took), tc.why)
	}
	assert.Equal(t, []int{4, 2, 1}, []int{perStratum(time.Millisecond), perStratum(26 * time.Millisecond), perStratum(time.Second)})
}
