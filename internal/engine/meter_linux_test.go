package engine

import (
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/host"
)

// opened is the arm of a target, made ready.
func opened(t *testing.T, target Target) *arm {
	t.Helper()
	p := &armPlan{target: target, Settings: Settings{Load: Load{Concurrency: 1}}, overTCP: true}
	require.Empty(t, p.check())
	a, err := p.open(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.close()) })
	return a
}

// What this process serves is read by its own clock, at a URL too.
func TestMeterOfThisProcess(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	for _, target := range []Target{{URL: s.URL}, {Handler: http.NotFoundHandler()}} {
		m, err := opened(t, target).newMeter()
		require.NoError(t, err)
		before, _ := host.ProcessorTime()
		for now := before; now < before+time.Millisecond; {
			now, _ = host.ProcessorTime()
		}
		used, err := m.Read()
		require.NoError(t, err)
		assert.GreaterOrEqual(t, used, before+time.Millisecond)
		assert.NoError(t, m.check())
		if target.URL != "" {
			assert.Equal(t, []int{os.Getpid()}, m.pids)
		}
	}
}

// A server whose processes became others was not read as a whole.
func TestMeterChecksServer(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	m, err := opened(t, Target{URL: s.URL}).newMeter()
	require.NoError(t, err)
	m.pids = append(m.pids, os.Getppid())
	require.ErrorContains(t, m.check(), "not the same as at the start")
	s.Close()
	require.ErrorContains(t, m.check(), "no process that can be seen listens at")
}
