package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

func TestSpacing(t *testing.T) {
	at := func(us ...int) (all []time.Duration) {
		for _, u := range us {
			all = append(all, time.Duration(u)*time.Microsecond)
		}
		return all
	}
	check := func(arrivals []time.Duration, want spacing, why string) {
		t.Helper()
		got, ok := newSpacing(arrivals, 1000)
		require.True(t, ok)
		assert.InDelta(t, want.rate, got.rate, 0.1, why)
		want.rate = got.rate
		assert.Equal(t, want, got, why)
	}
	const ms, us = time.Millisecond, time.Microsecond
	check(at(7000, 8000, 9000, 10000, 11000),
		spacing{rate: 1000, gap1: ms, gap50: ms, gap99: ms},
		"on time, whatever the start")
	check(at(7050, 8050, 9000, 10050, 11050),
		spacing{rate: 1000, late50: 50 * us, late99: 50 * us, gap1: 950 * us, gap50: ms, gap99: 1050 * us},
		"the grid lies where the earliest is on time, so the others are late")
	check(at(5000, 5001, 5002, 5003, 9000),
		spacing{rate: 1000, late50: 1998 * us, late99: 2997 * us, gap1: us, gap50: us, gap99: 3997 * us, clumps: 0.75},
		"of four sent at once, the last is on time")
	check(at(0, 1000, 3000, 4000, 5000),
		spacing{rate: 800, late50: 1000 * us, late99: 1000 * us, gap1: ms, gap50: ms, gap99: 2 * ms},
		"one that is omitted makes those after it late")

	_, ok := newSpacing(at(1), 1000)
	assert.False(t, ok, "one arrival has no gap")
	assert.Equal(t, at(1000, 1500), skipOpening(at(0, 999, 1000, 1500), ms))
	assert.Empty(t, skipOpening(nil, ms))
}

// The truth of a freeze, by hand: at 1,000 per second, frozen for 1 s of 5 s,
// 1,000 of 5,000 requests wait 1000, 999, ... 1 ms. Sorted, rank 4750 is the
// 750th of these.
func TestTruthOfAFreeze(t *testing.T) {
	w := knownLatency{rate: 1000, duration: 5 * time.Second, timing: target.Timing{
		Freezes: []target.Freeze{{At: 2 * time.Second, For: time.Second}},
	}}
	const ms = time.Millisecond
	assert.Equal(t, times{"p50": 0, "p90": 500 * ms, "p95": 750 * ms, "p99": 950 * ms, "p99.5": 975 * ms, "max": 1000 * ms}, w.truth())
}

func TestGrid(t *testing.T) {
	g := newGrid("times", "tool", []string{"ours", "theirs", "unable"}, []string{"a", "b"})
	for _, v := range []float64{3, 1, 2} {
		g.add("ours", "a", v)
		g.add("theirs", "a", 2*v)
	}
	g.add("ours", "b", 12345.6)
	g.bold = func(row, column string, median float64) bool { return row == "theirs" && median == 4 }
	var b strings.Builder
	g.write(&b)
	g.ratios("ours").write(&b)
	assert.Equal(t, `times:

| tool | a | b |
|---|--:|--:|
| ours | 2.00 (1.00-3.00) | 12,346 |
| theirs | **4.00** (2.00-6.00) | - |
| unable | - | - |

times, ours / the other:

| tool | a | b |
|---|--:|--:|
| theirs | 0.50 | - |
| unable | - | - |

`, b.String())
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.0123: "0.012", 0.0994: "0.099", 0.0996: "0.10", 9.994: "9.99", 9.996: "10.0", 99.94: "99.9", 99.96: "100", 999.6: "1,000", 1234567: "1,234,567", -1234: "-1,234",
	} {
		assert.Equal(t, want, number(v), "%v", v)
	}
	assert.Equal(t, 2.5, median([]float64{4, 1, 2, 3}))
}

func TestNginxStatus(t *testing.T) {
	s, err := parseStatus("Active connections: 3 \nserver accepts handled requests\n 67 66 111994 \nReading: 0 Writing: 1 Waiting: 2 \n")
	require.NoError(t, err)
	assert.Equal(t, status{requests: 111994, accepted: 67, open: 3}, s)
	_, err = parseStatus("<html>404</html>")
	assert.Error(t, err)
}

func TestCheckCounts(t *testing.T) {
	check := func(j job, requests, reported, accepted int64, want string) {
		t.Helper()
		s := &section{}
		s.checkCounts(wrk, j, cost{requests: requests, result: result{done: reported}}, accepted)
		if want == "" {
			assert.Empty(t, s.notes)
		} else {
			assert.Equal(t, []string{"wrk, " + want}, s.notes)
		}
	}
	check(job{connections: 8}, 1000, 992, 8, "") // in flight at the end
	check(job{connections: 8}, 1000, 1100, 8, "8 connections: it reports 1100 requests, nginx counted 1000")
	check(job{connections: 8}, 1000, 1000, 3, "8 connections: nginx counted 3 connections")
	check(job{connections: 8}, 1000, 1000, 900, "8 connections: nginx counted 900 connections") // not kept alive
	check(job{connections: 8, rate: 50}, 1000, 1000, 1, "")                                     // an open workload uses as many as it needs
	check(job{connections: 8, fresh: true}, 1000, 1000, 1000, "")
	check(job{connections: 8, fresh: true}, 1000, 1000, 8, "8 connections, not kept alive: nginx counted 8 connections for 1000 requests")
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-only", "nothing"}, {"-rounds", "0"}, {"-duration", "1500ms"}, {"extra"}, {"-unknown"}} {
		var out, log strings.Builder
		assert.Error(t, run(t.Context(), args, &out, &log), "%q", args)
		assert.Empty(t, out.String())
	}
	chosen, err := chooseTables("mix,cpu")
	require.NoError(t, err)
	assert.Equal(t, []string{"mix", "cpu"}, chosen)
}

// Each round begins with another tool and includes all of them.
func TestOrder(t *testing.T) {
	b := &bench{tools: []tool{{name: "a"}, {name: "b"}, {name: "c"}}}
	var got []string
	for n := range 4 {
		var names string
		for _, t := range b.order(n) {
			names += t.name
		}
		got = append(got, names)
	}
	assert.Equal(t, []string{"abc", "bca", "cab", "abc"}, got)
}
