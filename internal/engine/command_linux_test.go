package engine

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

func init() {
	children["serve"], children["fork"], children["burn"] = serveBurning, serveForking, burn
}

// serveBurning is a server that uses 1 ms of its processor time for each request.
func serveBurning(addr string) (any, error) {
	return nil, http.ListenAndServe(addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		before, _ := host.ProcessorTime()
		for now := before; now < before+time.Millisecond; {
			now, _ = host.ProcessorTime()
		}
	}))
}

// serveForking is a server that has a process do something once two requests come
// together, which is after the clocks were opened.
func serveForking(addr string) (any, error) {
	var inFlight atomic.Int64
	var once sync.Once
	return nil, http.ListenAndServe(addr, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if inFlight.Add(1) > 1 {
			once.Do(func() {
				c := exec.Command(os.Args[0])
				c.Env = append(os.Environ(), childEnv+"=burn")
				_ = c.Run()
			})
		}
		time.Sleep(time.Millisecond)
		inFlight.Add(-1)
	}))
}

// burn uses some ticks of processor time.
func burn(string) (any, error) {
	for now := time.Duration(0); now < 30*time.Millisecond; {
		now, _ = host.ProcessorTime()
	}
	return nil, nil
}

// started is a target in a process of its own.
func started(t *testing.T, name string) Target {
	return Target{CommandName: name, Command: func(addr string) *exec.Cmd { return child(t, name, addr) }}
}

// The clock of this process counts the client too, and that of another one does not.
func TestWorkInDifferentPlacesIsNotCompared(t *testing.T) {
	t.Parallel()
	here := httptest.NewServer(healthy)
	defer here.Close()
	handler, url, command := Target{Handler: healthy}, Target{URL: here.URL}, started(t, "serve")
	for _, tc := range []struct {
		base, head Target
		comparable bool
	}{{command, handler, false}, {url, command, false}, {command, command, true}, {handler, url, true}} {
		c := openContest(t, CompareOptions{Base: tc.base, Head: tc.head, Claims: []string{verdict.Work, verdict.Quick}})
		assert.Equal(t, tc.comparable, c.inquiry.Open(verdict.Work))
		if tc.comparable {
			assert.Empty(t, c.unmeasured)
			continue
		}
		require.Len(t, c.unmeasured, 1)
		assert.Equal(t, verdict.Work, c.unmeasured[0].Name)
		assert.Equal(t, verdict.Inconclusive, c.unmeasured[0].Verdict, "it was asked for")
		assert.Contains(t, c.unmeasured[0].Reason, "only one of the targets is in this process")
	}
}

// A server whose clock breaks while it is being compared is compared by all else.
func TestWorkIsDroppedOnceAClockBreaks(t *testing.T) {
	t.Parallel()
	for _, named := range []bool{false, true} {
		o := CompareOptions{Base: started(t, "serve"), Head: started(t, "serve"), Settings: Settings{Budget: time.Minute}}
		if named {
			o.Claims = []string{verdict.Work, verdict.Quick}
		}
		c := openContest(t, o)
		c.round()
		require.True(t, !named || c.inquiry.Open(verdict.Work))
		require.Empty(t, c.unmeasured)

		c.to[1].meter.Meter = brokenMeter(t)
		c.round()
		c.round()
		assert.False(t, c.inquiry.Open(verdict.Work))
		assert.True(t, c.inquiry.Open(verdict.Quick), "the others go on")
		require.Len(t, c.unmeasured, 1)
		work := c.unmeasured[0]
		assert.Equal(t, verdict.Work, work.Name)
		assert.Contains(t, work.Reason, "has ended")
		assert.Contains(t, work.Reason, "head: process")
		assert.Equal(t, named, work.Verdict == verdict.Inconclusive)
		for _, f := range c.inquiry.Findings() {
			assert.NotEqual(t, verdict.Work, f.Name, "it is not described twice")
		}
	}
}

// brokenMeter is the meter of a process that has ended.
func brokenMeter(t *testing.T) *host.Meter {
	t.Helper()
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	m, err := host.NewMeter([]int{cmd.Process.Pid})
	require.NoError(t, err)
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	return m
}

// A server that works in processes that end is compared by all else.
func TestComparisonOfAServerThatForks(t *testing.T) {
	t.Parallel()
	d := compare(t, CompareOptions{Base: started(t, "fork"), Head: started(t, "fork"), Settings: Settings{Budget: 300 * time.Millisecond}})
	work := claimed(t, d, verdict.Work)
	assert.Equal(t, verdict.NotJudged, work.Verdict, work.Reason)
	assert.Contains(t, work.Reason, "works in processes that end before the measurement does")

	c := openContest(t, CompareOptions{Base: started(t, "fork"), Head: started(t, "serve")})
	assert.ErrorContains(t, c.unclocked, "base: process", "known before any round")
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
