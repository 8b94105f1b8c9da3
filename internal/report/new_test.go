package report

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

func TestNewOfAnOpenWorkload(t *testing.T) {
	d := open()
	assert.Equal(t, Requests{Due: 5000, Sent: 4996, Completed: 4990, Succeeded: 4988, Failed: 5, Unsent: 4, Unfinished: 3}, d.Requests)
	assert.Equal(t, 1000.0, *d.Rate.Offered, "5000 in 5 s")
	assert.Equal(t, []float64{999.2, 998, 997.6}, []float64{d.Rate.Achieved, d.Rate.Throughput, d.Rate.Goodput})
	assert.Equal(t, map[string]int64{"200": 4988, "500": 2}, d.StatusCodes)
	assert.Equal(t, record.Octets{Sent: 4993 * 120, Received: 4993 * 255, Body: 4990 * 13, Surplus: 12}, d.Bytes)
	assert.Equal(t, []ErrorCount{
		{"truncated", 2, "unexpected EOF", []FailedRequest{{"3f2a9c-000000002400", "unexpected EOF"}, {"3f2a9c-000000002401", "unexpected EOF"}}},
		{"timeout", 1, "no response within 10s", []FailedRequest{{"3f2a9c-000000002999", "no response within 10s"}}},
	}, d.Errors)
	assert.Equal(t, &Warmup{Due: 2000, Sent: 2000, Succeeded: 1999, Failed: 1, Duration: 2 * time.Second}, d.Warmup)
	assert.Len(t, d.Slowest, 10)
	assert.Equal(t, SlowRequest{"3f2a9c-000000002000", 2000 * ms, 1001 * ms, 1980 * us, 200}, d.Slowest[0], "20 us late, and it waited for a permit the rest of the time")
	assert.Equal(t, 1001*ms, *d.ResponseTime.Max)
	assert.Equal(t, int64(5), d.FailedTime.Count)
	assert.Equal(t, 69*us, *d.Lateness.Max)
	assert.Equal(t, 999*ms, *d.PermitWait.Max)
	assert.Equal(t, Run, d.Kind)
	assert.Equal(t, 2, d.Schema)
	assert.Same(t, d.Record, d.Arm.Record)
}

func TestNewOfAClosedWorkload(t *testing.T) {
	d := interrupted()
	assert.True(t, d.Interrupted)
	assert.Nil(t, d.Rate.Offered, "it plans no arrivals")
	assert.InEpsilon(t, 312/1.559, d.Rate.Achieved, 1e-9, "the last was due at 59 ms and took 1.5 s")
	assert.Equal(t, d.ResponseTime, d.ServiceTime)
	assert.Zero(t, d.Lateness)
	assert.Nil(t, d.Warmup)
}

func TestNewOfNothing(t *testing.T) {
	d := New(facts(Run), record.New(true, nil))
	assert.Zero(t, d.Requests)
	assert.Equal(t, Rate{Offered: new(0.0)}, d.Rate)
	assert.Zero(t, d.ResponseTime)
	assert.Empty(t, d.Intervals)
	assert.NotNil(t, d.Record)
}

func TestGenerator(t *testing.T) {
	l := newLoad(false)
	l.add(9, ms, 0, status(200))
	l.Warmup.Due, l.Warmup.Sent = 1, 1
	l.Exhausted = 3 * ms
	g := New(facts(Run), l.Record).Generator
	assert.Equal(t, "goroutines", g.Engine)
	assert.Equal(t, []int64{2, 50, 50}, []int64{int64(g.Processors), g.PeakInFlight, g.ConnectionsOpened})
	assert.Equal(t, 3*ms, g.PermitsExhausted)
	assert.Nil(t, g.CPUUse, "the sensor is off")
	assert.Nil(t, g.CPUPerRequest)
	assert.Zero(t, g.Control)

	l.Machine.HaveCPU, l.Machine.CPUUser, l.Machine.Wall = true, 20*ms, 40*ms
	l.Loops = 1
	control := newLoad(false)
	control.add(3, ms, 0, status(200))
	l.Control = control.Record
	g = New(facts(Run), l.Record).Generator
	assert.Equal(t, "epoll", g.Engine)
	assert.Equal(t, 0.25, *g.CPUUse, "of two processors")
	assert.Equal(t, 2*ms, *g.CPUPerRequest, "counting those of the warm-up")
	assert.Equal(t, int64(3), g.Control.Count)
}

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

	got := intervals(s.Intervals())
	require.Len(t, got, 3)
	first := got[0]
	assert.Equal(t, []int64{150, 150, 100, 50}, []int64{first.Due, first.Sent, first.Succeeded, first.Failed})
	assert.Equal(t, ms, first.Width)
	assert.Equal(t, 130_000.0, first.Throughput, "130 had a complete response, within 1 ms")
	assert.InEpsilon(t, 99*ms, *first.P50, 0.01, "the 50th of 50..149")
	assert.InEpsilon(t, 148*ms, *first.P99, 0.01, "the 99th")
	assert.Equal(t, 149*ms, *first.Max)
	assert.Nil(t, got[1].Max, "an empty interval")
	assert.Zero(t, got[1].Throughput)
	assert.Equal(t, 2*ms, got[2].Start)
	assert.Equal(t, int64(1), got[2].Due)
}

func TestQuantile(t *testing.T) {
	a := &Arm{}
	_, ok := a.Quantile(0.5)
	assert.False(t, ok, "no record")
	l := newLoad(false)
	a.Record = l.Record
	_, ok = a.Quantile(1)
	assert.False(t, ok, "an empty one")
	l.add(98, ms, 0, status(200))
	l.add(1, 7*ms, 0, status(200))
	_, ok = a.Quantile(0.99)
	assert.False(t, ok, "99 requests are too few for a p99")
	l.add(1, 7*ms, 0, status(200))
	got, ok := a.Quantile(0.99)
	assert.True(t, ok, "100 requests are enough")
	assert.InEpsilon(t, 7*ms, got, 0.001)
	got, ok = a.Quantile(1)
	assert.True(t, ok)
	assert.Equal(t, 7*ms, got, "the longest is exact")
}

func TestNewLimitResult(t *testing.T) {
	quantile, err := verdict.Parse("p99<=50ms")
	require.NoError(t, err)
	errors, err := verdict.Parse("errors<=1%")
	require.NoError(t, err)

	got := NewLimitResult(verdict.Finding{
		Limit: quantile, Verdict: verdict.Pass, Observed: 4e7, HaveObserved: true, N: 100, Low: 3e7, High: 5e7, HaveInterval: true,
		NEffective: 50, DesignEffect: 2, Confidence: 0.95, Summary: "SUMMARY", Basis: "BASIS", Reason: "REASON", Detail: "DETAIL",
	})
	assert.Equal(t, LimitResult{
		Limit: "p99<=50ms", Verdict: verdict.Pass, Observed: new(4e7), N: 100, Low: new(3e7), High: new(5e7),
		NEffective: new(50.0), DesignEffect: new(2.0), Confidence: new(0.95), Summary: "SUMMARY", Basis: "BASIS", Reason: "REASON", Detail: "DETAIL",
	}, got)

	got = NewLimitResult(verdict.Finding{Limit: quantile, Observed: math.Inf(1), HaveObserved: true, High: math.Inf(1), HaveInterval: true, Exact: true})
	assert.Equal(t, LimitResult{Limit: "p99<=50ms", Exact: true}, got, "a time from 0 to infinity has no bound")
	got = NewLimitResult(verdict.Finding{Limit: errors, High: 0.03, HaveInterval: true})
	assert.Equal(t, LimitResult{Limit: "errors<=1%", Low: new(0.0), High: new(0.03)}, got, "a ratio of 0 is a bound")
}

func TestJudged(t *testing.T) {
	d := compared()
	got := d.Judged()
	require.Len(t, got, 4, "claims and limits, and no ratio that did not fail")
	c := &d.Claims[0]
	assert.Equal(t, LimitResult{
		Limit: "work<=1.05x base", Verdict: verdict.Fail, Observed: new(1.123), Low: new(1.08), High: new(1.16), N: 42,
		Summary: "work: " + c.Summary, Basis: c.Basis, Reason: "work: " + c.Reason, Detail: c.Detail,
	}, got[0])
	assert.Equal(t, "tail p99<=1.1x base", got[1].Limit)
	assert.Equal(t, "allocs<=base+3", got[2].Limit)
	assert.True(t, got[2].Exact)
	assert.Equal(t, d.Limits[0], got[3])

	d.Ratios[0].Verdict = verdict.Fail
	r := d.Judged()[3]
	assert.Equal(t, "load p50<=1.05x base", r.Limit)
	assert.Equal(t, int64(12), r.N)

	// What a fail left open is no doubt beside it, and one without it.
	d.Claims[1].Verdict = verdict.Inconclusive
	assert.Len(t, d.Judged(), 4)
	assert.Equal(t, verdict.Fail, Overall(d.Judged()))
	d.Claims[0].Verdict, d.Ratios[0].Verdict = verdict.Pass, verdict.NotJudged
	assert.Len(t, d.Judged(), 4)
	assert.Equal(t, verdict.Inconclusive, Overall(d.Judged()))

	assert.Equal(t, []LimitResult{{
		Limit: "capacity", Verdict: verdict.Pass, Observed: new(420.4), Low: new(420.4), High: new(470.9),
		Summary: "the limits held at 420/s and not at 471/s", Reason: "the limits held at 420/s and not at 471/s",
	}}, searched().Judged())
	assert.Empty(t, (&Document{}).Judged())
}

func TestOverall(t *testing.T) {
	overall := func(of ...verdict.Verdict) verdict.Verdict {
		var limits []LimitResult
		for _, v := range of {
			limits = append(limits, LimitResult{Verdict: v})
		}
		return Overall(limits)
	}
	assert.Equal(t, verdict.NotJudged, overall())
	assert.Equal(t, verdict.Pass, overall(verdict.NotJudged, verdict.Pass))
	assert.Equal(t, verdict.Inconclusive, overall(verdict.Inconclusive, verdict.Pass))
	assert.Equal(t, verdict.Fail, overall(verdict.Inconclusive, verdict.Fail, verdict.Pass))
}

// times returns a histogram that holds d n times.
func times(d time.Duration, n int) *hist.Histogram {
	h := hist.New(10)
	h.RecordN(int64(d), int64(n))
	return h
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
	h := times(ms, 1)
	h.Record(int64(3 * ms))
	d := Summarize(h)
	assert.Equal(t, 2*ms, *d.Mean)
	assert.InEpsilon(t, ms, *d.StdDev, 0.01, "both are 1 ms from the mean")
}

func TestDistributionQuantile(t *testing.T) {
	h := times(ms, 99)
	h.Record(int64(7 * ms))
	d := Summarize(h)
	for q, want := range map[float64]*time.Duration{0.5: d.P50, 0.75: d.P75, 0.9: d.P90, 0.95: d.P95, 0.99: d.P99} {
		assert.Same(t, want, d.Quantile(q), "%v", q)
		assert.InEpsilon(t, ms, *d.Quantile(q), 0.001, "%v", q)
	}
	assert.Nil(t, d.Quantile(0.999), "100 times are too few")
	assert.Nil(t, d.Quantile(0.6), "there is no such field")
	for _, q := range unit.Quantiles {
		assert.Contains(t, d.quantiles(), q, "quantiles that are shown and recorded")
	}
}

// A request has a gap before the next one, and rates count it.
func TestRatesOfFewRequests(t *testing.T) {
	l := newLoad(true)
	l.Offering, l.Until = 10*time.Second, time.Second
	l.add(1, 3*ms, 0, status(200))
	d := New(facts(Run), l.Record)
	assert.Equal(t, Rate{Offered: new(0.1), Achieved: 0.1, Throughput: 0.1, Goodput: 0.1}, d.Rate)
	assert.Equal(t, time.Second, d.Elapsed, "it took no longer")

	l.Elapsed = 20 * time.Second
	d = New(facts(Run), l.Record)
	assert.Equal(t, 0.05, d.Rate.Throughput, "its response came late")
	assert.Equal(t, 20*time.Second, d.Elapsed)
}
