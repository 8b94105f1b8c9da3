package verdict

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/unit"
)

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		in, canonical string
		want          Limit
		why           string
	}{
		{"p99<=50ms", "p99<=50ms", Limit{Metric: Quantile, Q: 0.99, Op: AtMost, Time: 50 * time.Millisecond}, "the usual limit"},
		{"p99.9<1.5s", "p99.9<1.5s", Limit{Metric: Quantile, Q: 0.999, Op: Below, Time: 1500 * time.Millisecond}, "99.9/100 is not 0.999 in binary"},
		{"p7>=1ms", "p7>=1ms", Limit{Metric: Quantile, Q: 0.07, Op: AtLeast, Time: time.Millisecond}, "0.07*100 is not 7 in binary"},
		{"p099.90 <= 60s", "p99.9<=1m", Limit{Metric: Quantile, Q: 0.999, Op: AtMost, Time: time.Minute}, "zeros and spaces do not matter"},
		{" mean > 1h0m0s ", "mean>1h", Limit{Metric: Mean, Op: Above, Time: time.Hour}, "spaces around do not matter"},
		{"max<=102.7ms", "max<=102.7ms", Limit{Metric: Max, Op: AtMost, Time: 102700 * time.Microsecond}, "fractions of a unit"},
		{"errors<=0.1%", "errors<=0.1%", Limit{Metric: Errors, Op: AtMost, Value: 0.001}, "percent"},
		{"errors<=0.001", "errors<=0.1%", Limit{Metric: Errors, Op: AtMost, Value: 0.001}, "a ratio is the same limit"},
		{"errors<=0", "errors<=0%", Limit{Metric: Errors, Op: AtMost}, "none may fail"},
		{"errors<=-0", "errors<=0%", Limit{Metric: Errors, Op: AtMost}, "a negative zero is zero"},
		{"errors<1", "errors<100%", Limit{Metric: Errors, Op: Below, Value: 1}, "one is a ratio, not a percentage"},
		{"throughput>=5000", "throughput>=5000", Limit{Metric: Throughput, Op: AtLeast, Value: 5000}, "per second is understood"},
		{"throughput>=5000/s", "throughput>=5000", Limit{Metric: Throughput, Op: AtLeast, Value: 5000}, "per second may be said"},
		{"goodput>0.5", "goodput>0.5", Limit{Metric: Goodput, Op: Above, Value: 0.5}, "less than one a second"},
	} {
		got, err := Parse(tc.in)
		if assert.NoError(t, err, "%s: %s", tc.in, tc.why) {
			assert.Equal(t, tc.want, got, "%s: %s", tc.in, tc.why)
			assert.Equal(t, tc.canonical, got.String(), "%s: %s", tc.in, tc.why)
		}
	}
}

func TestParseSaysWhatWouldBeRight(t *testing.T) {
	const metrics = "want p50, p90, p99, p99.9 or any other percentile, mean, max, errors, throughput or goodput"
	for _, tc := range []struct{ in, want, why string }{
		{"", "no limit given, want for example p99<=50ms", "an empty variable in a script"},
		{"  ", "no limit given, want for example p99<=50ms", "likewise"},
		{"p99", "no comparison, want one of < <= > >=, for example p99<=50ms", "half a limit"},
		{"p99<50", "p99 needs a duration with a unit, for example p99<50ms", "as k6 writes it"},
		{"p95<=", "p95 needs a duration with a unit, for example p95<=50ms", "no value"},
		{"max<=0s", "max needs a duration above 0, for example max<=50ms", "nothing takes no time"},
		{"mean<=-5ms", "mean needs a duration above 0, for example mean<=50ms", "or less"},
		{"p99=50ms", `unknown comparison "=", want one of < <= > >=, for example p99<=50ms`, "times are never equal"},
		{"p99==50ms", `unknown comparison "==", want one of < <= > >=, for example p99<=50ms`, "likewise"},
		{"p99=<50ms", `unknown comparison "=<", want one of < <= > >=, for example p99<=50ms`, "the wrong way round"},
		{"throughput!=5", `unknown comparison "!=", want one of < <= > >=, for example throughput>=5000`, "likewise"},
		{"foo<=1", `unknown metric "foo", ` + metrics, "no such metric"},
		{"<=1", `unknown metric "", ` + metrics, "no metric"},
		{"p(99)<500", `unknown metric "p(99)", ` + metrics, "as k6 writes it"},
		{"P99<=5ms", `unknown metric "P99", ` + metrics, "one way to write each"},
		{"p<=5ms", `no percentile "p", want for example p99 or p99.9`, "which one?"},
		{"p99.9.9<=5ms", `no percentile "p99.9.9", want for example p99 or p99.9`, "not a number"},
		{"p101<=5ms", `no percentile "p101", want one above p0 and below p100`, "out of range"},
		{"p0<=5ms", `no percentile "p0", want one above p0 and below p100`, "out of range"},
		{"p100<=5ms", `p100 is the longest response time: call it max`, "one way to say each thing"},
		{"errors<=200%", "errors needs a share from 0 to 100%, for example errors<=0.1% or errors<=0.001", "out of range"},
		{"errors<=5", "errors needs a share from 0 to 100%, for example errors<=0.1% or errors<=0.001", "five what?"},
		{"errors<=-1%", "errors needs a share from 0 to 100%, for example errors<=0.1% or errors<=0.001", "out of range"},
		{"errors<=NaN", "errors needs a share from 0 to 100%, for example errors<=0.1% or errors<=0.001", "not a number"},
		{"errors<0%", "errors<0% never holds: use errors<=0%", "would fail every run"},
		{"errors>1", "errors>1 never holds: use errors>=1", "likewise"},
		{"throughput>=5s", "throughput needs a number of responses per second, for example throughput>=5000", "a time is not a rate"},
		{"goodput>=0", "goodput needs a number of responses per second, for example goodput>=5000", "always holds"},
		{"goodput<Inf", "goodput needs a number of responses per second, for example goodput<5000", "always holds"},
	} {
		l, err := Parse(tc.in)
		assert.EqualError(t, err, tc.want, "%q: %s", tc.in, tc.why)
		assert.Zero(t, l, "%q", tc.in)
	}
}

func TestThreshold(t *testing.T) {
	for _, tc := range []struct {
		limit string
		want  time.Duration
		ok    bool
		why   string
	}{
		{"p99<=50ms", 50 * time.Millisecond, true, "50ms itself is within"},
		{"p99<50ms", 50*time.Millisecond - 1, true, "50ms itself is not"},
		{"p99>50ms", 50 * time.Millisecond, true, "missed if enough are <= 50ms"},
		{"p99>=50ms", 50*time.Millisecond - 1, true, "missed if enough are < 50ms"},
		{"mean<=50ms", 0, false, "needs the mean, no count"},
		{"max<=50ms", 0, false, "the maximum is exact"},
		{"errors<=1%", 0, false, "not about time"},
		{"throughput>=1", 0, false, "not about time"},
	} {
		l, err := Parse(tc.limit)
		require.NoError(t, err)
		got, ok := l.Threshold()
		assert.Equal(t, tc.want, got, "%s: %s", tc.limit, tc.why)
		assert.Equal(t, tc.ok, ok, "%s: %s", tc.limit, tc.why)
	}
}

func TestParseTolerance(t *testing.T) {
	for s, want := range map[string]Tolerance{
		"p50=5%":      {0.5, 1.05},
		"p99=10%":     {0.99, 1.1},
		"p99.9=20%":   {0.999, 1.2},
		"p90=1.05":    {0.9, 1.05},
		" p75 = 0 % ": {0.75, 1},
		"p50=1":       {0.5, 1},
		"p50=200%":    {0.5, 3},
		"p50=14%":     {0.5, 1.14}, // which 1+0.14 is not
	} {
		got, err := ParseTolerance(s)
		require.NoError(t, err, s)
		assert.Equal(t, want, got, s)
	}
	for s, want := range map[string]string{
		"":           "want a percentile and by how much it may be slower, for example p99=10%",
		"p99":        "want a percentile and by how much it may be slower",
		"latency=5%": `unknown percentile "latency", want p50, p90, p99, p99.9 or any other`,
		"max=5%":     `unknown percentile "max"`,
		"errors=5%":  `unknown percentile "errors"`,
		"p101=5%":    `no percentile "p101", want one above p0 and below p100`,
		"p100=5%":    "p100 is the longest response time",
		"p50=":       "p50 needs by how much it may be slower, for example p50=5% or p50=1.05",
		"p50=5":      "p50 needs by how much it may be slower", // 5 %, surely
		"p50=0.95":   "p50 needs by how much it may be slower",
		"p50=-5%":    "p50 needs by how much it may be slower",
		"p50=NaN":    "p50 needs by how much it may be slower",
		"p50=Inf":    "p50 needs by how much it may be slower",
		"p50=5ms":    "p50 needs by how much it may be slower",
	} {
		got, err := ParseTolerance(s)
		assert.ErrorContains(t, err, want, s)
		assert.Zero(t, got, s)
	}
	assert.Equal(t, "p99.9", Tolerance{Q: 0.999}.Name())
}

// What Parse accepts, String writes in a form that Parse reads as the same
// limit, and that is its own canonical form.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"p99<=50ms", "p99<50", "p101<=5ms", "errors<=200%", "foo<=1", "p99=50ms", "", "throughput>=5s",
		"p99.9999>1h2m3.000000004s", "errors<=0.30000000000000004", "errors<=1e-310", "goodput>=1e300/s",
		"throughput>=0x1p-3", "p00.0000001<=1ns", "mean<=2562047h47m16.854775807s", "errors<=3.3%",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := Parse(s)
		if err != nil {
			require.NotEmpty(t, err.Error())
			return
		}
		again, err := Parse(l.String())
		require.NoError(t, err, "%q is written as %q", s, l)
		require.Equal(t, l, again, "%q is written as %q", s, l)
		require.Equal(t, l.String(), again.String())
		r := Judge([]Limit{l}, seen(time.Second, 0, time.Minute, reset), DefaultStandard)[0]
		require.NotEqual(t, NotJudged, r.Verdict)
		require.NotEmpty(t, r.String())
	})
}

// What ParseTolerance accepts can be judged by, and its name is a percentile.
func FuzzTolerance(f *testing.F) {
	for _, s := range []string{"p50=5%", "p99=1.05", "p99.9 = 0%", "p50=1e308%", "p50=NaN", "p50=0.9", "p50", "=", "p50=1e-400%", "p101=5%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := ParseTolerance(s)
		if err != nil {
			require.Zero(t, l)
			return
		}
		require.True(t, 0 < l.Q && l.Q < 1, l)
		require.True(t, 1 <= l.Ratio && l.Ratio <= math.MaxFloat64, l)
		_, err = unit.ParseQuantile(l.Name())
		require.NoError(t, err)
	})
}
