package verdict

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// missesOf is in which share of simulated runs the true quantile lay outside
// its 99 % confidence interval.
type missesOf struct {
	below, above float64 // the interval
	naive        float64 // either end of the interval for independent requests
}

func simulateCoverage(w *world, q float64, n int64, times int) (m missesOf) {
	truth := w.p99 * 1e6
	if q == 0.5 {
		truth = w.p50 * 1e6
	}
	l := Limit{Metric: Quantile, Q: q, Op: AtMost, Time: time.Duration(truth)}
	each := 1 / float64(times)
	for k := range times {
		r := newVirtual(w, l, uint64(k)).until(n)
		j := &judgement{Finding: Finding{Limit: l}, seen: r, intervals: r.Series.Intervals(), s: Standard{Fail: 0.005, Pass: 0.005}}
		t := j.newTail()
		design, _ := t.design(0)
		j.setInterval(0, math.Inf(1))
		j.interval(t, design)
		if truth < j.Low {
			m.below += each
		}
		if truth > j.High {
			m.above += each
		}
		if bad := float64(n - r.Within[0]); stat.SurelyAbove(bad, float64(n), 1-q, 0.005) || stat.SurelyAtMost(bad, float64(n), 1-q, 0.005) {
			m.naive += each
		}
	}
	return m
}

// Confidence intervals hold the true quantile as often as they say, also where
// requests depend on each other and intervals for independent ones do not.
func TestIntervalsCover(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		worlds       string
		q            float64
		n            int64
		all, few     int
		below, above float64 // the most misses
		why          string
	}{
		{"iid mix", 0.99, 1_000, 1000, 40, 0.005, 0.005, "independent requests"},
		{"iid mix", 0.99, 10_000, 1000, 40, 0.005, 0.005, "independent requests"},
		{"iid mix", 0.99, 100_000, 1000, 0, 0.005, 0.005, "independent requests"},
		{"iid mix ar.9 ar.99 queue.7", 0.5, 10_000, 500, 25, 0.01, 0.01, "a median"},
		{"ar.9", 0.99, 3_000, 500, 25, 0.01, 0.01, "short memory"},
		{"ar.9", 0.99, 10_000, 500, 25, 0.01, 0.01, "short memory"},
		{"ar.9", 0.99, 30_000, 500, 0, 0.01, 0.01, "short memory"},
		{"ar.99", 0.99, 3_000, 500, 25, 0.01, 0.02, "long memory"},
		{"ar.99", 0.99, 10_000, 500, 25, 0.01, 0.02, "long memory"},
		{"ar.99", 0.99, 30_000, 500, 0, 0.01, 0.02, "long memory"},
		{"queue.7", 0.99, 3_000, 500, 25, 0.01, 0.06, "a queue that few busy spells are seen of"},
		{"queue.7", 0.99, 10_000, 500, 25, 0.01, 0.06, "a queue"},
		{"queue.7", 0.99, 30_000, 500, 0, 0.01, 0.06, "a queue"},
		{"queue.7", 0.99, 100_000, 500, 0, 0.01, 0.02, "a queue, long enough"},
		{"stall", 0.99, 100_000, 500, 0, 0.01, 0.02, "a stall every 2 s"},
		{"regime", 0.99, 100_000, 500, 0, 0.01, 0.02, "a neighbour every 5 s"},
	} {
		for _, w := range named(tc.worlds) {
			times := runs(tc.all, tc.few)
			if times == 0 {
				continue
			}
			m := simulateCoverage(w, tc.q, tc.n, times)
			t.Logf("%-8s q=%.2f n=%6d of %4d: below %.1f%%, above %.1f%%; for independent requests %.1f%%",
				w.name, tc.q, tc.n, times, m.below*100, m.above*100, m.naive*100)
			one := 1 / float64(times)
			assert.LessOrEqual(t, m.below, max(tc.below, one), "%s n=%d: %s", w.name, tc.n, tc.why)
			assert.LessOrEqual(t, m.above, max(tc.above, one), "%s n=%d: %s", w.name, tc.n, tc.why)
			if w.name == "iid" || w.name == "mix" {
				assert.LessOrEqual(t, m.naive, max(0.025, 2*one), "%s n=%d", w.name, tc.n)
			} else {
				assert.Greater(t, m.naive, 0.1, "%s n=%d depends on nothing", w.name, tc.n)
			}
		}
	}
}
