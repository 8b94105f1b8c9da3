package load

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a run holds at its end does not grow with the number of its requests.
func TestMemoryIsFlat(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector takes memory, and ten times as long")
	}
	heap := func(n int64, schedule *Schedule, mux bool) int64 {
		l := New(instant(n, 64, schedule, mux))
		o := l.Run(context.Background(), context.Background())
		require.Equal(t, n, o.Succeeded)
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what the first one only unlinked
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(l)
		runtime.KeepAlive(o)
		return int64(m.HeapAlloc)
	}
	eachWay(func(name string, schedule *Schedule, mux bool) {
		heap(1000, schedule, mux)
		few, many := heap(50_000, schedule, mux), heap(5_000_000, schedule, mux)
		t.Logf("%s: %d KB after 50,000 requests, %d KB after 5,000,000", name, few>>10, many>>10)
		// Histograms have more octaves and intervals the longer a run is, to a
		// bound of some 3 MB a shard; a single word kept of each request would
		// be 40 MB.
		assert.Less(t, many-few, int64(1+len(New(Config{}).shards))*(4<<20), name)
	})
}
