package main

import (
	"context"
	"time"
)

// A growth is a series of jobs that differ in one value.
type growth struct {
	title   string
	values  []string
	jobs    []job
	metrics []metric
	late    bool // an open workload: show load-tester's own lateness
}

func growthTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{title: "Growth: load-tester's own cost", intro: `As in the tables of cost, for load-tester alone, with 64 connections and a body of
13 octets unless stated. Lateness is load-tester's own, as it reports it, at p99: it
does not include waiting for one of the 1000 permits.`}
	n, err := b.startNginx(ctx)
	if err != nil {
		s.note("Not measured: %v", err)
		return s, nil
	}
	defer n.stop()
	const lateness = "lateness p99, µs"
	all := b.growths()
	for _, g := range all {
		var columns []string
		for _, m := range g.metrics {
			columns = append(columns, m.name)
		}
		if g.late {
			columns = append(columns, lateness)
		}
		s.grids = append(s.grids, newGrid("", g.title, g.values, columns))
	}
	for round := range b.rounds {
		for i, g := range all {
			b.logf("growth, round %d of %d: by %s", round+1, b.rounds, g.title)
			for k, j := range g.jobs {
				c, ok := b.measureCost(ctx, s, n, b.tools[0], j)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				if !ok {
					continue
				}
				for _, m := range g.metrics {
					s.grids[i].add(g.values[k], m.name, m.value(c))
				}
				if v, ok := c.result.times[latenessP99]; ok && g.late {
					s.grids[i].add(g.values[k], lateness, float64(v)/float64(time.Microsecond))
				}
			}
		}
	}
	return s, nil
}

// growths returns all series.
func (b *bench) growths() []growth {
	closed := []metric{cpuPerRequest, requestRate, peakMiB}
	base := job{connections: 64, body: plainBody}
	byN := growth{title: "requests", metrics: closed}
	byTime := growth{title: "duration at 20,000/s", metrics: closed, late: true}
	byConns := growth{title: "connections", metrics: closed}
	byRate := growth{title: "rate", metrics: closed, late: true}
	bySize := growth{title: "body", metrics: []metric{cpuPerRequest, bodyRate, peakMiB}}

	requests, rates := []int{50_000, 500_000, 5_000_000}, []int{1_000, 10_000, 20_000, 50_000, 100_000}
	durations, conns := []time.Duration{10 * time.Second, time.Minute}, []int{1, 16, 64, 256, 1000, 5000}
	if b.quick {
		requests, rates, durations, conns = requests[:1], rates[:1], nil, nil
	}
	for _, n := range requests {
		j := base
		j.requests, j.duration = n, 5*time.Minute // an upper bound
		byN.add(thousands(int64(n)), j)
	}
	for _, d := range durations {
		j := base
		j.rate, j.duration = 20_000, d
		byTime.add(d.String(), j)
	}
	for _, n := range conns {
		j := base
		j.connections = n
		byConns.add(thousands(int64(n)), j)
	}
	for _, r := range rates {
		j := base
		j.rate = r
		byRate.add(thousands(int64(r))+"/s", j)
	}
	for _, n := range append([]int{plainBody}, bodies...) {
		j := base
		j.body = n
		bySize.add(size(n), j)
	}
	var all []growth
	for _, g := range []growth{byN, byTime, byConns, byRate, bySize} {
		if len(g.jobs) > 0 && !(b.quick && g.title == bySize.title) {
			all = append(all, g)
		}
	}
	return all
}

func (g *growth) add(value string, j job) {
	g.values = append(g.values, value)
	g.jobs = append(g.jobs, j)
}
