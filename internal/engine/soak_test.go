package engine

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// soakTime is how long the soak tests take together: an hour with LOADTESTKIT_SOAK=1,
// ten minutes with LOADTESTKIT_SOAK=10m; 0 without.
func soakTime(t *testing.T) time.Duration {
	switch s := os.Getenv("LOADTESTKIT_SOAK"); s {
	case "":
		return 0
	case "1":
		return time.Hour
	default:
		length, err := time.ParseDuration(s)
		require.NoError(t, err)
		return length
	}
}

// heapInUse is what is left after a collection, in octets.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A long run holds as much memory at its end as after 10 s. It takes a sixth of the
// time of soak tests.
func TestSoakSteady(t *testing.T) {
	const rate, early = 20_000, 10 * time.Second
	length := soakTime(t) / 6
	if length == 0 {
		t.Skip("takes minutes: set LOADTESTKIT_SOAK=1, or to a time such as 10m")
	}
	require.Greater(t, length, early)
	s := raw(t, nil)
	// With every connection there from the start: how many a stall of the
	// machine makes the run open is not what is measured.
	p, err := NewRun(RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Rate: rate, Concurrency: 500, ConnectionsAhead: 500}}, Duration: length})
	require.NoError(t, err)
	var first, last uint64
	var looked time.Duration
	r, err := p.Run(t.Context(), context.Background(), func(now Progress) {
		switch {
		case first == 0 && now.Elapsed >= early:
			first = heapInUse()
		case now.Elapsed-looked >= time.Second: // a collection stops the world: not often
			last, looked = heapInUse(), now.Elapsed
		}
	})
	require.NoError(t, err)
	checkDocument(t, r)
	t.Logf("heap after %v: %d KB, at the end: %d KB; peak %d MB resident; %v", early, first>>10, last>>10, *r.Generator.MaxRSS>>20, r.Requests)
	t.Logf("response time p50 %v, p99 %v, max %v; lateness p50 %v, p99 %v",
		*r.ResponseTime.P50, *r.ResponseTime.P99, *r.ResponseTime.Max, *r.Lateness.P50, *r.Lateness.P99)
	assert.InEpsilon(t, first, last, 0.1)
	assert.Equal(t, int64(rate*length.Seconds()), r.Requests.Due)
	assert.Equal(t, s.Seen(), reached(r))
}
