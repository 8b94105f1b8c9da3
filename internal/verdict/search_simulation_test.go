package verdict

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A searchWorld is a queue whose capacity is searched for, and what has to come of it.
type searchWorld struct {
	name  string
	queue queue
	start float64

	doubt      float64 // most of the searches that may be inconclusive
	leastDoubt float64 // and least: where the machine alone misses the limit
	seconds    float64 // most that a search takes on average; 0 is not checked
	quick      bool    // part of every go test
}

// searchWorlds are quiet queues, queues whose machine stalls, with and without a
// sensor that sees it, and others. The limit is so close to what the queue takes that
// the response times of a trial depend on each other.
func searchWorlds() (all []searchWorld) {
	const ms = time.Millisecond
	usual := queue{served: 1000, limit: 50 * ms}
	all = []searchWorld{
		{name: "quiet", queue: usual, start: 100, doubt: .02, seconds: 27, quick: true},
		{name: "quiet, from 20 a second", queue: usual, start: 20, doubt: .02, seconds: 27},
		{name: "quiet, from 3,000 a second", queue: usual, start: 3000, doubt: .02, seconds: 27, quick: true},
	}
	stalling := func(perSecond float64, mean time.Duration, seen bool, doubt, least float64, quick bool) {
		q := usual
		q.stalls, q.stall, q.seen = perSecond, mean, seen
		how := "unseen"
		if seen {
			how = "seen"
		}
		all = append(all, searchWorld{name: fmt.Sprintf("%v stalls a second of %v, %s", perSecond, mean, how), queue: q, start: 100, doubt: doubt, leastDoubt: least, quick: quick})
	}
	stalling(.2, 30*ms, true, .02, 0, false)
	stalling(.5, 30*ms, true, .02, 0, false)
	stalling(1, 30*ms, true, .05, 0, true)
	stalling(2, 30*ms, true, .15, 0, false)
	stalling(.2, 100*ms, true, .05, 0, false)
	stalling(.5, 100*ms, true, .05, 0, false)
	stalling(1, 100*ms, true, .05, 0, false)
	stalling(2, 100*ms, true, .6, 0, false)
	stalling(.2, 30*ms, false, .05, 0, false)
	stalling(.5, 30*ms, false, .15, 0, false)
	stalling(1, 30*ms, false, .35, 0, false)
	stalling(2, 30*ms, false, 1, .4, false)
	stalling(.2, 100*ms, false, .2, 0, false)
	stalling(.5, 100*ms, false, .7, 0, false)
	stalling(1, 100*ms, false, 1, .8, true)
	stalling(2, 100*ms, false, 1, .9, false)
	hog := func(part float64) {
		q := usual
		q.hog = part
		all = append(all, searchWorld{name: fmt.Sprintf("half as fast in %.0f%% of the time", 100*part), queue: q, start: 100, doubt: .22})
	}
	hog(.2)
	hog(.5)
	return append(all,
		searchWorld{name: "up to 50 a second", queue: queue{served: 50, limit: 500 * ms}, start: 100, doubt: .15},
		searchWorld{name: "up to 5,000 a second", queue: queue{served: 5000, limit: 10 * ms}, start: 100, doubt: .02, seconds: 27},
		searchWorld{name: "up to 50,000 a second", queue: queue{served: 50000, limit: 2 * ms}, start: 100, doubt: .02, seconds: 27},
		searchWorld{name: "20 at a time, 100 ms each", queue: queue{served: 200, workers: 20, steady: true, limit: 250 * ms}, start: 100, doubt: .05},
		searchWorld{name: "60 at a time, 300 ms each", queue: queue{served: 200, workers: 60, steady: true, limit: 2 * time.Second}, start: 100, doubt: .05, quick: true},
		searchWorld{name: "200 at a time, 1 s each", queue: queue{served: 200, workers: 200, steady: true, limit: 10 * time.Second}, start: 100, doubt: .1},
		searchWorld{name: "60 at a time, 300 ms on average", queue: queue{served: 200, workers: 60, limit: 5 * time.Second}, start: 100, doubt: .15},
		searchWorld{name: "a limit of 1 s", queue: queue{served: 1000, limit: time.Second}, start: 100, doubt: .02, seconds: 27, quick: true},
	)
}

// off is the ratio of a rate to another that the curve of simulated trials, whose
// rates are 6 % apart, cannot tell apart.
const off = 1.06

// Searches of simulated queues: what is found is right, and soon.
func TestSearchOnQueues(t *testing.T) {
	whole := os.Getenv("LOADTESTKIT_SIMULATE") == "1"
	for _, w := range searchWorlds() {
		if !whole && !w.quick {
			continue
		}
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.check(t, whole)
		})
	}
}

func (w *searchWorld) check(t *testing.T, whole bool) {
	q := w.queue
	q.rng = rand.New(rand.NewPCG(71, 1))
	runs, trials := 40, 50
	switch {
	case q.served > 10000:
		runs, trials = 20, 20
	case whole:
		runs, trials = 200, 400
	}
	quiet := q
	if q.seen {
		quiet.stalls = 0
	}
	truth, holds := quiet.curve(trials)
	doubtful, wrong := 0, 0
	var ratios, widths, took []float64
	total := 0.0
	for range runs {
		r, d := q.search(SearchRange{Start: w.start})
		took = append(took, d.Seconds())
		total += d.Seconds()
		if r.Verdict != Pass {
			doubtful++
			continue
		}
		widths = append(widths, r.High/r.Low)
		if truth > 0 {
			ratios = append(ratios, r.Low/truth)
		}
		if holds(r.Low/off) < 0.4 || holds(r.High*off) > 0.6 {
			wrong++
		}
	}
	n := float64(runs)
	t.Logf("| %s | %.0f | %.1f | %.1f | %.2f..%.2f | %.2f..%.2f | %.0f | %.0f |", w.name, truth, 100*float64(doubtful)/n, 100*float64(wrong)/n,
		nearestRank(ratios, .05), nearestRank(ratios, .95), nearestRank(widths, .5), nearestRank(widths, .95), total/n, nearestRank(took, .95))
	assert.LessOrEqual(t, float64(doubtful), w.doubt*n+2)
	assert.GreaterOrEqual(t, float64(doubtful), w.leastDoubt*n-2)
	assert.LessOrEqual(t, float64(wrong), 0.1*n+1, "the limits do not hold at the low end or hold at the high one")
	if w.seconds > 0 {
		assert.LessOrEqual(t, total/n, w.seconds)
	}
	if q.stalls+q.hog > 0 || q.workers > 0 || q.limit == time.Second || q.served != 1000 {
		return
	}
	within := 0
	for _, ratio := range ratios {
		within += count(ratio*truth >= 0.9*q.capacity() && ratio*truth <= 1.13*q.capacity())
	}
	assert.GreaterOrEqual(t, float64(within), 0.95*n-1, "of the capacity of M/M/1")
}
