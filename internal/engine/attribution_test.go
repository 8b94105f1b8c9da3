package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// A failureLog keeps what a run logs of its failed requests: the status by id,
// 0 for those with none.
type failureLog struct {
	slog.Handler
	mu       sync.Mutex
	statuses map[string]int64
	twice    []string
}

func (l *failureLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *failureLog) Handle(_ context.Context, r slog.Record) error {
	var id string
	var status int64
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "id":
			id = a.Value.String()
		case "status":
			status, _ = strconv.ParseInt(a.Value.String(), 10, 64)
		}
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, again := l.statuses[id]; again {
		l.twice = append(l.twice, id)
	}
	l.statuses[id] = status
	return nil
}

// statusOf is what the server below answers to the request with this id.
func statusOf(id string) int64 {
	n, _ := strconv.ParseInt(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
	return 500 + n%100
}

// Every response goes to its own request, and without retries every id arrives
// once, on a server that resets, closes, hangs and says more than it was asked.
func TestResponsesAreNotMisattributed(t *testing.T) { together(t, testAttribution) }

func testAttribution(t *testing.T, portable bool) {
	const requests = 4_000
	s := rawWith(t, target.RawOptions{Log: requests, Behave: func(n int64, c *target.RawConn) {
		answer := fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok", statusOf(string(c.ID)))
		switch {
		case n%1003 == 5:
			targettest.Hold(c)
		case n%41 == 5:
			targettest.Reset(c)
		case n%37 == 5:
			io.WriteString(c, answer[:20])
			c.Close()
		case n%31 == 5:
			io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"+answer)
		case n%29 == 5:
			io.WriteString(c, answer+answer)
		case n%23 == 5:
			io.WriteString(c, answer)
			c.Close()
		default:
			io.WriteString(c, answer)
		}
	}})
	l := &failureLog{statuses: map[string]int64{}}
	r := run(t, RunOptions{
		Target:   Target{URL: s.URL, RequestOptions: RequestOptions{NoRetry: true}},
		Settings: Settings{Load: Load{Concurrency: 32}, Portable: portable, Timeout: time.Second, Log: l},
		Requests: requests,
	})
	require.Equal(t, int64(requests), r.Requests.Failed)
	assert.Len(t, l.statuses, requests, "each is logged")
	assert.Empty(t, l.twice)
	var answered int64
	for id, status := range l.statuses {
		if status != 0 {
			answered++
			require.Equal(t, statusOf(id), status, id)
		}
	}
	assert.Equal(t, r.Requests.Completed, answered)
	assert.Greater(t, answered, int64(requests/2), "most were answered")

	seen := map[string]bool{}
	for _, a := range s.Arrivals() {
		require.False(t, seen[a.ID], "%s arrived twice", a.ID)
		seen[a.ID] = true
		_, logged := l.statuses[a.ID]
		require.True(t, logged, "%s was never sent", a.ID)
	}
	// What met a connection that the server had just closed was never seen.
	k := kinds(r)
	assert.LessOrEqual(t, s.Seen(), reached(r))
	assert.GreaterOrEqual(t, s.Seen(), reached(r)-k["closed"]-k["reset"]-k["write"])
}
