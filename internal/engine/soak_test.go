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

// A long run holds as much memory at its end as after 10 s. LOADTESTKIT_SOAK=1
// takes 10 minutes, LOADTESTKIT_SOAK=2m two.
func TestSoak(t *testing.T) {
	const rate, early = 20_000, 10 * time.Second
	length := 10 * time.Minute
	switch s := os.Getenv("LOADTESTKIT_SOAK"); s {
	case "":
		t.Skip("takes 10 minutes: set LOADTESTKIT_SOAK=1, or to another time such as 2m")
	case "1":
	default:
		var err error
		length, err = time.ParseDuration(s)
		require.NoError(t, err)
	}
	require.Greater(t, length, early)
	s := raw(t, nil)
	// With every connection there from the start: how many a stall of the
	// machine makes the run open is not what is measured.
	p, err := NewRun(RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Rate: rate, Concurrency: 500, ConnectionsAhead: 500}}, Duration: length})
	require.NoError(t, err)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var first, last uint64
	var looked time.Duration
	r, err := p.Run(t.Context(), context.Background(), func(now Progress) {
		switch {
		case first == 0 && now.Elapsed >= early:
			first = heap()
		case now.Elapsed-looked >= time.Second: // a collection stops the world: not often
			last, looked = heap(), now.Elapsed
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
