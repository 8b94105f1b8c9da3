package engine

import (
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
)

func init() { children["serve"] = serveBurning }

// serveBurning is a server that uses 1 ms of its processor time for each request.
func serveBurning(addr string) (any, error) {
	return nil, http.ListenAndServe(addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		before, _ := host.ProcessorTime()
		for now := before; now < before+time.Millisecond; {
			now, _ = host.ProcessorTime()
		}
	}))
}

// The processor time of a started server is its own, and not that of this process.
func TestMeterOfStartedServer(t *testing.T) {
	t.Parallel()
	a := opened(t, Target{CommandName: "server", Command: func(addr string) *exec.Cmd { return child(t, "serve", addr) }})
	m, err := a.newMeter()
	require.NoError(t, err)
	require.Len(t, m.pids, 1)
	before, err := m.Read()
	require.NoError(t, err)
	const requests = 20
	r, err := a.add(t.Context(), t.Context(), stretch{requests: requests, grace: time.Second}, nil)
	require.NoError(t, err)
	require.EqualValues(t, requests, r.Succeeded)
	after, err := m.Read()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, after-before, requests*time.Millisecond)
	assert.NoError(t, m.check())
	assert.NotContains(t, m.pids, os.Getpid())

	a.describe(r, host.Usage{})
	assert.Equal(t, record.Loopback, r.Place)
}
