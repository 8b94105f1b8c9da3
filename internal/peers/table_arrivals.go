package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
	"github.com/loadtestkit/load-tester/internal/target"
)

func scheduleTable(ctx context.Context, b *bench) (*section, error) {
	s := &section{
		title: "Schedule: when requests reach the server",
		intro: fmt.Sprintf(`Each tool is asked for a constant rate. A raw TCP server, alone on the other CPU,
records when each request arrives; the time that it takes to notice one is in
every figure. Lateness is measured against an ideal grid of that rate. The start
that another tool intended is unknown, so the grid is laid as late as possible
with no arrival before its time. Lateness grows if a tool sends fewer requests
than it was asked for: see "per second". The first second, in which connections
are opened, is left out. Clumps are gaps of less than a tenth of the ideal gap.
%d connections for tools that want a number. Times in ms.`, pool),
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
			for _, t := range b.order(round) {
				_, _, log, ok := b.runOnTarget(ctx, s, t, j, target.Timing{}, 2*rate*seconds(j.duration))
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				sp, enough := newSpacing(skipOpening(log.Arrivals, opening), rate)
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

// A spacing compares arrivals with the schedule that was asked for.
type spacing struct {
	rate               float64 // measured, per second
	late50, late99     time.Duration
	gap1, gap50, gap99 time.Duration
	clumps             float64 // share of gaps under a tenth of the ideal one
}

// newSpacing compares arrivals, in ascending order, with a grid of rate per
// second. It returns false if there are fewer than two.
//
// The start that a tool intended is unknown, so the grid is laid where it fits
// best: as late as possible with no arrival before its time. The k-th arrival
// is compared with the k-th point of the grid, so a request that a tool omits
// makes all after it late, and so does a rate that is too low.
func newSpacing(at []time.Duration, rate int) (spacing, bool) {
	n := len(at)
	if n < 2 {
		return spacing{}, false
	}
	ideal := time.Second / time.Duration(rate)
	var s spacing
	late := make([]time.Duration, n)
	for k := range at {
		late[k] = at[k] - time.Duration(int64(k)*int64(time.Second)/int64(rate))
	}
	least := slices.Min(late)
	for k := range late {
		late[k] -= least
	}
	s.late50, s.late99 = quantile(late, 0.5), quantile(late, 0.99)

	gaps := make([]time.Duration, n-1)
	clumped := 0
	for k := range gaps {
		gaps[k] = at[k+1] - at[k]
		if gaps[k] < ideal/10 {
			clumped++
		}
	}
	s.gap1, s.gap50, s.gap99 = quantile(gaps, 0.01), quantile(gaps, 0.5), quantile(gaps, 0.99)
	s.clumps = float64(clumped) / float64(len(gaps))
	s.rate = float64(n-1) / (at[n-1] - at[0]).Seconds()
	return s, true
}

// quantile returns the value at rank ceil(q*n). It sorts the values.
func quantile(values []time.Duration, q float64) time.Duration {
	slices.Sort(values)
	return values[stat.Rank(q, int64(len(values)))-1]
}

// skipOpening returns the arrivals at least d after the first.
func skipOpening(at []time.Duration, d time.Duration) []time.Duration {
	if len(at) == 0 {
		return nil
	}
	k, _ := slices.BinarySearch(at, at[0]+d)
	return at[k:]
}

func startTable(ctx context.Context, b *bench) (*section, error) {
	const first = "first request, ms"
	s := &section{title: "Start: from exec to the first request", intro: `The time from the fork of the process to its first request at a raw TCP server,
which is alone on the other CPU; one connection. Each tool has run once before, so
that its binary is in memory.`}
	g := newGrid("", "tool", b.names(), []string{first})
	s.grids = []*grid{g}
	for round := range b.rounds + 1 {
		if b.quick && round == 0 {
			continue
		}
		b.logf("start, round %d of %d", round, b.rounds)
		for _, t := range b.order(round) {
			j := job{connections: 1, duration: time.Second}
			if _, ok := t.command(j); !ok { // only an open workload
				j.rate = 1_000
			}
			u, _, log, ok := b.runOnTarget(ctx, s, t, j, target.Timing{}, 1)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if round == 0 || !ok || len(log.Arrivals) == 0 {
				continue
			}
			// Both instants are on the wall clock, which all processes share.
			at := log.Start.Add(log.Arrivals[0])
			g.add(t.name, first, ms(at.Sub(u.started.Round(0))))
		}
	}
	return s, nil
}
