package verdict

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// everyWorld names all of them.
const everyWorld = "iid mix ar.9 ar.99 stall queue.7 regime"

// outcomes are the verdicts of simulated runs, in shares of them.
type outcomes struct {
	fail, pass float64
	first      float64 // failed, before that was repeated
	took       float64 // requests until the verdict, of those there could be
}

// simulateVerdicts judges runs by a limit on p50 or p99 at a multiple of the true one.
func simulateVerdicts(w *world, q, multiple float64, n int64, times int) (o outcomes) {
	truth := w.p99
	if q == 0.5 {
		truth = w.p50
	}
	l := Limit{Metric: Quantile, Q: q, Op: AtMost, Time: time.Duration(multiple * truth * 1e6)}
	each := 1 / float64(times)
	for k := range times {
		v, took, first := procedure(w, l, n, uint64(k)+1000)
		o.took += each * float64(took) / float64(n)
		switch v {
		case Fail:
			o.fail += each
		case Pass:
			o.pass += each
		}
		if first {
			o.first += each
		}
	}
	return o
}

// tolerance is what chance may add to a share that small, 0 for one that must
// not be: three standard errors, and at least one run.
func tolerance(times int, share float64) float64 {
	if share == 0 {
		return 0
	}
	return max(1/float64(times), 3*math.Sqrt(share*(1-share)/float64(times)))
}

// Verdicts keep the error rates they state where requests depend on each other,
// and come where the limit is far enough from what is.
func TestVerdictsKeepTheirErrorRates(t *testing.T) {
	t.Parallel()
	const any = 1.0 // no bound
	for _, tc := range []struct {
		worlds              string
		q, multiple         float64
		n                   int64
		all, few            int
		leastFail, mostFail float64
		leastPass, mostPass float64
		mostFirst           float64 // fails that were not repeated
		why                 string
	}{
		{"iid mix ar.9 ar.99 stall queue.7", 0.99, 1, 64_000, 300, 0, 0, 0.01, 0, 0.15, 0.01, "at the limit: no false alarm"},
		{"regime", 0.99, 1, 64_000, 300, 0, 0, 0.02, 0, 0.15, any, "a neighbour is why a fail is repeated"},
		{everyWorld, 0.99, 1, 16_000, 300, 15, 0, 0.01, 0, 0.2, any, "at the limit: no false alarm"},
		{"iid mix ar.9 ar.99 stall queue.7", 0.5, 1, 8_000, 300, 10, 0, 0.01, 0, 0.05, 0.02, "at the limit: no false alarm"},
		{"regime", 0.5, 1, 8_000, 300, 30, 0, 0.02, 0, any, any, "while the neighbour sleeps or wakes, the median is another"},
		{"iid mix ar.9 queue.7", 0.99, 1.1, 64_000, 300, 0, 0, 0, 0, any, 0, "kept: never a fail"},
		{"iid mix ar.9 ar.99 queue.7", 0.99, 1, 32_000, 300, 0, 0, 0.01, 0, 0.05, any, "at the limit: a pass is as rare as promised"},
		{"stall regime", 0.99, 1, 32_000, 300, 0, 0, 0.02, 0, 0.12, any, "at the limit: what happens every few seconds may stay unseen"},
		{"ar.99 regime", 0.99, 1.5, 32_000, 300, 0, 0, 0, 0.6, any, any, "few are late: how these cluster counts, not how slow ones do"},
		{"iid mix ar.9 stall queue.7", 0.99, 1.5, 32_000, 300, 0, 0, 0, 0.15, any, any, "likewise"},
		{"stall", 0.99, 3, 32_000, 300, 0, 0, 0, 0.25, any, any, "stalls are few, and each is seen or not"},
		{"iid mix ar.9 ar.99 queue.7 regime", 0.99, 3, 32_000, 300, 5, 0, 0, 0.95, any, any, "few are late or none"},
		{"iid", 0.99, 0.9, 16_000, 300, 15, 0.95, any, 0, 0, any, "power"},
		{"iid", 0.99, 1.1, 16_000, 300, 15, 0, 0, 0.95, any, 0, "power"},
		{"ar.9", 0.99, 0.8, 16_000, 300, 15, 0.95, any, 0, 0, any, "power"},
		{"ar.9", 0.99, 1.25, 16_000, 300, 15, 0, 0, 0.85, any, 0, "power"},
		{"ar.9", 0.99, 1.5, 16_000, 300, 15, 0, 0, 0.95, any, 0, "power"},
		{"ar.9", 0.99, 0.9, 64_000, 300, 0, 0.9, any, 0, 0, any, "power"},
		{"mix", 0.99, 1.1, 64_000, 300, 0, 0, 0, 0.95, any, 0, "power"},
		{"iid mix ar.9 ar.99 queue.7", 0.99, 0.8, 64_000, 300, 0, 0, any, 0, 0.01, any, "missed: no false pass"},
		{"iid mix ar.9 ar.99 queue.7", 0.99, 0.5, 16_000, 300, 5, 0, any, 0, 0.01, any, "missed: no false pass"},
		{"stall regime", 0.99, 0.8, 16_000, 300, 5, 0, any, 0, 0.15, any, "what happens every few seconds may stay unseen"},
		{"iid mix ar.9", 0.99, 5, 16_000, 300, 5, 0, 0, 0.95, any, 0, "well below"},
		{everyWorld, 0.99, 50, 16_000, 300, 5, 0, 0, 0.95, any, 0, "far below: a pass whatever depends on what"},
		{"iid", 0.99, 1.5, 16_000, 300, 15, 0, 0, 0.95, any, 0, "an early pass"},
	} {
		for _, w := range named(tc.worlds) {
			times := runs(tc.all, tc.few)
			if times == 0 {
				continue
			}
			o := simulateVerdicts(w, tc.q, tc.multiple, tc.n, times)
			t.Logf("%-8s n=%6d of %3d, limit %.2f times p%v: fail %5.1f%%, not repeated %5.1f%%, pass %5.1f%%, after %3.0f%%",
				w.name, tc.n, times, tc.multiple, tc.q*100, o.fail*100, o.first*100, o.pass*100, o.took*100)
			one := 0.0 // run of few may be unlucky
			if !simulateAll {
				one = 1 / float64(times)
			}
			assert.GreaterOrEqual(t, o.fail, tc.leastFail-one, "%s at %v: %s", w.name, tc.multiple, tc.why)
			assert.LessOrEqual(t, o.fail, tc.mostFail+tolerance(times, tc.mostFail), "%s at %v: %s", w.name, tc.multiple, tc.why)
			assert.GreaterOrEqual(t, o.pass, tc.leastPass-one, "%s at %v: %s", w.name, tc.multiple, tc.why)
			assert.LessOrEqual(t, o.pass, tc.mostPass+tolerance(times, tc.mostPass), "%s at %v: %s", w.name, tc.multiple, tc.why)
			if tc.why == "an early pass" {
				assert.LessOrEqual(t, o.took, 0.3, "%s at %v: %s", w.name, tc.multiple, tc.why)
			}
			assert.LessOrEqual(t, o.first, tc.mostFirst+tolerance(times, tc.mostFirst), "%s at %v: %s", w.name, tc.multiple, tc.why)
		}
	}
}
