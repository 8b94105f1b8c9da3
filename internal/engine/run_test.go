package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// raw starts a server that answers as behave does, until the end of the test.
func raw(t testing.TB, behave func(n int64, c *target.RawConn)) *targettest.Raw {
	return rawWith(t, target.RawOptions{Behave: behave})
}

func rawWith(t testing.TB, o target.RawOptions) *targettest.Raw { return rawAt(t, "127.0.0.1:0", o) }

// rawPassing is raw for a server that ends before the test does: no other test
// is given its port then.
func rawPassing(t testing.TB, behave func(n int64, c *target.RawConn)) *targettest.Raw {
	p, err := targettest.HoldPort()
	require.NoError(t, err)
	t.Cleanup(p.Release)
	return rawAt(t, fmt.Sprintf("127.0.0.1:%d", p.Number), target.RawOptions{Behave: behave})
}

func rawAt(t testing.TB, addr string, o target.RawOptions) *targettest.Raw {
	s, err := targettest.ListenRaw(addr, o)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// run makes a run that nobody stops, and checks what holds for every run.
func run(t testing.TB, o Options) *report.Report {
	t.Helper()
	return runUntil(t, context.Background(), context.Background(), o)
}

func runUntil(t testing.TB, ctx, cut context.Context, o Options) *report.Report {
	t.Helper()
	p, err := NewPlan(o)
	require.NoError(t, err)
	r, err := p.Run(ctx, cut, nil)
	require.NoError(t, err)
	sound(t, r)
	return r
}

// sound checks that a report's counts agree with each other.
func sound(t testing.TB, r *report.Report) {
	t.Helper()
	require.NoError(t, report.CheckConservation(r))
	q := r.Requests
	var statuses, errs, due, missed int64
	for _, n := range r.StatusCodes {
		statuses += n
	}
	for _, e := range r.Errors {
		errs += e.Count
		require.Equal(t, e.First, e.Samples[0].Message)
		require.LessOrEqual(t, len(e.Samples), 5)
		for _, s := range e.Samples {
			require.True(t, strings.HasPrefix(s.ID, r.RunID+"-"), s.ID)
			require.NotEmpty(t, s.Message)
		}
	}
	require.Equal(t, q.Succeeded+q.Failed, q.Completed+errs, "each request that ended had a response or an error")
	if r.Config.Method != "" {
		require.Equal(t, q.Completed, statuses, "each complete response had a status")
	}
	for _, i := range r.Series {
		due += i.Due
		missed += i.Missed
	}
	require.Equal(t, q.Due, due)
	require.Equal(t, q.Failed+q.Unsent+q.Unfinished, missed)
	if w := r.Warmup; w != nil {
		require.GreaterOrEqual(t, w.Due, w.Sent)
		require.GreaterOrEqual(t, w.Sent, w.Succeeded+w.Failed)
	}
	require.LessOrEqual(t, r.Generator.PeakInFlight, int64(r.Config.Concurrency))
	require.NoError(t, report.WriteJSON(io.Discard, r))
	require.NoError(t, report.WriteText(io.Discard, r, report.Style{Verbose: true}))
}

// engines runs f for each way of sending that this system has.
func engines(t *testing.T, f func(t *testing.T, portable bool)) {
	t.Helper()
	for name, portable := range map[string]bool{"epoll": false, "goroutines": true} {
		t.Run(name, func(t *testing.T) { f(t, portable) })
	}
}

// together is engines for tests that mostly wait: they run beside others.
func together(t *testing.T, f func(t *testing.T, portable bool)) {
	t.Parallel()
	engines(t, func(t *testing.T, portable bool) { t.Parallel(); f(t, portable) })
}

// A tally counts requests by the connection that they came on, from when as
// many connections are there as there will be: the first ones have the server
// to themselves while the others are being opened.
type tally struct {
	connections int

	mu sync.Mutex
	by map[*target.RawConn]int64
}

// add counts one more and reports whether all connections are there.
func (y *tally) add(c *target.RawConn) (all bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.by == nil {
		y.by = make(map[*target.RawConn]int64, y.connections)
	}
	y.by[c]++
	if y.by[c] == 1 && len(y.by) == y.connections {
		for c := range y.by {
			y.by[c] = 1
		}
	}
	return len(y.by) == y.connections
}

// kinds returns the counts of errors by kind.
func kinds(r *report.Report) map[string]int64 {
	m := map[string]int64{}
	for _, e := range r.Errors {
		m[e.Kind] = e.Count
	}
	return m
}

// reached is how many requests got a connection, warm-up included: those
// that a server can have seen.
func reached(r *report.Report) int64 {
	n := r.Requests.Sent
	if r.Warmup != nil {
		n += r.Warmup.Sent
	}
	k := kinds(r)
	for _, kind := range []record.Kind{
		record.Resolve, record.ConnectRefused, record.ConnectTimeout, record.Connect, record.NoFDs, record.NoPorts, record.TLS,
	} {
		n -= k[kind.String()]
	}
	return n
}

// sawAll checks that s saw each request that r says was sent. The last ones may
// still have to be read, if they had no answer.
func sawAll(t *testing.T, s *targettest.Raw, r *report.Report, why ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_ = s.Await(ctx, reached(r))
	assert.Equal(t, reached(r), s.Seen(), why...)
}

func TestRunCountsWhatTheServerSaw(t *testing.T) { engines(t, testRunCounts) }

func testRunCounts(t *testing.T, portable bool) {
	check := func(o Options, want report.Requests, least, most int64, why string) {
		t.Helper()
		s := raw(t, func(n int64, c *target.RawConn) {
			if n%4 == 3 {
				c.Answer(503)
			} else {
				c.Answer(200)
			}
		})
		o.URL, o.Portable = s.URL, portable
		r := run(t, o)
		assert.Equal(t, want, r.Requests, why)
		assert.Equal(t, s.Seen(), reached(r), why)
		assert.Equal(t, want.Succeeded, r.StatusCodes["200"], why)
		assert.Equal(t, want.Failed, r.StatusCodes["503"], why)
		assert.GreaterOrEqual(t, r.Generator.ConnectionsOpened, least, why)
		assert.LessOrEqual(t, r.Generator.ConnectionsOpened, most, why)
		assert.Equal(t, want.Completed*13, r.Bytes.Body, why)
		assert.Positive(t, r.Bytes.Sent)
		assert.Positive(t, r.Rate.Throughput)
		require.NotNil(t, r.Generator.MaxRSS)
		assert.Positive(t, *r.Generator.MaxRSS)
	}
	counts := func(n int64) report.Requests {
		return report.Requests{Due: n, Sent: n, Completed: n, Succeeded: n - n/4, Failed: n / 4}
	}
	check(Options{Requests: 1000, Concurrency: 7}, counts(1000), 1, 7, "not divisible")
	check(Options{Requests: 8, Concurrency: 100}, counts(8), 1, 8, "fewer requests than permits")
	check(Options{Requests: 1}, counts(1), 1, 1, "one")
	check(Options{Requests: 60, NoKeepAlive: true}, counts(60), 60, 60, "a connection each")
	check(Options{Requests: 200, Rate: 10_000, ConnectionsAhead: -1, Concurrency: 1}, counts(200), 1, 1, "open")
	check(Options{Requests: 200, Rate: 10_000, ConnectionsAhead: 20}, counts(200), 20, 1000, "connections ahead")
	check(Options{Requests: 400, Method: "POST", Body: make([]byte, 100_000)}, counts(400), 1, 10, "bodies beyond one write")
}

func TestWarmupIsApart(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := raw(t, nil)
		r := run(t, Options{URL: s.URL, Portable: portable, Requests: 500, Warmup: 300 * time.Millisecond})
		assert.Equal(t, int64(500), r.Requests.Succeeded)
		require.NotNil(t, r.Warmup)
		assert.Positive(t, r.Warmup.Sent)
		assert.Equal(t, r.Warmup.Sent, r.Warmup.Succeeded)
		assert.Equal(t, s.Seen(), reached(r))
	})
}

func TestHandler(t *testing.T) {
	for name, o := range map[string]Options{"in memory": {}, "over TCP": {overTCP: true}, "over TLS": {TLS: true}} {
		var seen atomic.Int64
		o.Path, o.Requests, o.Concurrency = "/items?x=1", 300, 4
		o.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := seen.Add(1)
			assert.Equal(t, "/items?x=1", r.URL.RequestURI())
			switch {
			case n == 5:
				panic("number five")
			case n == 7:
				panic(http.ErrAbortHandler)
			}
		})
		r := run(t, o)
		if o.inMemory() {
			assert.Equal(t, "goroutines", r.Generator.Engine, "there is no socket to poll")
		}
		assert.Equal(t, seen.Load(), reached(r), name)
		assert.Equal(t, int64(298), r.Requests.Succeeded, name)
		assert.Equal(t, map[string]int64{"check": 1, "closed": 1}, kinds(r), name)
		for _, e := range r.Errors {
			if e.Kind == "check" {
				assert.Contains(t, e.First, "panic: number five (engine.TestHandler")
			}
		}
	}
}

// A handler that neither answers nor heeds its context costs the run no more
// than what closing its server takes, and the report says so.
func TestHandlerThatHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	r := run(t, Options{
		Handler:  http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }),
		Requests: 3, Timeout: 400 * time.Millisecond,
	})
	assert.Equal(t, map[string]int64{"timeout": 3}, kinds(r))
	require.NotEmpty(t, r.Generator.Warnings)
	last := r.Generator.Warnings[len(r.Generator.Warnings)-1]
	assert.Equal(t, "abandoned", last.Code)
	assert.Contains(t, last.Text, "3 requests still run")
}

func TestFunc(t *testing.T) {
	boom := errors.New("boom")
	var seen atomic.Int64
	r := run(t, Options{
		Func: func(ctx context.Context) error {
			seen.Add(1)
			id := target.RequestID(ctx)
			switch id[len(id)-1] {
			case '1':
				return boom
			case '2':
				panic("bang")
			case '3':
				<-ctx.Done()
				return ctx.Err()
			case '4':
				<-ctx.Done()
				return nil // too late
			}
			return nil
		},
		Requests: 20, Concurrency: 20, Timeout: time.Second / 2,
	})
	assert.Equal(t, int64(20), seen.Load())
	assert.Equal(t, int64(12), r.Requests.Succeeded)
	assert.Equal(t, map[string]int64{"check": 4, "timeout": 4}, kinds(r))
	assert.Empty(t, r.StatusCodes, "functions have none")
}

func TestFuncThatHangsIsAbandoned(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	began := time.Now()
	r := run(t, Options{
		Func:     func(context.Context) error { <-release; return nil },
		Requests: 10, Concurrency: 2, Timeout: 20 * time.Millisecond, Grace: 20 * time.Millisecond,
	})
	assert.Equal(t, report.Requests{Due: 2, Sent: 2, Unfinished: 2}, r.Requests)
	assert.Less(t, time.Since(began), 10*time.Second)
	require.NotEmpty(t, r.Generator.Warnings)
	assert.Contains(t, r.Generator.Warnings[len(r.Generator.Warnings)-1].Text, "2 calls of the function went on")
}

func TestWatchSeesTheEnd(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		var last Progress
		var calls int
		p, err := NewPlan(Options{URL: raw(t, nil).URL, Portable: portable, Requests: 2000, Rate: 10_000, ConnectionsAhead: 50})
		require.NoError(t, err)
		r, err := p.Run(t.Context(), t.Context(), func(now Progress) {
			assert.GreaterOrEqual(t, now.Succeeded, last.Succeeded)
			assert.GreaterOrEqual(t, now.Elapsed, last.Elapsed)
			last = now
			calls++
		})
		require.NoError(t, err)
		sound(t, r)
		assert.Equal(t, int64(2000), last.Succeeded, "each once")
		assert.GreaterOrEqual(t, calls, 2, "200 ms, and at the end")
	})
}

// No run leaves anything behind, however many there are.
func TestRunOften(t *testing.T) {
	s := raw(t, nil)
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	check := func(o Options, why string) {
		t.Helper()
		o.Requests, o.Concurrency = 20, 3
		p, err := NewPlan(o)
		require.NoError(t, err)
		goroutines, files := runtime.NumGoroutine(), openFiles()
		for range 35 {
			r, err := p.Run(t.Context(), t.Context(), nil)
			require.NoError(t, err)
			sound(t, r)
			require.Equal(t, int64(20), r.Requests.Succeeded, why)
		}
		require.NoError(t, leaks(goroutines, files), why)
	}
	check(Options{URL: s.URL}, "a server")
	check(Options{URL: s.URL, Portable: true}, "a server, from goroutines")
	check(Options{Handler: h}, "a handler")
	check(Options{Handler: h, TLS: true}, "a handler with TLS")
	check(Options{Handler: h, overTCP: true}, "a handler like a URL")
	check(Options{URL: s.URL, Alone: true}, "a server, with nothing else here")
	check(Options{Func: func(context.Context) error { return nil }, Rate: 1e6}, "a function, open")
}
