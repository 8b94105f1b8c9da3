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

// Several loops count as one does: nothing is lost between them, not even when
// they are stopped, and none takes what is another's.
func TestSeveralLoops(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("on one CPU there is one loop")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6)) // three loops, as the target is here
	const permits = 100
	var served, open, most atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	// serve answers once a request of each permit is there.
	serve := func(stopAt int64) string {
		served.Store(0)
		all := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			now := open.Add(1)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			switch served.Add(1) {
			case permits:
				close(all)
			case stopAt:
				stop()
			}
			select {
			case <-all:
			case <-r.Context().Done():
			}
			open.Add(-1)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	for _, alone := range []bool{false, true} {
		r := run(t, RunOptions{Target: Target{URL: serve(0)}, Settings: Settings{Load: Load{Concurrency: permits}, Alone: alone}, Requests: 5_000})
		assert.Equal(t, 3, r.Generator.Processors)
		assert.Equal(t, int64(5_000), r.Requests.Succeeded)
		assert.Equal(t, int64(5_000), served.Load())
		assert.Equal(t, int64(permits), r.Generator.ConnectionsOpened)
		assert.LessOrEqual(t, r.Generator.PeakInFlight, int64(permits))
	}
	assert.LessOrEqual(t, most.Load(), int64(permits))

	r := runUntil(t, ctx, t.Context(), RunOptions{Target: Target{URL: serve(2_000)}, Settings: Settings{Load: Load{Concurrency: permits}, Alone: true}, Duration: time.Minute})
	assert.True(t, r.Interrupted)
	require.Zero(t, r.Requests.Failed)
	assert.Equal(t, served.Load(), r.Requests.Succeeded)
}

// A volley is made by one of several loops, with no more requests at once than it has
// permits.
func TestVolleyOfOneOfSeveralLoops(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("on one CPU there is one loop")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(6))
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	c := contending(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Concurrency: 100}}})
	require.Len(t, c.muxes, 3)
	v := c.driver.Volley(volleyMost, volleyMost, nil)
	assert.Equal(t, volleyMost, v.Ended)
	assert.Zero(t, v.Failed)
	assert.Equal(t, 33, c.driver.Permits())
}
