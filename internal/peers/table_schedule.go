package main

import (
	"context"
	"fmt"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
)

// pool is how many connections tools get that want a fixed number in an open
// workload; load-tester, vegeta and k6 open what they need.
const pool = 100

func scheduleTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{
		title: "Schedule: when requests reach the server",
		intro: fmt.Sprintf(`Each tool is asked for a constant rate. A raw TCP server, alone on the other CPU,
notes the instant at which each request has arrived; what it takes to notice is
in every figure. Lateness is against an ideal grid of that rate, laid as late as
it can be with no arrival before its time, because when a foreign tool meant to
start is not known. It grows if a tool sends fewer than it was asked for: see
"per second". The first second, in which connections are opened, is left out.
Clumps are gaps of less than a tenth of the ideal one. %d connections for tools
that want a number. Times in ms.`, pool),
	}
	rates, opening, length := []int{1_000, 10_000}, time.Second, 5*time.Second
	if b.quick {
		rates, opening, length = rates[:1], 0, time.Second
	}
	columns := []string{"late p50", "late p99", "gap p1", "gap p50", "gap p99", "clumps %", "per second"}
	grids := map[int]*grid{}
	for _, rate := range rates {
		title := fmt.Sprintf("%s per second, ideal gap %s ms", thousands(int64(rate)), number(1000/float64(rate)))
		grids[rate] = newGrid(title, "tool", b.names(), columns)
		s.grids = append(s.grids, grids[rate])
	}
	for round := range b.rounds {
		for _, rate := range rates {
			j := job{rate: rate, connections: pool, duration: opening + length}
			b.logf("schedule, round %d of %d: %s", round+1, b.rounds, j)
			for _, t := range b.round(round) {
				_, _, saw, ok := b.aim(ctx, s, t, j, target.Timing{}, 2*rate*seconds(j.duration))
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				sp, enough := space(since(saw.Arrivals, opening), rate)
				if !ok || !enough {
					continue
				}
				for i, v := range []float64{
					ms(sp.late50), ms(sp.late99), ms(sp.gap1), ms(sp.gap50), ms(sp.gap99), 100 * sp.clumps, sp.rate,
				} {
					grids[rate].add(t.name, columns[i], v)
				}
			}
		}
	}
	return s, nil
}

// names are the tools' names, ours first.
func (b *bench) names() []string {
	var names []string
	for _, t := range b.tools {
		names = append(names, t.name)
	}
	return names
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
