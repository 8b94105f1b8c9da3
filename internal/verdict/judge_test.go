package verdict

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
)

func limit(t *testing.T, s string) Limit {
	t.Helper()
	l, err := Parse(s)
	require.NoError(t, err)
	return l
}

// even returns the counts of n requests over so much time, of which slow took
// 60 ms, missed did not succeed, and all others took 4 ms. The limit is at
// 50 ms. Slow and missed ones come evenly, so that nothing depends on anything.
func even(n, slow, missed int64, over time.Duration) Counts {
	c := Counts{
		Due: n, Succeeded: n - missed, Failed: missed, Completed: n - missed,
		Within: n - slow - missed, Elapsed: over, Measured: over,
	}
	series, all := hist.NewSeries([]time.Duration{50 * time.Millisecond}), hist.New(10)
	for k := range n {
		due := over / time.Duration(n) * time.Duration(k)
		series.Due(due)
		bad := slow + missed
		switch at := k * bad / n; {
		case at == (k+1)*bad/n:
			series.Response(due, 4*time.Millisecond)
			all.Record(4e6)
		case at*missed/bad != (at+1)*missed/bad:
			series.Missed(due)
			continue
		default:
			series.Response(due, 60*time.Millisecond)
			all.Record(60e6)
		}
		series.Done(due, true)
		series.Completed(due)
	}
	c.Intervals = series.Intervals()
	c.Mean, c.Max = time.Duration(all.Mean()), time.Duration(all.Max())
	return c
}

func TestEven(t *testing.T) {
	c := even(1000, 30, 10, time.Second)
	var due, over, missed int64
	for _, i := range c.Intervals {
		due, over, missed = due+i.Due, over+i.Over[0], missed+i.Missed
	}
	assert.Equal(t, []int64{1000, 30, 10}, []int64{due, over, missed})
}

// enough time for any fail.
const enough = 10 * time.Second

func TestJudgeQuantile(t *testing.T) {
	again := DefaultStandard
	again.Repeated = true
	for _, tc := range []struct {
		limit string
		c     Counts
		s     Standard
		want  Verdict
		why   string
	}{
		{"p99<=50ms", even(10_000, 10, 0, enough), DefaultStandard, Pass, "a tenth of what is allowed"},
		{"p99<=50ms", even(10_000, 100, 0, enough), DefaultStandard, Inconclusive, "exactly as many as allowed: another run may have more"},
		{"p99<=50ms", even(10_000, 200, 0, enough), DefaultStandard, Fail, "twice as many"},
		{"p99<50ms", even(10_000, 200, 0, enough), DefaultStandard, Fail, "likewise"},
		{"p99>50ms", even(10_000, 200, 0, enough), DefaultStandard, Pass, "the mirror"},
		{"p99>=50ms", even(10_000, 10, 0, enough), DefaultStandard, Fail, "likewise"},
		{"p99>50ms", even(10_000, 100, 0, enough), DefaultStandard, Inconclusive, "likewise"},
		{"p99<=50ms", even(2_999, 0, 0, enough), DefaultStandard, Inconclusive, "p99 needs 3000, though all are within"},
		{"p99<=50ms", even(2_999, 2_999, 0, enough), DefaultStandard, Inconclusive, "likewise, though none is within"},
		{"p99<=50ms", even(3_000, 0, 0, enough), DefaultStandard, Pass, "enough"},
		{"p99<=50ms", even(3_000, 0, 0, time.Second), DefaultStandard, Pass, "a pass needs no time: noise adds to latency only"},
		{"p99<=50ms", even(10_000, 200, 0, enough-1), DefaultStandard, Inconclusive, "a fail does: it may be a slow spell"},
		{"p99<=50ms", even(10_000, 200, 0, enough-1), again, Fail, "unless a fresh run will have to fail too"},
		{"p99>50ms", even(10_000, 10, 0, time.Second), DefaultStandard, Fail, "no noise makes a target fast"},
		{"p95<=50ms", even(10_000, 1_000, 0, 2*time.Second), DefaultStandard, Fail, "the bulk of requests needs less time"},
		{"p95<=50ms", even(10_000, 1_000, 0, 2*time.Second-1), DefaultStandard, Inconclusive, "but some"},
		{"p50<=50ms", even(60, 0, 0, time.Second), DefaultStandard, Pass, "the median needs 60"},
		{"p50<=50ms", even(59, 0, 0, time.Second), DefaultStandard, Inconclusive, "one too few"},
		{"p50<=50ms", even(1_000, 0, 0, 7*time.Millisecond), DefaultStandard, Inconclusive, "too short to see anything"},
		{"p50<=50ms", even(1_000, 0, 0, 8*time.Millisecond), DefaultStandard, Pass, "long enough"},
		{"p99<=50ms", even(10_000, 0, 10, enough), DefaultStandard, Pass, "1 % may be missed"},
		{"p99<=50ms", even(10_000, 0, 300, enough), DefaultStandard, Fail, "those that failed fast were not within"},
		{"p99<=50ms", even(10_000, 0, 300, time.Second), DefaultStandard, Fail, "and no slow spell makes answers wrong"},
		{"p99<=50ms", even(10_000, 300, 10, time.Second), DefaultStandard, Inconclusive, "but slow ones it makes"},
		{"p50<=50ms", even(300, 0, 300, 300*time.Millisecond), DefaultStandard, Fail, "nothing looks fast when everything fails"},
		{"p50<=50ms", Counts{}, DefaultStandard, Inconclusive, "no data is no pass"},
		{"p50<=50ms", Counts{Due: 1000, Succeeded: 1000, Within: 1000}, DefaultStandard, Inconclusive, "nor is a run without a course"},
	} {
		got := Judge(limit(t, tc.limit), tc.c, tc.s)
		assert.Equal(t, tc.want, got.Verdict, "%s of %d: %s: %s", tc.limit, tc.c.Due, tc.why, got)
		assert.Equal(t, tc.c.Due, got.N)
		assert.Equal(t, tc.want == Fail && tc.c.missed() > 0, got.Exact, "%s: noise makes answers late, not wrong", tc.limit)
		want := map[Verdict]float64{Pass: 1 - tc.s.Pass, Fail: 1 - tc.s.Fail}[tc.want]
		assert.Equal(t, want, got.Confidence, "%s: %s", tc.limit, tc.why)
	}
}

// Unsent and unfinished requests count as slower than any time, as failed do.
func TestJudgeCountsWhatNeverCameBack(t *testing.T) {
	l := limit(t, "p99<=50ms")
	for _, set := range []func(*Counts){
		func(c *Counts) { c.Failed, c.Unsent = 0, c.Failed },
		func(c *Counts) { c.Failed, c.Unfinished = 0, c.Failed },
	} {
		c := even(10_000, 0, 300, enough)
		set(&c)
		assert.Equal(t, Fail, Judge(l, c, DefaultStandard).Verdict)
	}
}

func TestJudgeOtherMetrics(t *testing.T) {
	healthy := even(1_000, 100, 0, 2*time.Second) // mean 9.6 ms, 500 per second
	for _, tc := range []struct {
		limit string
		c     Counts
		want  Verdict
		exact bool
		why   string
	}{
		{"max<=60ms", healthy, Pass, true, "equal"},
		{"max<60ms", even(10_000, 1, 0, enough), Fail, false, "equal is not below"},
		{"max<60ms", healthy, Inconclusive, false, "one slow request may be the machine's: 10 s"},
		{"max>=60ms", healthy, Pass, true, "equal"},
		{"max>60ms", healthy, Fail, true, "equal is not above, and no noise"},
		{"mean<=12ms", healthy, Pass, false, "9.6 ms"},
		{"mean<=9.6ms", healthy, Inconclusive, false, "another run may have more"},
		{"mean<=8ms", healthy, Fail, false, "well above"},
		{"mean>8ms", healthy, Pass, false, "the mirror"},
		{"mean<=8ms", even(1_000, 100, 0, time.Second), Inconclusive, false, "2 s"},
		{"mean<=1h", even(29, 0, 0, enough), Inconclusive, false, "too few"},
		{"mean<=1h", even(1_000, 0, 1, time.Second), Fail, true, "a request that failed took without bound"},
		{"max<=1h", even(1_000, 0, 1, time.Second), Fail, true, "likewise"},
		{"max>=1ms", even(1_000, 0, 1, time.Second), Pass, true, "and that is more than 1ms"},
		{"max<=1h", Counts{}, Inconclusive, false, "no data is no pass"},

		{"errors<=0", even(1_000, 0, 0, time.Second), Pass, true, "none failed"},
		{"errors<=0", Counts{Due: 1, Failed: 1}, Fail, true, "a fact, however few requests"},
		{"errors<=0", Counts{Due: 2, Succeeded: 1, Unsent: 1}, Fail, true, "what was never sent was an error to its user"},
		{"errors<=0", Counts{Due: 2, Succeeded: 1, Unfinished: 1}, Fail, true, "so was what never ended"},
		{"errors>0", Counts{Due: 1, Failed: 1}, Pass, true, "a fact"},
		{"errors<=100%", Counts{Due: 1, Failed: 1}, Pass, true, "always"},
		{"errors<100%", Counts{Due: 1, Failed: 1}, Fail, true, "all of them did"},
		{"errors<=100%", Counts{}, Inconclusive, false, "no data is no pass"},
		{"errors<=1%", even(10_000, 0, 30, time.Second), Pass, false, "0.3 %"},
		{"errors<=1%", even(10_000, 0, 100, time.Second), Inconclusive, false, "1 %: another run may have more"},
		{"errors<=1%", even(10_000, 0, 200, time.Second), Fail, false, "2 %, and no noise makes errors"},
		{"errors<=1%", even(1_600, 0, 0, time.Second), Inconclusive, false, "none, but they come in groups: 1700 show it"},
		{"errors<=1%", even(1_750, 0, 0, time.Second), Pass, false, "enough"},

		{"throughput>=480", healthy, Pass, false, "500"},
		{"throughput>=500", even(1_000, 0, 100, 2*time.Second), Fail, false, "450 completed"},
		{"goodput>=500", even(1_000, 0, 100, 2*time.Second), Fail, false, "450"},
		{"goodput>=500", even(1_000, 0, 100, time.Second), Pass, false, "900"},
		{"throughput>=1100", even(1_000, 0, 0, time.Second), Inconclusive, false, "2 s for a fail"},
		{"throughput<=100", even(1_000, 0, 0, time.Second), Fail, false, "no noise makes more"},
		{"throughput>=1", Counts{Due: 5, Failed: 5, Elapsed: time.Second}, Fail, false, "nothing completed"},
		{"throughput>=1", Counts{Due: 5, Succeeded: 5, Completed: 5}, Inconclusive, false, "no time passed"},
		{"throughput<=1", Counts{}, Inconclusive, false, "no data is no pass"},
	} {
		got := Judge(limit(t, tc.limit), tc.c, DefaultStandard)
		assert.Equal(t, tc.want, got.Verdict, "%s of %d: %s: %s", tc.limit, tc.c.Due, tc.why, got)
		assert.Equal(t, tc.exact, got.Exact, "%s: %s", tc.limit, tc.why)
	}
}

// A completed response with a wrong status counts for throughput alone.
func TestGoodputIsOfTheSucceeded(t *testing.T) {
	c := even(1_000, 0, 0, time.Second)
	for i := range c.Intervals {
		c.Intervals[i].Succeeded /= 2
	}
	c.Succeeded, c.Failed = 500, 500
	assert.Equal(t, Pass, Judge(limit(t, "throughput>=900"), c, DefaultStandard).Verdict)
	assert.Equal(t, 500.0, Judge(limit(t, "goodput>=900"), c, DefaultStandard).Observed)
}

// A rate is over all the time up to the last response, also where nothing came.
func TestRateCountsTheWait(t *testing.T) {
	c := even(1_000, 0, 0, time.Second)
	c.Elapsed = 10 * time.Second
	r := Judge(limit(t, "throughput>=900"), c, DefaultStandard)
	assert.Equal(t, 100.0, r.Observed)
	assert.NotEqual(t, Pass, r.Verdict)
	assert.Greater(t, r.High-r.Low, 50.0, "it came all at once")
}

// A nanosecond decides, not a bucket: 49.990 ms and 50 ms share one.
func TestJudgeReadsNoHistogram(t *testing.T) {
	for _, tc := range []struct {
		took time.Duration
		want Verdict
		why  string
	}{
		{49_990 * time.Microsecond, Pass, "within"},
		{50 * time.Millisecond, Pass, "equal"},
		{50*time.Millisecond + 1, Fail, "over"},
	} {
		l := limit(t, "p99<=50ms")
		w := &world{new: func(*rand.Rand) func() float64 {
			return func() float64 { return float64(tc.took) / 1e6 }
		}}
		r := Judge(l, newVirtual(w, l, 0).until(10_000), DefaultStandard)
		assert.Equal(t, tc.want, r.Verdict, "%v: %s: %s", tc.took, tc.why, r)
	}
}

func TestNeeded(t *testing.T) {
	check := func(q float64, want int64) {
		t.Helper()
		assert.Equal(t, want, needed(q), "%v", q)
	}
	check(0.5, 60)
	check(0.07, 33) // 32.26
	check(0.9, 300)
	check(0.95, 600)
	check(0.99, 3000)
	check(0.999, 30_000)
	check(0.9999, 300_000)
	check(0.999999, 30_000_000)
	check(1e-9, 31)
	for den := int64(2); den <= 1000; den++ {
		for _, num := range []int64{1, den / 2, den - 1} {
			check(float64(num)/float64(den), (30*den+den-num-1)/(den-num))
		}
	}
}

func TestOverall(t *testing.T) {
	for _, tc := range []struct {
		verdicts []Verdict
		want     Verdict
		why      string
	}{
		{nil, NotJudged, "no limits, no verdict"},
		{[]Verdict{NotJudged, NotJudged}, NotJudged, "none was judged"},
		{[]Verdict{NotJudged, Pass}, Pass, "what is not judged does not count"},
		{[]Verdict{Pass, Inconclusive, Pass}, Inconclusive, "doubt outweighs a pass"},
		{[]Verdict{Inconclusive, Fail, Pass}, Fail, "a miss outweighs all"},
	} {
		var results []Result
		for _, v := range tc.verdicts {
			results = append(results, Result{Verdict: v})
		}
		assert.Equal(t, tc.want, Overall(results), tc.why)
	}
}
