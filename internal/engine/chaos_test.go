package engine

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// moods are what a server does to requests for a while.
var moods = []struct {
	name   string
	behave func(n int64, c *target.RawConn)
}{
	{"well", func(_ int64, c *target.RawConn) { c.Answer(200) }},
	{"errors", func(n int64, c *target.RawConn) { c.Answer(200 + 303*int(n%2)) }},
	{"frozen", func(_ int64, c *target.RawConn) { targettest.Hold(c) }},
	{"resets", func(n int64, c *target.RawConn) {
		io.WriteString(c, ok3[:n%int64(len(ok3))])
		targettest.Reset(c)
	}},
	{"truncates", func(n int64, c *target.RawConn) {
		io.WriteString(c, ok3[:n%int64(len(ok3))])
		c.Close()
	}},
	{"closes idle connections", func(n int64, c *target.RawConn) {
		c.Answer(200)
		if n%3 == 0 {
			c.Close()
		}
	}},
	{"garbage", answer("SSH-2.0-OpenSSH_9.2\r\n")},
	{"surplus", answer(ok3 + ok3)},
	{"floods with interim responses", flood("", "HTTP/1.1 102 Processing\r\n\r\n")},
	{"floods with a head", flood("HTTP/1.1 200 OK\r\n", "X-Endless: 0123456789\r\n")},
	{"floods with a body", flood(ok10, strings.Repeat("x", 4096))},
	{"floods with chunks", flood(chunked, "1\r\nx\r\n")},
	{"drips", drip(chunked, "1\r\nx\r\n")},
}

// A moody is a server that changes its mood, and restarts, until it is closed.
type moody struct {
	URL      string
	port     *targettest.Port
	mood     atomic.Int64
	restarts int
	server   *targettest.Raw
	stop     chan struct{}
	wg       sync.WaitGroup
}

// newMoody starts a server that answers well at first, and changes its mood every so
// often.
func newMoody(t *testing.T, seed uint64, every time.Duration) *moody {
	port, err := targettest.HoldPort()
	require.NoError(t, err)
	m := &moody{URL: fmt.Sprintf("http://127.0.0.1:%d", port.Number), port: port, stop: make(chan struct{})}
	require.NoError(t, m.listen())
	m.wg.Go(func() {
		random := rand.New(rand.NewPCG(seed, 0))
		for {
			select {
			case <-m.stop:
				return
			case <-time.After(every):
			}
			m.mood.Store(int64(random.IntN(len(moods))))
			if random.IntN(4) == 0 {
				m.restarts++
				m.server.Close()
				if err := m.listen(); err != nil {
					t.Errorf("restarting: %v", err)
					return
				}
			}
		}
	})
	return m
}

func (m *moody) listen() error {
	server, err := targettest.ListenRaw(strings.TrimPrefix(m.URL, "http://"), target.RawOptions{
		Behave: func(n int64, c *target.RawConn) { moods[m.mood.Load()].behave(n, c) },
	})
	if err == nil {
		m.server = server
	}
	return err
}

func (m *moody) close() {
	close(m.stop)
	m.wg.Wait()
	m.server.Close()
	m.port.Release()
}

// chaosRound puts load of each kind, by each way to send, on a server that misbehaves.
// Each run ends on time, with counts that add up.
func chaosRound(t *testing.T, seed uint64, length time.Duration) (sum report.Requests, restarts int) {
	for _, portable := range []bool{false, true} {
		for _, l := range []Load{{Concurrency: 20}, {Rate: 2000, Concurrency: 50}, {Rate: 500, Poisson: true, Concurrency: 5}} {
			s := newMoody(t, seed, length/20)
			p := newRun(t, RunOptions{
				Target:   Target{URL: s.URL},
				Settings: Settings{Load: l, Portable: portable, Timeout: time.Second, Grace: length / 10},
				Duration: length,
			})
			// A run that does not end by itself fails: the context is only there for that.
			ctx, cancel := context.WithTimeout(t.Context(), length+30*time.Second)
			r, err := p.Run(ctx, ctx, nil)
			require.NoError(t, ctx.Err(), "seed %d: the run does not end", seed)
			cancel()
			s.close()
			require.NoError(t, err, "seed %d", seed)
			checkDocument(t, r)
			require.False(t, r.Interrupted)
			sum.Due += r.Requests.Due
			sum.Succeeded += r.Requests.Succeeded
			sum.Failed += r.Requests.Failed
			restarts += s.restarts
		}
	}
	return sum, restarts
}

// Servers that restart, freeze, reset, flood and answer garbage cost no request its
// account, and leave nothing behind. The test takes a second, or five sixths of
// the time of soak tests.
func TestChaos(t *testing.T) {
	const most = 64 << 20 // octets of heap
	seed := rand.Uint64()
	length, round := soakTime(t)*5/6, 2*time.Second
	if length == 0 {
		round = 100 * time.Millisecond
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	start := time.Now()
	var all report.Requests
	rounds, restarts, heap := 0, 0, uint64(0)
	for {
		sum, n := chaosRound(t, seed+uint64(rounds), round)
		require.NoError(t, leaks(goroutines, files), "seed %d, round %d", seed, rounds)
		heap = max(heap, heapInUse())
		require.Less(t, heap, uint64(most), "seed %d, round %d", seed, rounds)
		all.Due, all.Succeeded, all.Failed = all.Due+sum.Due, all.Succeeded+sum.Succeeded, all.Failed+sum.Failed
		rounds, restarts = rounds+1, restarts+n
		if time.Since(start) >= length {
			break
		}
	}
	t.Logf("seed %d: %d rounds in %v: %d requests due, %d succeeded, %d failed; %d restarts; at most %d KB of heap, %d goroutines and %d descriptors left, as before",
		seed, rounds, time.Since(start).Round(time.Second), all.Due, all.Succeeded, all.Failed, restarts, heap>>10, goroutines, files)
	assert.Positive(t, all.Succeeded)
}
