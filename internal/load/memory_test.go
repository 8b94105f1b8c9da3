package load

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The memory that a run holds at its end does not grow with the number of requests.
// The responses of both runs take equally long, and both runs are long enough for
// their series to have all its intervals, so that nothing else makes a difference.
func TestMemoryIsFlat(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector uses memory, and takes ten times as long")
	}
	const few, many = 20_000, 220_000
	heap := func(t *testing.T, n int64, schedule *Schedule, mux bool) int64 {
		cfg := instant(n, 64, schedule, mux)
		if mux {
			cfg.Muxes = []Mux{&instantMux{delay: time.Millisecond}}
		} else {
			cfg.NewSender = func() Sender {
				return sendFunc(func(n int64) record.Result { time.Sleep(time.Millisecond); return ok(n) })
			}
		}
		l := inVirtualTime(cfg)
		o := l.Run(t.Context(), t.Context())
		require.Equal(t, n, o.Succeeded)
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // frees what the first one only unlinked
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(l)
		runtime.KeepAlive(o)
		return int64(m.HeapAlloc)
	}
	eachWay(func(name string, schedule *Schedule, mux bool) {
		if schedule != nil {
			schedule = rate(60_000) // the permits allow 64,000/s
		}
		synctest.Test(t, func(t *testing.T) {
			heap(t, few, schedule, mux)
			less, more := heap(t, few, schedule, mux), heap(t, many, schedule, mux)
			t.Logf("%s: %d KB after %d requests, %d KB after %d", name, less>>10, few, more>>10, many)
			// A single word kept per request would be 1.6 MB.
			assert.Less(t, more-less, int64(512<<10), name)
		})
	})
}
