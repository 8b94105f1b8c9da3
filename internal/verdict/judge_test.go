package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func limit(t *testing.T, s string) Limit {
	t.Helper()
	l, err := Parse(s)
	require.NoError(t, err)
	return l
}

// good returns the counts of n requests that all succeeded, so many of them
// within the limit.
func good(n, within int64) Counts {
	return Counts{Due: n, Succeeded: n, Completed: n, Within: within, Elapsed: 10 * time.Second}
}

func TestJudgeQuantile(t *testing.T) {
	for _, tc := range []struct {
		limit string
		c     Counts
		want  Verdict
		why   string
	}{
		{"p99<=50ms", good(1000, 990), Pass, "ceil(0.99*1000) are within"},
		{"p99<=50ms", good(1000, 989), Fail, "one too few"},
		{"p99<50ms", good(1000, 990), Pass, "Within is then counted below 50ms"},
		{"p99>50ms", good(1000, 989), Pass, "the 990th is above"},
		{"p99>50ms", good(1000, 990), Fail, "the 990th is not above"},
		{"p99>=50ms", good(1000, 989), Pass, "the 990th is not below"},
		{"p99<=50ms", good(1001, 991), Pass, "ceil(990.99) is 991"},
		{"p99<=50ms", good(1001, 990), Fail, "one too few"},
		{"p99<=50ms", good(999, 999), Inconclusive, "p99 needs 1000, though all are within"},
		{"p99<=50ms", good(999, 0), Inconclusive, "likewise, though none is within"},
		{"p50<=50ms", good(20, 10), Pass, "the median of 20 is the 10th"},
		{"p50<=50ms", good(20, 9), Fail, "one too few"},
		{"p50<=50ms", good(19, 19), Inconclusive, "p50 needs 20"},
		{"p90<=50ms", good(100, 90), Pass, "10/(1-0.9) is 100, though not in binary"},
		{"p99.9<=50ms", good(10_000, 9_990), Pass, "10/(1-0.999) is 10,000"},
		{"p99.9<=50ms", good(9_999, 9_999), Inconclusive, "one too few to judge"},
		{"p7<=50ms", good(100, 7), Pass, "0.07*100 is 7, though not in binary"},
		{"p7<=50ms", good(100, 6), Fail, "one too few"},
		{"p99<=50ms", Counts{Due: 1000, Succeeded: 990, Failed: 10, Within: 990}, Pass, "1 % may be missed"},
		{"p99<=50ms", Counts{Due: 1000, Succeeded: 989, Failed: 11, Within: 989}, Fail, "those that failed fast were not within"},
		{"p99<=50ms", Counts{Due: 1000, Succeeded: 989, Unsent: 11, Within: 989}, Fail, "nor were those never sent"},
		{"p99<=50ms", Counts{Due: 1000, Succeeded: 989, Unfinished: 11, Within: 989}, Fail, "nor were those never done"},
		{"p50<=50ms", Counts{Due: 1000, Failed: 1000}, Fail, "nothing looks fast when everything fails"},
		{"p50<=50ms", Counts{}, Inconclusive, "no data is no pass"},
	} {
		got := Judge(limit(t, tc.limit), tc.c)
		assert.Equal(t, tc.want, got.Verdict, "%s of %+v: %s: %s", tc.limit, tc.c, tc.why, got)
		assert.Equal(t, tc.c.Due, got.N)
	}
}

func TestJudgeOtherMetrics(t *testing.T) {
	times := Counts{Due: 4, Succeeded: 4, Completed: 4, Mean: 20 * time.Millisecond, Max: 50 * time.Millisecond, Elapsed: time.Second}
	oneFailed := times
	oneFailed.Succeeded, oneFailed.Failed = 3, 1
	failures := func(n int64) Counts {
		return Counts{Due: 1000, Succeeded: 1000 - n, Failed: n, Completed: 1000, Elapsed: 2 * time.Second}
	}
	for _, tc := range []struct {
		limit string
		c     Counts
		want  Verdict
		why   string
	}{
		{"max<=50ms", times, Pass, "equal"},
		{"max<50ms", times, Fail, "equal is not below"},
		{"max>=50ms", times, Pass, "equal"},
		{"max>50ms", times, Fail, "equal is not above"},
		{"mean<=20ms", times, Pass, "equal"},
		{"mean<=19999999ns", times, Fail, "one nanosecond too much"},
		{"mean<=1h", oneFailed, Fail, "a request that failed took without bound"},
		{"max<=1h", oneFailed, Fail, "likewise"},
		{"max>=1ms", oneFailed, Pass, "and that is more than 1ms"},
		{"max<=1h", Counts{}, Inconclusive, "no data is no pass"},

		{"errors<=0.1%", failures(1), Pass, "1 of 1000 is 0.1 %"},
		{"errors<0.1%", failures(1), Fail, "and not less"},
		{"errors<=0.1%", failures(2), Fail, "twice that"},
		{"errors<=0", failures(0), Pass, "none failed"},
		{"errors<=0", Counts{Due: 1, Failed: 1}, Fail, "one request is enough to judge errors"},
		{"errors<=0", Counts{Due: 2, Succeeded: 1, Unsent: 1}, Fail, "what was never sent was an error to its user"},
		{"errors<=0", Counts{Due: 2, Succeeded: 1, Unfinished: 1}, Fail, "so was what never ended"},
		{"errors<=100%", Counts{}, Inconclusive, "no data is no pass"},

		{"throughput>=500", failures(100), Pass, "1000 in 2s, whatever their status"},
		{"throughput>500", failures(100), Fail, "and not more"},
		{"goodput>=450", failures(100), Pass, "900 in 2s"},
		{"goodput>=450.1", failures(100), Fail, "and not more"},
		{"goodput<450.1", failures(100), Pass, "a limit from above"},
		{"throughput>=1", Counts{Due: 5, Failed: 5, Elapsed: time.Second}, Fail, "nothing completed"},
		{"throughput>=1", Counts{Due: 5, Succeeded: 5, Completed: 5}, Inconclusive, "no time passed"},
		{"throughput<=1", Counts{}, Inconclusive, "no data is no pass"},
	} {
		got := Judge(limit(t, tc.limit), tc.c)
		assert.Equal(t, tc.want, got.Verdict, "%s of %+v: %s: %s", tc.limit, tc.c, tc.why, got)
	}
}

// A verdict agrees with the samples it is about: for every number of requests,
// the limit is kept exactly when the sample at the nearest rank keeps it.
func TestJudgeAgreesWithSortedSamples(t *testing.T) {
	for _, q := range []struct {
		text     string
		num, den int64 // the quantile as a fraction
	}{{"p50", 1, 2}, {"p7", 7, 100}, {"p99", 99, 100}, {"p99.9", 999, 1000}, {"p33.3", 333, 1000}} {
		l := limit(t, q.text+"<=50ms")
		least := (10*q.den + q.den - q.num - 1) / (q.den - q.num)
		for n := int64(1); n <= 10_010; n++ {
			if n == 1200 {
				n = 9_990 // around the number that p99.9 needs
			}
			rank := (q.num*n + q.den - 1) / q.den
			want := [2]Verdict{Pass, Fail}
			if n < least {
				want = [2]Verdict{Inconclusive, Inconclusive}
			}
			got := [2]Verdict{Judge(l, good(n, rank)).Verdict, Judge(l, good(n, rank-1)).Verdict}
			require.Equal(t, want, got, "%s of %d requests", q.text, n)
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
