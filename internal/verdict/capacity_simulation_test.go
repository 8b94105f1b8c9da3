package verdict

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func TestProto(t *testing.T) {
	if os.Getenv("LOADTESTKIT_SIMULATE") == "" {
		t.Skip()
	}
	ms := time.Millisecond
	for _, w := range []struct {
		name  string
		q     queue
		start float64
	}{
		{"quiet", queue{served: 1000, limit: 50 * ms}, 100},
		{"quiet start 20", queue{served: 1000, limit: 50 * ms}, 20},
		{"quiet start 3000", queue{served: 1000, limit: 50 * ms}, 3000},
		{"seen .2x30", queue{served: 1000, limit: 50 * ms, stalls: .2, stall: 30 * ms, seen: true}, 100},
		{"seen .5x30", queue{served: 1000, limit: 50 * ms, stalls: .5, stall: 30 * ms, seen: true}, 100},
		{"seen 1x30", queue{served: 1000, limit: 50 * ms, stalls: 1, stall: 30 * ms, seen: true}, 100},
		{"seen 2x30", queue{served: 1000, limit: 50 * ms, stalls: 2, stall: 30 * ms, seen: true}, 100},
		{"seen 1x100", queue{served: 1000, limit: 50 * ms, stalls: 1, stall: 100 * ms, seen: true}, 100},
		{"seen 2x100", queue{served: 1000, limit: 50 * ms, stalls: 2, stall: 100 * ms, seen: true}, 100},
		{"seen 1x150", queue{served: 1000, limit: 50 * ms, stalls: 1, stall: 150 * ms, seen: true}, 100},
		{"unseen .2x30", queue{served: 1000, limit: 50 * ms, stalls: .2, stall: 30 * ms}, 100},
		{"unseen .5x30", queue{served: 1000, limit: 50 * ms, stalls: .5, stall: 30 * ms}, 100},
		{"unseen 1x30", queue{served: 1000, limit: 50 * ms, stalls: 1, stall: 30 * ms}, 100},
		{"unseen 2x30", queue{served: 1000, limit: 50 * ms, stalls: 2, stall: 30 * ms}, 100},
		{"unseen .2x100", queue{served: 1000, limit: 50 * ms, stalls: .2, stall: 100 * ms}, 100},
		{"unseen .5x100", queue{served: 1000, limit: 50 * ms, stalls: .5, stall: 100 * ms}, 100},
		{"unseen 1x100", queue{served: 1000, limit: 50 * ms, stalls: 1, stall: 100 * ms}, 100},
		{"unseen 2x100", queue{served: 1000, limit: 50 * ms, stalls: 2, stall: 100 * ms}, 100},
		{"hog .5", queue{served: 1000, limit: 50 * ms, hog: .5}, 100},
		{"hog .2", queue{served: 1000, limit: 50 * ms, hog: .2}, 100},
		{"50/s", queue{served: 50, limit: 500 * ms}, 100},
		{"slow 20x100ms", queue{served: 200, workers: 20, steady: true, limit: 250 * ms}, 100},
		{"wide limit", queue{served: 1000, limit: time.Second}, 100},
		{"20x100ms seen 1x30", queue{served: 200, workers: 20, steady: true, limit: 250 * ms, stalls: 1, stall: 30 * ms, seen: true}, 100},
		{"5000/s", queue{served: 5000, limit: 10 * ms}, 100},
	} {
		q := w.q
		q.rng = rand.New(rand.NewPCG(71, 1))
		world := q
		if q.seen {
			world.stalls = 0
		}
		truth := world.median()
		holds := world.curve()
		runs, inc, out := 100, 0, 0
		var ratios, widths, secs []float64
		why := map[string]int{}
		for range runs {
			r, took := q.search(SearchRange{Start: w.start})
			secs = append(secs, took.Seconds())
			if r.Verdict != Pass {
				inc++
				why[r.StoppedBy]++
				if why[r.StoppedBy] == 1 {
					t.Log(r.Reason)
				}
				continue
			}
			ratios = append(ratios, r.Low/truth)
			widths = append(widths, r.High/r.Low)
			if holds(r.Low/1.06) < .4 || holds(r.High*1.06) > .6 {
				out++
			}
		}
		mean := 0.0
		for _, s := range secs {
			mean += s / float64(len(secs))
		}
		t.Logf("%-16s truth %6.0f inc %2d%% %v  low/true %.2f %.2f %.2f  width %.2f %.2f  outside %d  mean %.1f s p95 %.1f s", w.name, truth, inc*100/runs, why,
			nearestRank(ratios, .05), nearestRank(ratios, .5), nearestRank(ratios, .95), nearestRank(widths, .5), nearestRank(widths, .95), out, mean, nearestRank(secs, .95))
	}
}
