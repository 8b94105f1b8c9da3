package target

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const ms = time.Millisecond

func TestLatencyQuantile(t *testing.T) {
	check := func(text string, q float64, want time.Duration, why string) {
		t.Helper()
		l, err := ParseLatency(text)
		require.NoError(t, err)
		assert.Equal(t, want, l.Quantile(q), "%s at %v: %s", text, q, why)
	}
	check("2ms", 0, 2*ms, "a constant")
	check("2ms", 1, 2*ms, "a constant")
	check("0s", 0.5, 0, "a constant of nothing")

	check("p50=2ms,p99=40ms", 0.5, 2*ms, "a point given")
	check("p50=2ms,p99=40ms", 0.99, 40*ms, "a point given")
	check("p50=2ms,p99=40ms", 0, 2*ms, "nothing is made up below the first point")
	check("p50=2ms,p99=40ms", 1, 40*ms, "nothing is made up above the last point")
	check("p50=2ms,p99=40ms", 0.745, 8_944_272, "half way: 2 ms times the root of 20")
	check("p0=1ms,p100=100ms", 0.5, 10*ms, "half way from 1 to 100 in logarithms")
	check("p0=0s,p50=4ms", 0.25, 2*ms, "0 has no logarithm: straight")
	check("p99.9=7ms", 0.5, 7*ms, "one point is a constant")
	check("p0=1ms, p50=1ms, p100=3ms", 0.3, ms, "level between equal points")

	check("90%:1ms,9%:10ms,1%:100ms", 0.9, ms, "the last of the first 90 %")
	check("90%:1ms,9%:10ms,1%:100ms", 0.9001, 10*ms, "just above 90 %")
	check("90%:1ms,9%:10ms,1%:100ms", 0.99, 10*ms, "90 % and 9 % are 99 %")
	check("90%:1ms,9%:10ms,1%:100ms", 0.995, 100*ms, "within the last 1 %")
	check("90%:1ms,9%:10ms,1%:100ms", 1, 100*ms, "the greatest")
	check("7%:1ms,93%:2ms", 7*0.01, ms, "7*0.01 is above 0.07 in float64")
	check("33.3%:1ms,33.3%:2ms,33.4%:3ms", 0.666, 2*ms, "33.3+33.3 is 66.6")

	assert.Zero(t, Latency{}.Quantile(0.5), "the zero value is always 0")
	assert.Zero(t, Latency{}.At(7, 1), "the zero value is always 0")
}

func TestParseLatencyRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2", `parsing latency "2": duration "2" needs a unit, for example 2ms`},
		{"", `"" is not a duration`},
		{"fast", `"fast" is not a duration, want one such as 2ms`},
		{"-2ms", `duration "-2ms" must not be negative`},
		{"25h", `duration "25h" must be at most 24h0m0s`},
		{"p50=2", `duration "2" needs a unit`},
		{"p50=2ms,40ms", `"40ms" is not a quantile, want one such as p99=40ms`},
		{"p50=2ms,", `"" is not a quantile`},
		{"50=2ms", `"50=2ms" is not a quantile`},
		{"p101=2ms", `"p101" is not between p0 and p100`},
		{"p-1=2ms", `"p-1" is not between p0 and p100`},
		{"pNaN=2ms", `"pNaN" is not between p0 and p100`},
		{"p99=40ms,p50=2ms", `"p50=2ms" must be above the quantile before it`},
		{"p50=2ms,p50=3ms", `"p50=3ms" must be above the quantile before it`},
		{"p50=2ms,p99=1ms", `"p99=1ms" must be above the quantile before it, and not faster`},
		{"90%:1ms,9%:10ms", `the shares sum to 99%, want 100%`},
		{"90%:1ms,11%:10ms", `the shares sum to 101%, want 100%`},
		{"0%:1ms,100%:10ms", `share "0%" must be above 0%`},
		{"90%:10ms,10%:1ms", `"10%:1ms" must take longer than the share before it`},
		{"90%:1ms,p99:10ms", `"p99:10ms" is not a share of a mix, want one such as 90%:1ms`},
		{"90%", `"90%" is not a share of a mix`},
	} {
		_, err := ParseLatency(c.text)
		assert.ErrorContains(t, err, c.want, c.text)
	}
}

func TestLatencyString(t *testing.T) {
	for _, text := range []string{"2ms", "0s", "p50=2ms,p99=40ms", "p0=1ms,p99.99=1.5s", "90%:1ms,9%:10ms,1%:100ms", "33.3%:1ms,66.7%:2ms"} {
		l, err := ParseLatency(text)
		require.NoError(t, err)
		assert.Equal(t, text, l.String())
	}
	assert.Equal(t, "0s", Latency{}.String())
	l, err := ParseLatency(" p50 = 2ms")
	assert.ErrorContains(t, err, `"p50 "`)
	assert.Equal(t, Latency{}, l)
}

// The share of 10,000 samples up to a quantile q is within five standard
// deviations, each sqrt(q*(1-q)/10000), of q.
func TestLatencyAtFollowsTheDistribution(t *testing.T) {
	const n = 10_000
	for _, c := range []struct {
		text   string
		shares []float64
	}{
		{"90%:1ms,9%:10ms,1%:100ms", []float64{0.9, 0.99}},
		{"p0=1ms,p50=2ms,p99=40ms,p100=90ms", []float64{0.1, 0.5, 0.9, 0.99, 0.999}},
		{"p50=2ms,p99=40ms", []float64{0.5, 0.75}},
	} {
		l, err := ParseLatency(c.text)
		require.NoError(t, err)
		for _, seed := range []uint64{0, 1, 1 << 63} {
			within := make([]float64, len(c.shares))
			for i := range int64(n) {
				d := l.At(i, seed)
				for j, q := range c.shares {
					if d <= l.Quantile(q) {
						within[j]++
					}
				}
			}
			for j, q := range c.shares {
				assert.InDelta(t, q, within[j]/n, 5*math.Sqrt(q*(1-q)/n), "%s seed %d", c.text, seed)
			}
		}
	}
}

func TestLatencyAtIsPureAndSeeded(t *testing.T) {
	l, err := ParseLatency("p0=1ms,p100=90ms")
	require.NoError(t, err)
	same, neighbours := 0, 0
	for n := range int64(1000) {
		assert.Equal(t, l.At(n, 7), l.At(n, 7))
		if l.At(n, 7) == l.At(n, 8) {
			same++
		}
		if l.At(n, 7) == l.At(n+1, 6) {
			neighbours++
		}
	}
	assert.Zero(t, same, "another seed is another sequence")
	assert.Zero(t, neighbours, "and not the same one moved along")
}

func TestDemoIsOneInAHundred(t *testing.T) {
	slow := 0
	for n := range int64(1000) {
		switch d := Demo().Delay(0, n); d {
		case 20 * ms:
			slow++
		default:
			require.Equal(t, ms, d)
		}
		if m := n + 1; m == 100 || m == 200 || m == 500 || m == 1000 {
			assert.EqualValues(t, m/100, slow, "of the first %d", m)
		}
	}
}

func BenchmarkLatencyAt(b *testing.B) {
	l, err := ParseLatency("p50=2ms,p99=40ms")
	require.NoError(b, err)
	b.ReportAllocs()
	for n := int64(0); b.Loop(); n++ {
		l.At(n, 1)
	}
}
