package verdict

import (
	"fmt"
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
		{"slow 10x100ms", queue{served: 100, workers: 10, steady: true, limit: 250 * ms}, 100},
		{"wide limit", queue{served: 1000, limit: time.Second}, 100},
		{"5000/s", queue{served: 5000, limit: 10 * ms}, 100},
	} {
		q := w.q
		q.rng = rand.New(rand.NewPCG(71, 1))
		quiet := q
		quiet.stalls, quiet.hog = 0, 0
		truth := quiet.median()
		if !q.seen {
			truth = q.median()
		}
		curve := ""
		for _, part := range []float64{.05, .2, .4, .6, .8, .9, 1, 1.1} {
			held := 0
			for range 100 {
				held += count(q.run(TrialPlan{Rate: part * q.capacity(), For: verifyLength, Warmup: trialWarmup, Purpose: "verify"}).Held)
			}
			curve += fmt.Sprintf(" %d", held)
		}
		if q.stalls+q.hog > 0 && !q.seen {
			t.Log(curve)
		}
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
			if truth < .9*r.Low || truth > 1.1*r.High {
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
