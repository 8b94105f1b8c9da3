package engine

import (
	"maps"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
)

func init() { children["shares"] = shares }

const (
	sharers   = 64
	shareEach = 800 // requests, on average
)

// shares sends on that many connections, from one processor.
func shares(url string) (any, error) {
	runtime.GOMAXPROCS(1)
	return measure(RunOptions{
		Target:   Target{URL: url},
		Settings: Settings{Load: Load{Concurrency: sharers}, Portable: os.Getenv("PORTABLE") != ""},
		Requests: sharers * shareEach,
	})
}

// Of a server that answers at once, each connection gets about as many
// requests: none has to wait until others have nothing to do. The number of
// requests is given, and not the time, so that the speed of the machine does
// not matter. Nor do stalls of it, with a processor for each end: of two that
// one end has, the one that stalls would keep the connections whose goroutines
// it holds from their share. Each end is a process, because in one the client
// could not be served while it goes on.
func TestConnectionsGetTheirShare(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	engines(t, func(t *testing.T, portable bool) {
		y := tally{connections: sharers}
		s := raw(t, func(_ int64, c *target.RawConn) { y.add(c); c.Answer(200) })
		cmd := child(t, "shares", s.URL)
		if portable {
			cmd.Env = append(cmd.Env, "PORTABLE=1")
		}
		var r report.Document
		result(t, cmd, &r)
		require.Equal(t, int64(sharers*shareEach), r.Requests.Succeeded)
		got := slices.Sorted(maps.Values(y.by))
		require.Len(t, got, sharers, "one for each permit, and none is replaced")
		var counted int64
		for _, n := range got {
			counted += n
		}
		require.Greater(t, counted, int64(sharers*shareEach/2), "all are there soon")
		t.Logf("%d to %d requests on each connection", got[0], got[sharers-1])
		// A stall at the wrong moment gives one connection many more, at the
		// cost of a few requests to each of the others.
		assert.Greater(t, got[0], int64(shareEach/2))
	})
}
