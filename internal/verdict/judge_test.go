package verdict

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
)

// enough time for any fail.
const enough = 10 * time.Second

func TestJudgeQuantile(t *testing.T) {
	again := DefaultStandard
	again.Repeated = true
	for _, tc := range []struct {
		limit string
		r     *record.Record
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
		{"p99<=50ms", even(2_999, 1, 0, enough), DefaultStandard, Inconclusive, "p99 needs 3000, though one alone is not within"},
		{"p99<=50ms", even(2_999, 0, 0, 4*time.Second), DefaultStandard, Inconclusive, "or a few seconds, if none comes near"},
		{"p99<=50ms", even(2_999, 0, 0, 5*time.Second), DefaultStandard, Pass, "enough seconds"},
		{"p99<=50ms", even(600, 0, 0, enough), DefaultStandard, Pass, "and enough requests"},
		{"p99<=50ms", even(599, 0, 0, enough), DefaultStandard, Inconclusive, "one too few"},
		{"p99>50ms", even(600, 0, 0, enough), DefaultStandard, Inconclusive, "that they are fast shows no limit missed"},
		{"p50<=50ms", even(30, 0, 0, enough), DefaultStandard, Pass, "12 would do for a median, but 30 are the least"},
		{"p50<=50ms", even(29, 0, 0, enough), DefaultStandard, Inconclusive, "one too few"},
		{"p99<=50ms", even(200, 200, 0, enough), DefaultStandard, Fail, "if none is within it takes fewer"},
		{"p99>50ms", even(200, 200, 0, enough), DefaultStandard, Pass, "the mirror"},
		{"p99<=50ms", even(29, 29, 0, enough), DefaultStandard, Inconclusive, "but some"},
		{"p99<=50ms", even(2_000, 900, 0, enough), DefaultStandard, Inconclusive, "less than half of them decide nothing"},
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
		{"p50<=50ms", seen(0), DefaultStandard, Inconclusive, "no data is no pass"},
		{"p50<=50ms", even(1_000, 0, 0, 0), DefaultStandard, Inconclusive, "nor is a run without a course"},
	} {
		got := judge(t, tc.limit, tc.r, tc.s)
		assert.Equal(t, tc.want, got.Verdict, "%s of %d: %s: %s", tc.limit, tc.r.Due, tc.why, got)
		assert.Equal(t, tc.r.Due, got.N)
		assert.Equal(t, tc.want == Fail && tc.r.Missed() > 0, got.Exact, "%s: noise makes answers late, not wrong", tc.limit)
		want := map[Verdict]float64{Pass: 1 - tc.s.Pass, Fail: 1 - tc.s.Fail}[tc.want]
		assert.Equal(t, tc.want == Pass && tc.r.Due < needed(limit(t, tc.limit).Q) && tc.r.Within[0] == tc.r.Due, got.Anytime, "%s of %d", tc.limit, tc.r.Due)
		assert.Equal(t, want, got.Confidence, "%s: %s", tc.limit, tc.why)
	}
}

// Unsent and unfinished requests count as slower than any time, as failed do.
func TestJudgeCountsWhatNeverCameBack(t *testing.T) {
	for _, what := range []time.Duration{unsent, unfinished} {
		r := seen(enough, mixed(10_000, 0, 300, what)...)
		require.Equal(t, int64(300), r.Unsent+r.Unfinished)
		assert.Equal(t, Fail, judge(t, "p99<=50ms", r, DefaultStandard).Verdict)
	}
}

func TestJudgeOtherMetrics(t *testing.T) {
	healthy := even(1_000, 100, 0, 2*time.Second) // mean 9.6 ms, 500 per second
	for _, tc := range []struct {
		limit string
		r     *record.Record
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
		{"max<=1h", seen(0), Inconclusive, false, "no data is no pass"},

		{"errors<=0", even(1_000, 0, 0, time.Second), Pass, true, "none failed"},
		{"errors<=0", seen(0, reset), Fail, true, "a fact, however few requests"},
		{"errors<=0", seen(0, 0, unsent), Fail, true, "what was never sent was an error to its user"},
		{"errors<=0", seen(0, 0, unfinished), Fail, true, "so was what never ended"},
		{"errors>0", seen(0, reset), Pass, true, "a fact"},
		{"errors<=100%", seen(0, reset), Pass, true, "always"},
		{"errors<100%", seen(0, reset), Fail, true, "all of them did"},
		{"errors<=100%", seen(0), Inconclusive, false, "no data is no pass"},
		{"errors<=1%", even(10_000, 0, 30, time.Second), Pass, false, "0.3 %"},
		{"errors<=1%", even(10_000, 0, 100, time.Second), Inconclusive, false, "1 %: another run may have more"},
		{"errors<=1%", even(10_000, 0, 200, time.Second), Fail, false, "2 %, and no noise makes errors"},
		{"errors<=1%", even(1_600, 0, 0, time.Second), Inconclusive, false, "none, but they come in groups: 1700 show it"},
		{"errors<=1%", even(1_750, 0, 0, time.Second), Pass, false, "enough"},

		{"throughput>=450", healthy, Pass, false, "486, as the last one took 60 ms"},
		{"throughput>=500", even(1_000, 0, 100, 2*time.Second), Fail, false, "450 completed"},
		{"goodput>=500", even(1_000, 0, 100, 2*time.Second), Fail, false, "450"},
		{"goodput>=500", even(1_000, 0, 100, time.Second), Pass, false, "900"},
		{"throughput>=1100", even(1_000, 0, 0, time.Second), Inconclusive, false, "2 s for a fail"},
		{"throughput<=100", even(1_000, 0, 0, time.Second), Fail, false, "no noise makes more"},
		{"throughput>=1", seen(time.Second, equal(5, reset)...), Fail, false, "nothing completed"},
		{"throughput>=1", seen(500*time.Millisecond, equal(10, 4*time.Millisecond)...), Pass, false, "20/s, if few, are surely not 1/s"},
		{"throughput>=1", seen(500*time.Millisecond, equal(9, 4*time.Millisecond)...), Inconclusive, false, "too few"},
		{"throughput>=6", seen(500*time.Millisecond, equal(10, 4*time.Millisecond)...), Inconclusive, false, "not that sure"},
		{"throughput<=1", seen(500*time.Millisecond, equal(10, 4*time.Millisecond)...), Inconclusive, false, "no such fail"},
		{"throughput>=1", seen(0, equal(5, 0)...), Inconclusive, false, "no time passed"},
		{"throughput<=1", seen(0), Inconclusive, false, "no data is no pass"},
	} {
		got := judge(t, tc.limit, tc.r, DefaultStandard)
		assert.Equal(t, tc.want, got.Verdict, "%s of %d: %s: %s", tc.limit, tc.r.Due, tc.why, got)
		assert.Equal(t, tc.exact, got.Exact, "%s: %s", tc.limit, tc.why)
	}
}

// A completed response with a wrong status counts for throughput alone.
func TestGoodputIsOfTheSucceeded(t *testing.T) {
	r := seen(time.Second, mixed(1_000, 0, 500, refused)...)
	assert.Equal(t, Pass, judge(t, "throughput>=900", r, DefaultStandard).Verdict)
	assert.InDelta(t, 500, judge(t, "goodput>=900", r, DefaultStandard).Observed, 2)
}

// A rate is over all the time up to the last response, also where nothing came.
func TestRateCountsTheWait(t *testing.T) {
	times := equal(1_000, 4*time.Millisecond)
	times[0] = 10 * time.Second
	r := judge(t, "throughput>=900", seen(time.Second, times...), DefaultStandard)
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
		r := Judge([]Limit{l}, newVirtual(w, l, 0).until(10_000), DefaultStandard)[0]
		assert.Equal(t, tc.want, r.Verdict, "%v: %s: %s", tc.took, tc.why, r)
	}
}

// Each limit has its own threshold, in their order, and those without one have
// none.
func TestJudgeSeveralLimits(t *testing.T) {
	limits := []Limit{limit(t, "errors<=0"), limit(t, "p50<=5ms"), limit(t, "max<=1s"), limit(t, "p99<=20ms"), limit(t, "p99<30ms")}
	require.Equal(t, []time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 30*time.Millisecond - 1}, Thresholds(limits))
	r := record.New(false, Thresholds(limits))
	for k := range int64(10_000) {
		due, took := time.Duration(k)*time.Millisecond, 4*time.Millisecond
		if k%50 == 0 {
			took = 25 * time.Millisecond
		}
		r.Add(&record.Sample{N: k, Due: due, Sent: due, Done: due + took, Result: record.Result{Status: 200}})
	}
	results := Judge(limits, r, DefaultStandard)
	require.Len(t, results, 5)
	for i, want := range []Verdict{Pass, Pass, Pass, Fail, Pass} {
		assert.Equal(t, want, results[i].Verdict, "%s", results[i])
		assert.Equal(t, limits[i], results[i].Limit)
	}
	assert.Contains(t, results[3].Reason, "9,800 within 20ms")
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
		var results []Finding
		for _, v := range tc.verdicts {
			results = append(results, Finding{Verdict: v})
		}
		assert.Equal(t, tc.want, Overall(results), tc.why)
	}
}

// A time that is shorter than a step of the clock cannot be judged.
func TestCoarseClock(t *testing.T) {
	check := func(want Verdict, l string, slow, missed int64, why string) {
		t.Helper()
		r := even(10_000, slow, missed, enough)
		r.Machine.ClockTick = 51 * time.Millisecond
		got := judge(t, l, r, DefaultStandard)
		assert.Equal(t, want, got.Verdict, why)
		if want == Inconclusive {
			assert.Contains(t, got.Reason, ": the clock of this machine moves on in steps of 51ms only (")
			assert.Zero(t, got.Needs, "more load is of no use")
			assert.Zero(t, got.Confidence)
		}
	}
	check(Inconclusive, "p99<=50ms", 10, 0, "would pass")
	check(Inconclusive, "p99<=50ms", 200, 0, "would fail")
	check(Inconclusive, "p99<=50ms", 100, 0, "in doubt anyway")
	check(Inconclusive, "max<=50ms", 0, 0, "would pass, as a fact")
	check(Inconclusive, "mean<=50ms", 0, 0, "would pass")
	check(Fail, "p99<=50ms", 0, 300, "what failed needs no clock")
	check(Fail, "max<=50ms", 0, 1, "likewise")
	check(Pass, "max<=51ms", 0, 0, "a step of the clock can be seen")
	check(Pass, "errors<=1%", 0, 0, "no time")
	check(Pass, "throughput>=1", 0, 0, "no response time")
}
