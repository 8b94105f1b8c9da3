package engine

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

// A server that answers one request on each connection, and closes it without a word
// when the next arrives, loses nothing that may be sent again. What was not is named
// with the reason.
func TestLostRequestsAreSentAgain(t *testing.T) {
	for _, portable := range []bool{false, true} {
		for _, c := range []struct {
			method  string
			noRetry bool
			again   int64
			failed  int64
		}{{"GET", false, 9, 0}, {"POST", false, 0, 5}, {"GET", true, 0, 5}} {
			var answered sync.Map
			s := raw(t, func(_ int64, conn *target.RawConn) {
				if _, again := answered.LoadOrStore(conn, true); again {
					conn.Close()
					return
				}
				conn.Answer(200)
			})
			o := RunOptions{
				Target:   Target{URL: s.URL, RequestOptions: RequestOptions{Method: c.method, NoRetry: c.noRetry}},
				Settings: Settings{Load: Load{Concurrency: 1, Rate: 400, ConnectionsAhead: -1}, Portable: portable},
				Requests: 10,
			}
			p, err := NewRun(o)
			require.NoError(t, err)
			r, err := p.Run(t.Context(), t.Context(), nil)
			require.NoError(t, err)
			assert.Equal(t, c.failed, r.Requests.Failed, "%+v", c)
			assert.Equal(t, 10-c.failed, r.Requests.Succeeded)
			assert.Equal(t, c.again, r.Requests.SentAgain)
			assert.Equal(t, int64(10), r.Requests.Sent)
			assert.Equal(t, c.failed, r.Record.Stale.Failed)
			assert.Equal(t, c.noRetry, r.Config.NoRetry)
			warned := false
			for _, w := range r.Generator.Warnings {
				warned = warned || w.Code == "stale_connections"
			}
			assert.Equal(t, c.failed > 0 && r.Record.Stale.Most >= time.Millisecond, warned)
		}
	}
}

// A handler that ends a connection has seen the request, which is not sent to it again.
func TestHandlersSeeEachRequestOnce(t *testing.T) {
	var calls atomic.Int64
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if calls.Add(1)%2 == 0 {
			panic(http.ErrAbortHandler)
		}
	})
	for _, tls := range []bool{false, true} {
		calls.Store(0)
		p, err := NewRun(RunOptions{
			Target:   Target{Handler: h, TLS: tls},
			Settings: Settings{Load: Load{Concurrency: 1}}, Requests: 10,
		})
		require.NoError(t, err)
		r, err := p.Run(t.Context(), t.Context(), nil)
		require.NoError(t, err)
		assert.Equal(t, int64(10), calls.Load())
		assert.Equal(t, int64(5), r.Requests.Failed)
		assert.Zero(t, r.Requests.SentAgain)
	}
}
