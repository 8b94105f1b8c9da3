package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

// course returns the record of 10,000 requests in 10 s whose response times, in
// ms, are a function of how far the run has come.
func course(l Limit, ms func(part float64) float64) *record.Record {
	n := 0.0
	w := &world{new: func(*rand.Rand) func() float64 {
		return func() float64 { n++; return ms((n - 1) / 10_000) }
	}}
	return newVirtual(w, l, 0).until(10_000)
}

// behind returns the record of 10 s at 200 arrivals/s on a target that serves
// fewer, one after the other, so that they wait longer and longer.
func behind(capacity func(part float64) float64) *record.Record {
	times, free := make([]time.Duration, 2000), time.Duration(0)
	for k := range times {
		due := time.Duration(k) * 5 * time.Millisecond
		free = max(free, due) + time.Duration(1e9/capacity(float64(k)/2000))
		times[k] = free - due
	}
	return seen(10*time.Second, times...)
}

func TestTrend(t *testing.T) {
	check := func(want, why string, ms func(part float64) float64) {
		t.Helper()
		assert.Equal(t, want, trend(course(limit(t, "p50<=1s"), ms).Series.Intervals()), why)
	}
	check("", "constant", func(float64) float64 { return 5 })
	check("rose", "steadily", func(p float64) float64 { return 5 + 10*p })
	check("fell", "steadily", func(p float64) float64 { return 15 - 10*p })
	check("rose", "by half", func(p float64) float64 { return 5 + 5*math.Round(p) })
	check("", "there and back", func(p float64) float64 { return 5 + 10*math.Abs(p-0.5) })
	check("", "the first twentieth is slow", func(p float64) float64 {
		if p < 0.05 {
			return 100
		}
		return 5 + 0.5*math.Sin(200*p)
	})
	assert.Empty(t, trend(nil), "no data")
}

// A target that got slow in the second half of the run, or was so in the first,
// may have been disturbed; one that was too slow throughout was too slow.
func TestTrendExcusesWhatWasNotThroughout(t *testing.T) {
	for _, tc := range []struct {
		limit string
		ms    func(part float64) float64
		want  Verdict
		why   string
	}{
		{"p50<=9ms", func(p float64) float64 { return 12 + 10*p }, Fail, "an overloaded target gets slower and slower"},
		{"mean<=9ms", func(p float64) float64 { return 12 + 10*p }, Fail, "likewise"},
		{"p50<=9ms", func(p float64) float64 { return 12 + math.Sin(1e5*p) }, Fail, "without a trend"},
		{"max<=9ms", func(p float64) float64 { return 5 + 10*p }, Inconclusive, "it grew beyond the limit late"},
		{"max<=9ms", func(p float64) float64 { return 8 + 10*p }, Fail, "it was beyond the limit nearly all the time"},
		{"max>9ms", func(p float64) float64 { return 1 + p }, Fail, "no noise makes it fast"},
	} {
		l := limit(t, tc.limit)
		r := Judge([]Limit{l}, course(l, tc.ms), DefaultStandard)[0]
		assert.Equal(t, tc.want, r.Verdict, "%s: %s: %s", tc.limit, tc.why, r)
		if tc.want == Inconclusive {
			assert.Contains(t, r.Reason, "missed, but the response times rose during the run")
		}
	}
	for least, want := range map[string]Verdict{
		"throughput>=198":   Fail,         // never kept up with
		"throughput>=140":   Pass,         // always
		"throughput>=150.5": Inconclusive, // in its first half alone
	} {
		r := judge(t, least, behind(func(part float64) float64 { return 151 - 2*math.Round(part) }), DefaultStandard)
		assert.Equal(t, want, r.Verdict, "%s", r)
	}
	assert.False(t, throughout(make([]batch, 31), -1), "too few parts to tell")
}
