package engine

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// manyConnections is how many connections a full load has. Both ends of each
// are in this process, and may be a goroutine each: the race detector allows 8128.
func manyConnections(t *testing.T) int {
	const n = 2000
	if err := wire.CheckFiles(n, 2); err != nil {
		t.Skip(err)
	}
	return n
}

// A lastSent keeps when the latest of the failed requests of a closed workload
// was sent, from the start of the run: that is when it was due.
type lastSent struct {
	slog.Handler
	at atomic.Int64
}

func (l *lastSent) Enabled(context.Context, slog.Level) bool { return true }

func (l *lastSent) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key != "due" {
			return true
		}
		due := int64(a.Value.Duration())
		for last := l.at.Load(); due > last && !l.at.CompareAndSwap(last, due); {
			last = l.at.Load()
		}
		return false
	})
	return nil
}

// Once a run of many connections is cancelled at full speed not one request is
// sent, and the report is there when what is in flight has its responses.
func TestCancelAtFullLoad(t *testing.T) {
	connections := manyConnections(t)
	engines(t, func(t *testing.T, portable bool) {
		ctx, cancel := context.WithCancel(t.Context())
		var cancelled time.Time
		stop := sync.OnceFunc(func() { cancel(); cancelled = time.Now() })
		y := tally{connections: connections}
		s := raw(t, func(n int64, c *target.RawConn) {
			if y.add(c) && n >= int64(2*connections) {
				stop()
			}
			c.Answer(503) // only failed requests are logged
		})
		last := &lastSent{}
		p, err := NewRun(RunOptions{
			Target:   Target{URL: s.URL},
			Settings: Settings{Load: Load{Concurrency: connections}, Portable: portable, Timeout: time.Minute, Log: last},
			Requests: 100_000_000,
		})
		require.NoError(t, err)
		r, err := p.Run(ctx, context.Background(), nil)
		stop() // long done: to see what it has noted
		took := time.Since(cancelled)
		require.NoError(t, err)
		checkDocument(t, r)
		t.Logf("the report was there %v after the cancel, of %d requests", took, r.Requests.Sent)
		// One that was about to be sent may still be.
		assert.Less(t, time.Duration(last.at.Load()), cancelled.Sub(r.StartedAt)+time.Second, "nothing is sent any more")
		assert.True(t, r.Interrupted)
		assert.Equal(t, s.Seen(), r.Requests.Sent)
		assert.Equal(t, report.Requests{
			Due: s.Seen(), Sent: s.Seen(), Completed: s.Seen(), Failed: s.Seen(),
		}, r.Requests, "each has had its response")
		assert.Equal(t, int64(connections), r.Generator.ConnectionsOpened)
		assert.Less(t, took, 10*time.Second)
	})
}

// With a request in flight on each of many connections, the first cancel waits
// for their responses and takes no more than those; the second waits for none.
func TestStopWithAllInFlight(t *testing.T) {
	connections := manyConnections(t)
	engines(t, func(t *testing.T, portable bool) {
		for _, twice := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			cut, cancelCut := context.WithCancel(t.Context())
			answer := make(chan struct{})
			s := raw(t, func(_ int64, c *target.RawConn) { <-answer; c.Answer(200) })
			var stopped time.Time
			go func() {
				assert.NoError(t, s.Await(t.Context(), int64(connections)))
				stopped = time.Now()
				cancel()
				if twice {
					cancelCut()
				} else {
					close(answer)
				}
			}()
			r := runUntil(t, ctx, cut, RunOptions{
				Target:   Target{URL: s.URL},
				Settings: Settings{Load: Load{Concurrency: connections}, Portable: portable, Timeout: time.Minute},
				Requests: 100_000_000,
			})
			assert.Less(t, time.Since(stopped), 10*time.Second)
			n := int64(connections)
			want := report.Requests{Due: n, Sent: n, Completed: n, Succeeded: n}
			if twice {
				want = report.Requests{Due: n, Sent: n, Unfinished: n}
				close(answer)
			}
			assert.Equal(t, want, r.Requests, "twice: %v", twice)
			assert.True(t, r.Interrupted)
			assert.Equal(t, n, s.Seen())
			s.Close()
		}
	})
}
