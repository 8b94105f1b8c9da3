package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
)

// truthRow is the row of the latencies that are known beforehand.
const truthRow = "*the truth*"

// A knownLatency is an open workload whose latencies are known beforehand.
type knownLatency struct {
	title     string
	rate      int
	duration  time.Duration
	timing    target.Timing
	quantiles []string
}

func freezeTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Freeze: what is reported of a server that stops", intro: `At 1,000 requests per second the server freezes: requests that arrive meanwhile
wait. The truth is computed from the schedule: the time from when a request is due
to when a server that needs no time would answer it. **Bold** is off by more than
3 % and more than 5 ms. "Sent" is the share of the requests due that the server
saw; fortio first sends one more per connection. Times in ms. Where the server is
frozen for half of the run, half of the requests wait, and p50 lies on the edge
between them and the rest. There, the time in which the server answers the waiting
requests becomes visible.`}
	freezes := []struct{ length, freeze, at time.Duration }{
		{5 * time.Second, time.Second, 2 * time.Second},
		{10 * time.Second, 5 * time.Second, 2500 * time.Millisecond},
	}
	if b.quick {
		freezes = freezes[:1]
		freezes[0].length, freezes[0].freeze, freezes[0].at = time.Second, 200*time.Millisecond, 300*time.Millisecond
	}
	var works []knownLatency
	for _, f := range freezes {
		works = append(works, knownLatency{
			title:     fmt.Sprintf("Frozen for %v of %v", f.freeze, f.length),
			rate:      1_000,
			duration:  f.length,
			timing:    target.Timing{Freezes: []target.Freeze{{At: f.at, For: f.freeze}}},
			quantiles: []string{"p50", "p90", "p95", "p99", "max"},
		})
	}
	wrong := func(v, truth float64) bool { d := math.Abs(v - truth); return d > 0.03*truth && d > 5 }
	return s, b.measureLatencies(ctx, s, works, wrong)
}

func mixTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Mix: what is reported of three known latencies", intro: `At 500 requests per second, the server takes 1 ms for 90 % of the responses, 10 ms
for 9 % and 100 ms for 1 %. **Bold** is off by more than 5 % and more than 0.3 ms. Times in ms.`}
	latency, err := target.ParseLatency("90%:1ms,9%:10ms,1%:100ms")
	if err != nil {
		return nil, err
	}
	w := knownLatency{rate: 500, duration: 10 * time.Second, timing: target.Timing{Latency: latency}, quantiles: []string{"p50", "p95", "p99.5"}}
	if b.quick {
		w.duration = 4 * time.Second
	}
	wrong := func(v, truth float64) bool { d := math.Abs(v - truth); return d > 0.05*truth && d > 0.3 }
	return s, b.measureLatencies(ctx, s, []knownLatency{w}, wrong)
}

// measureLatencies measures what the tools report of known latencies. wrong
// reports whether a figure is too far from the truth.
func (b *bench) measureLatencies(ctx context.Context, s *section, works []knownLatency, wrong func(v, truth float64) bool) error {
	const sent = "sent %"
	for _, w := range works {
		g := newGrid(w.title, "tool", append([]string{truthRow}, b.names()...), append(w.quantiles, sent))
		truth := w.truth()
		for _, q := range w.quantiles {
			g.add(truthRow, q, ms(truth[q]))
		}
		g.add(truthRow, sent, 100)
		g.bold = func(row, q string, median float64) bool {
			return row != truthRow && q != sent && wrong(median, ms(truth[q]))
		}
		s.grids = append(s.grids, g)
	}
	for round := range b.rounds {
		for i, w := range works {
			j := job{rate: w.rate, connections: pool, duration: w.duration, tail: slices.Contains(w.quantiles, "p99.5")}
			b.logf("%s, round %d of %d: %s %s", s.title, round+1, b.rounds, j, w.title)
			for _, t := range b.order(round) {
				_, r, log, ok := b.runOnTarget(ctx, s, t, j, w.timing, 0)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				if !ok {
					continue
				}
				for _, q := range w.quantiles {
					if v, ok := r.times[q]; ok {
						s.grids[i].add(t.name, q, ms(v))
					}
				}
				s.grids[i].add(t.name, sent, 100*float64(log.Count)/float64(w.rate*seconds(w.duration)))
			}
		}
	}
	return nil
}

// truth returns what a perfect load tester would report, which sends each
// request when it is due.
func (w knownLatency) truth() times {
	var all []time.Duration
	for n := range int64(w.rate * seconds(w.duration)) {
		due := time.Duration(n * int64(time.Second) / int64(w.rate))
		all = append(all, w.timing.Delay(due, n))
	}
	t := times{}
	for name, q := range map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.5": 0.995, "max": 1} {
		t[name] = quantile(all, q)
	}
	return t
}
