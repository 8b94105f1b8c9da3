package main

import (
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/stat"
)

// A spacing is how arrivals lay beside the schedule they were asked for.
type spacing struct {
	rate               float64 // per second, as they came
	late50, late99     time.Duration
	gap1, gap50, gap99 time.Duration
	clumps             float64 // share of gaps under a tenth of the ideal one
}

// space compares arrivals, in ascending order, with a grid of rate per second.
//
// When a tool meant to start is not known, so the grid is laid where it fits
// best: as late as it can be with no arrival before its time. The k-th arrival
// stands for the k-th on the grid; a request that a tool leaves out makes all
// after it late, and so does a rate that is too low.
func space(at []time.Duration, rate int) (spacing, bool) {
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
	near := 0
	for k := range gaps {
		gaps[k] = at[k+1] - at[k]
		if gaps[k] < ideal/10 {
			near++
		}
	}
	s.gap1, s.gap50, s.gap99 = quantile(gaps, 0.01), quantile(gaps, 0.5), quantile(gaps, 0.99)
	s.clumps = float64(near) / float64(len(gaps))
	s.rate = float64(n-1) / (at[n-1] - at[0]).Seconds()
	return s, true
}

// quantile is the value at rank ceil(q*n). It sorts the values.
func quantile(values []time.Duration, q float64) time.Duration {
	slices.Sort(values)
	return values[stat.Rank(q, int64(len(values)))-1]
}

// since returns the arrivals that came at least d after the first.
func since(at []time.Duration, d time.Duration) []time.Duration {
	if len(at) == 0 {
		return nil
	}
	k, _ := slices.BinarySearch(at, at[0]+d)
	return at[k:]
}
