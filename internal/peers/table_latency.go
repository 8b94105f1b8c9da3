package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
)

// truthRow is the row of what is known beforehand.
const truthRow = "*the truth*"

// A known is a workload whose latencies are known beforehand.
type known struct {
	title     string
	rate      int
	duration  time.Duration
	timing    target.Timing
	quantiles []string
}

func freezeTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Freeze: what is reported of a server that stops", intro: `At 1,000 requests per second the server freezes: what arrives meanwhile waits. The
truth is the time from when each request was due to when the server would answer
it at once, computed from the schedule. **Bold** is off by more than 3 % and
more than 5 ms. "Sent" is what the server saw
of the requests due; fortio first sends one more per connection. Times in ms.
Where the server freezes for half of the run, half of the requests wait, and p50
lies on the edge between them and the rest: the time that it takes the server to
work off what has waited shows there.`}
	freezes := []struct{ length, freeze, at time.Duration }{
		{5 * time.Second, time.Second, 2 * time.Second},
		{10 * time.Second, 5 * time.Second, 2500 * time.Millisecond},
	}
	if b.quick {
		freezes = freezes[:1]
		freezes[0].length, freezes[0].freeze, freezes[0].at = time.Second, 200*time.Millisecond, 300*time.Millisecond
	}
	var work []known
	for _, f := range freezes {
		work = append(work, known{
			title:     fmt.Sprintf("Frozen for %v of %v", f.freeze, f.length),
			rate:      1_000,
			duration:  f.length,
			timing:    target.Timing{Freezes: []target.Freeze{{At: f.at, For: f.freeze}}},
			quantiles: []string{"p50", "p90", "p95", "p99", "max"},
		})
	}
	off := func(v, truth float64) bool { d := math.Abs(v - truth); return d > 0.03*truth && d > 5 }
	return s, b.latencies(ctx, s, work, off)
}

func mixTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Mix: what is reported of three known latencies", intro: `At 500 requests per second, 90 % of the answers take the server 1 ms, 9 % 10 ms and
1 % 100 ms. **Bold** is off by more than 5 % and more than 0.3 ms. Times in ms.`}
	latency, err := target.ParseLatency("90%:1ms,9%:10ms,1%:100ms")
	if err != nil {
		return nil, err
	}
	w := known{rate: 500, duration: 10 * time.Second, timing: target.Timing{Latency: latency}, quantiles: []string{"p50", "p95", "p99.5"}}
	if b.quick {
		w.duration = 4 * time.Second
	}
	off := func(v, truth float64) bool { d := math.Abs(v - truth); return d > 0.05*truth && d > 0.3 }
	return s, b.latencies(ctx, s, []known{w}, off)
}

// latencies measures work of known latency. off says what differs too much.
func (b *bench) latencies(ctx context.Context, s *section, work []known, off func(v, truth float64) bool) error {
	const sent = "sent %"
	for _, w := range work {
		g := newGrid(w.title, "tool", append([]string{truthRow}, b.names()...), append(w.quantiles, sent))
		truth := w.truth()
		for _, q := range w.quantiles {
			g.add(truthRow, q, ms(truth[q]))
		}
		g.add(truthRow, sent, 100)
		g.marked = func(row, q string, median float64) bool {
			return row != truthRow && q != sent && off(median, ms(truth[q]))
		}
		s.grids = append(s.grids, g)
	}
	for round := range b.rounds {
		for i, w := range work {
			j := job{rate: w.rate, connections: pool, duration: w.duration, tail: slices.Contains(w.quantiles, "p99.5")}
			b.logf("%s, round %d of %d: %s %s", s.title, round+1, b.rounds, j, w.title)
			for _, t := range b.round(round) {
				_, r, saw, ok := b.aim(ctx, s, t, j, w.timing, 0)
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
				s.grids[i].add(t.name, sent, 100*float64(saw.Count)/float64(w.rate*seconds(w.duration)))
			}
		}
	}
	return nil
}

// truth is what a perfect generator reports: each request is sent when due.
func (w known) truth() times {
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
