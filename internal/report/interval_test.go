package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
)

func TestIntervals(t *testing.T) {
	s := hist.NewSeries(nil)
	for n := range 150 {
		s.Due(0)
		s.Sent(0)
		s.Done(500*time.Microsecond, n >= 50) // 100 succeed
		if n >= 20 {
			s.Completed(500 * time.Microsecond)
		}
		if n >= 50 {
			s.Response(0, time.Duration(n)*ms)
		}
	}
	s.Due(2500 * time.Microsecond)

	got := Intervals(s.Intervals())
	require.Len(t, got, 3)
	first := got[0]
	assert.Equal(t, []int64{150, 150, 100, 50}, []int64{first.Due, first.Sent, first.Succeeded, first.Failed})
	assert.Equal(t, ms, first.Width)
	assert.Equal(t, 130_000.0, first.Throughput, "130 had a complete response, within 1 ms")
	assert.InEpsilon(t, 99*ms, *first.P50, 0.01, "the 50th of 50..149")
	assert.InEpsilon(t, 148*ms, *first.P99, 0.01, "the 99th")
	assert.Equal(t, 149*ms, *first.Max)
	assert.Nil(t, got[1].Max, "nothing in it")
	assert.Zero(t, got[1].Throughput)
	assert.Equal(t, 2*ms, got[2].Start)
	assert.Equal(t, int64(1), got[2].Due)
}

func TestSummarize(t *testing.T) {
	assert.Zero(t, Summarize(nil))
	assert.Zero(t, Summarize(hist.New(10)))
	for _, tc := range []struct {
		n    int
		want int // how many of p50, p75, p90, p95, p99, p99.9, p99.99
		why  string
	}{
		{1, 0, "the median of one would be the maximum"},
		{2, 1, "1/(1-0.5)"},
		{3, 1, ""}, {4, 2, "1/(1-0.75)"},
		{9, 2, ""}, {10, 3, "1/(1-0.9)"},
		{19, 3, ""}, {20, 4, "1/(1-0.95)"},
		{99, 4, ""}, {100, 5, "1/(1-0.99)"},
		{999, 5, ""}, {1000, 6, "1/(1-0.999)"},
		{9999, 6, ""}, {10000, 7, "1/(1-0.9999)"},
	} {
		d := Summarize(times(3*ms, tc.n))
		got := 0
		for _, q := range []*time.Duration{d.P50, d.P75, d.P90, d.P95, d.P99, d.P999, d.P9999} {
			if q != nil {
				got++
				assert.Equal(t, 3*ms, *q)
			}
		}
		assert.Equal(t, tc.want, got, "%d times: %s", tc.n, tc.why)
		assert.Equal(t, int64(tc.n), d.Count)
		assert.Equal(t, []time.Duration{3 * ms, 3 * ms, 3 * ms}, []time.Duration{*d.Min, *d.Mean, *d.Max})
	}
	d := Summarize(times(1*ms, 1, 3*ms, 1))
	assert.Equal(t, 2*ms, *d.Mean)
	assert.InEpsilon(t, ms, *d.StdDev, 0.01, "both are 1 ms from the mean")
}
