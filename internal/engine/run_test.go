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
	"testing/synctest"
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

// newRun makes the plan of a run, and changes it where no option can.
func newRun(t testing.TB, o RunOptions, edits ...func(*armPlan)) *runPlan {
	t.Helper()
	p, err := NewRun(o)
	require.NoError(t, err)
	for _, edit := range edits {
		edit(p.(*runPlan).arm)
	}
	return p.(*runPlan)
}

// overTCP makes a plan reach its handler over TCP.
func overTCP(p *armPlan) { p.overTCP = true }

// run makes a run that nothing stops, and checks what holds for every run.
func run(t testing.TB, o RunOptions, edits ...func(*armPlan)) *report.Document {
	t.Helper()
	return runUntil(t, context.Background(), context.Background(), o, edits...)
}

func runUntil(t testing.TB, ctx, cut context.Context, o RunOptions, edits ...func(*armPlan)) *report.Document {
	t.Helper()
	r, err := newRun(t, o, edits...).Run(ctx, cut, nil)
	require.NoError(t, err)
	checkDocument(t, r)
	return r
}

// checkDocument checks that a document's counts agree with each other.
func checkDocument(t testing.TB, r *report.Document) {
	t.Helper()
	require.NoError(t, r.Record.Check())
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
	for _, i := range r.Record.Series.Intervals() {
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
func kinds(r *report.Document) map[string]int64 {
	m := map[string]int64{}
	for _, e := range r.Errors {
		m[e.Kind] = e.Count
	}
	return m
}

// reached is how many requests got a connection, warm-up included: those
// that a server can have seen, twice if it ended their connections before it
// answered.
func reached(r *report.Document) int64 {
	n := r.Requests.Sent + r.Requests.SentAgain
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
func sawAll(t *testing.T, s *targettest.Raw, r *report.Document, why ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_ = s.Await(ctx, reached(r))
	assert.Equal(t, reached(r), s.Seen(), why...)
}

func TestRunCountsWhatTheServerSaw(t *testing.T) { engines(t, testRunCounts) }

func testRunCounts(t *testing.T, portable bool) {
	check := func(o RunOptions, want report.Requests, least, most int64, why string) {
		t.Helper()
		s := raw(t, func(n int64, c *target.RawConn) {
			if n%4 == 3 {
				c.Answer(503)
			} else {
				c.Answer(200)
			}
		})
		o.Target.URL, o.Portable = s.URL, portable
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
	check(RunOptions{Settings: Settings{Load: Load{Concurrency: 7}}, Requests: 1000}, counts(1000), 1, 7, "not divisible")
	check(RunOptions{Settings: Settings{Load: Load{Concurrency: 100}}, Requests: 8}, counts(8), 1, 8, "fewer requests than permits")
	check(RunOptions{Requests: 1}, counts(1), 1, 1, "one")
	check(RunOptions{Target: Target{RequestOptions: RequestOptions{NoKeepAlive: true}}, Requests: 60}, counts(60), 60, 60, "a connection each")
	check(RunOptions{Settings: Settings{Load: Load{Rate: 10_000, ConnectionsAhead: -1, Concurrency: 1}}, Requests: 200}, counts(200), 1, 1, "open")
	check(RunOptions{Settings: Settings{Load: Load{Rate: 10_000, ConnectionsAhead: 20}}, Requests: 200}, counts(200), 20, 1000, "connections ahead")
	check(RunOptions{Target: Target{RequestOptions: RequestOptions{Method: "POST", Body: make([]byte, 100_000)}}, Requests: 400}, counts(400), 1, 10, "bodies beyond one write")
}

func TestWarmupIsApart(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		s := raw(t, nil)
		r := run(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Portable: portable, Warmup: 100 * time.Millisecond}, Requests: 500})
		assert.Equal(t, int64(500), r.Requests.Succeeded)
		require.NotNil(t, r.Warmup)
		assert.Positive(t, r.Warmup.Sent)
		assert.Equal(t, r.Warmup.Sent, r.Warmup.Succeeded)
		assert.Equal(t, s.Seen(), reached(r))
	})
}

func TestHandler(t *testing.T) {
	for name, edit := range map[string]func(*armPlan){
		"in memory": func(*armPlan) {}, "over TCP": overTCP, "over TLS": func(p *armPlan) { p.target.TLS = true },
	} {
		var seen atomic.Int64
		var o RunOptions
		o.Target.Path, o.Requests, o.Concurrency = "/items?x=1", 300, 4
		o.Target.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := seen.Add(1)
			assert.Equal(t, "/items?x=1", r.URL.RequestURI())
			switch {
			case n == 5:
				panic("number five")
			case n == 7:
				panic(http.ErrAbortHandler)
			}
		})
		r := run(t, o, edit)
		if name == "in memory" {
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

// A handler that neither answers nor honours its context costs the run no more
// than what closing its server takes, and the document says so.
func TestHandlerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		began := time.Now()
		r := run(t, RunOptions{
			Target:   Target{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release })},
			Settings: Settings{Timeout: 400 * time.Millisecond, Virtual: true},
			Requests: 3,
		})
		assert.Equal(t, 400*time.Millisecond+leaveAfter, time.Since(began))
		assert.Equal(t, map[string]int64{"timeout": 3}, kinds(r))
		require.NotEmpty(t, r.Generator.Warnings)
		last := r.Generator.Warnings[len(r.Generator.Warnings)-1]
		assert.Equal(t, "abandoned", last.Code)
		assert.Contains(t, last.Text, "3 requests still run")
	})
}

func TestFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		var seen atomic.Int64
		r := run(t, RunOptions{
			Target: Target{Func: func(ctx context.Context) error {
				seen.Add(1)
				switch numberOf(ctx) % 10 {
				case 1:
					return boom
				case 2:
					panic("bang")
				case 3:
					<-ctx.Done()
					return ctx.Err()
				case 4:
					<-ctx.Done()
					time.Sleep(time.Millisecond)
					return nil // too late
				}
				return nil
			}},
			Settings: Settings{Load: Load{Concurrency: 20}, Timeout: time.Second, Virtual: true},
			Requests: 20,
		})
		assert.Equal(t, int64(20), seen.Load())
		assert.Equal(t, int64(12), r.Requests.Succeeded)
		assert.Equal(t, map[string]int64{"check": 4, "timeout": 4}, kinds(r))
		assert.Empty(t, r.StatusCodes, "functions have none")
		assert.Equal(t, time.Second+time.Millisecond, r.Elapsed)
	})
}

// A typedNil is the usual mistake: a nil pointer in an error that is not nil.
type typedNil struct{ text string }

func (e *typedNil) Error() string { return e.text }

// An ending is an error whose text is never there.
type ending struct{}

func (ending) Error() string { runtime.Goexit(); return "" }

// The methods of an error are code under test too: whatever they do, the run ends.
func TestFuncWithABadError(t *testing.T) {
	for want, err := range map[string]error{
		"nil pointer":         (*typedNil)(nil),
		"ended its goroutine": ending{},
	} {
		synctest.Test(t, func(t *testing.T) {
			for _, rate := range []float64{0, 100} {
				r := run(t, RunOptions{
					Target:   Target{Func: func(context.Context) error { return err }},
					Settings: Settings{Load: Load{Concurrency: 2, Rate: rate}, Virtual: true},
					Requests: 5,
				})
				assert.Equal(t, map[string]int64{"check": 5}, kinds(r))
				require.Len(t, r.Errors, 1)
				assert.Contains(t, r.Errors[0].First, want)
			}
		})
	}
}

func TestFuncThatHangsIsAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		began := time.Now()
		r := run(t, RunOptions{
			Target:   Target{Func: func(context.Context) error { <-release; return nil }},
			Settings: Settings{Load: Load{Concurrency: 2}, Timeout: 20 * time.Millisecond, Grace: 20 * time.Millisecond, Virtual: true},
			Requests: 10,
		})
		assert.Equal(t, report.Requests{Due: 2, Sent: 2, Unfinished: 2}, r.Requests)
		assert.Less(t, time.Since(began), 2*time.Second)
		require.NotEmpty(t, r.Generator.Warnings)
		assert.Contains(t, r.Generator.Warnings[len(r.Generator.Warnings)-1].Text, "2 calls of the function went on")
	})
}

func TestWatchSeesTheEnd(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		var last Progress
		var calls int
		p, err := NewRun(RunOptions{Target: Target{URL: raw(t, nil).URL}, Settings: Settings{Load: Load{Rate: 10_000, ConnectionsAhead: 50}, Portable: portable}, Requests: 2000})
		require.NoError(t, err)
		r, err := p.Run(t.Context(), t.Context(), func(now Progress) {
			assert.GreaterOrEqual(t, now.Succeeded, last.Succeeded)
			assert.GreaterOrEqual(t, now.Elapsed, last.Elapsed)
			last = now
			calls++
		})
		require.NoError(t, err)
		checkDocument(t, r)
		assert.Equal(t, int64(2000), last.Succeeded, "each once")
		assert.GreaterOrEqual(t, calls, 2, "200 ms, and at the end")
	})
}

// No run leaves anything behind, however many there are.
func TestRunOften(t *testing.T) {
	s := raw(t, nil)
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	check := func(o RunOptions, why string, edits ...func(*armPlan)) {
		t.Helper()
		o.Requests, o.Concurrency = 20, 3
		p := newRun(t, o, edits...)
		goroutines, files := runtime.NumGoroutine(), openFiles()
		for range 10 {
			r, err := p.Run(t.Context(), t.Context(), nil)
			require.NoError(t, err)
			checkDocument(t, r)
			require.Equal(t, int64(20), r.Requests.Succeeded, why)
		}
		require.NoError(t, leaks(goroutines, files), why)
	}
	check(RunOptions{Target: Target{URL: s.URL}}, "a server")
	check(RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Portable: true}}, "a server, from goroutines")
	check(RunOptions{Target: Target{Handler: h}}, "a handler")
	check(RunOptions{Target: Target{Handler: h, TLS: true}}, "a handler with TLS")
	check(RunOptions{Target: Target{Handler: h}}, "a handler like a URL", overTCP)
	check(RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Alone: true}}, "a server, with nothing else here")
	check(RunOptions{Target: Target{Func: func(context.Context) error { return nil }}, Settings: Settings{Load: Load{Rate: 1e6}}}, "a function, open")
}
