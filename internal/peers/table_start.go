package main

import (
	"context"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
)

func startTable(ctx context.Context, b *bench) (*section, error) {
	const first = "first request, ms"
	s := &section{title: "Start: from exec to the first request", intro: `From when the process is forked to when a raw TCP server, alone on the other CPU,
has its first request; one connection. Each tool has run once before, so that its
file is in memory.`}
	g := newGrid("", "tool", b.names(), []string{first})
	s.grids = []*grid{g}
	for round := range b.rounds + 1 {
		if b.quick && round == 0 {
			continue
		}
		b.logf("start, round %d of %d", round, b.rounds)
		for _, t := range b.round(round) {
			j := job{connections: 1, duration: time.Second}
			if _, able := t.command(j); !able { // only an open workload
				j.rate = 1_000
			}
			u, _, saw, ok := b.aim(ctx, s, t, j, target.Timing{}, 1)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if round == 0 || !ok || len(saw.Arrivals) == 0 {
				continue
			}
			// Both instants are of the system's clock, which is the same for
			// all processes.
			at := saw.Start.Add(saw.Arrivals[0])
			g.add(t.name, first, ms(at.Sub(u.started.Round(0))))
		}
	}
	return s, nil
}
