package engine

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoops(t *testing.T) {
	check := func(o Options, loopback bool, processors, want int, why string) {
		t.Helper()
		p := &Plan{opts: o}
		if o.Rate > 0 {
			p.plan()
		}
		assert.Equal(t, want, p.loops(loopback, processors), why)
	}
	check(Options{Concurrency: 1000}, false, 8, 8, "one for each processor")
	check(Options{Concurrency: 1000}, true, 8, 4, "a target on this machine needs some too")
	check(Options{Concurrency: 1000}, true, 1, 1, "one at least")
	check(Options{Concurrency: 100}, false, 8, 3, "with too few permits loops idle")
	check(Options{Concurrency: 1}, false, 8, 1, "one at least")
	check(Options{Concurrency: 10_000}, false, 128, loopsMost, "memory is bounded")
	check(Options{Concurrency: 1000, Rate: 10}, false, 8, 1, "arrivals wait in one line")
}

// What loops share is divided among them.
func TestLoopsShare(t *testing.T) {
	m, err := wireTo(t, closedPort).newMux(100, 3, false)
	require.NoError(t, err)
	defer m.Close()
	assert.Len(t, m.(*epollMux).places, 34)
	assert.Equal(t, dialsAtOnce/3, m.(*epollMux).dialsAtOnce)
}

// Several loops count as one does: nothing is lost between them, not even when
// they are stopped, and none takes what is another's.
func TestSeveralLoops(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("on one CPU there is one loop")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6)) // three loops, as the target is here
	const permits = 100
	var served atomic.Int64
	var open, most, stopAt atomic.Int64
	stopAt.Store(-1)
	ctx, stop := context.WithCancel(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := open.Add(1)
		for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
		}
		if served.Add(1) == stopAt.Load() {
			stop()
		}
		open.Add(-1)
	}))
	defer s.Close()
	for _, alone := range []bool{false, true} {
		served.Store(0)
		o := Options{URL: s.URL, Alone: alone, Requests: 5_000, Concurrency: permits}
		r := run(t, o)
		assert.Equal(t, 3, r.Generator.Processors)
		assert.Equal(t, int64(5_000), r.Requests.Succeeded)
		assert.Equal(t, int64(5_000), served.Load())
		assert.Equal(t, int64(permits), r.Generator.ConnectionsOpened)
		assert.LessOrEqual(t, r.Generator.PeakInFlight, int64(permits))
	}
	assert.LessOrEqual(t, most.Load(), int64(permits))

	served.Store(0)
	stopAt.Store(2_000)
	r := runUntil(t, ctx, t.Context(), Options{URL: s.URL, Alone: true, Duration: time.Minute, Concurrency: permits})
	assert.True(t, r.Interrupted)
	require.Zero(t, r.Requests.Failed)
	assert.Equal(t, served.Load(), r.Requests.Succeeded)
}
