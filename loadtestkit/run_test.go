package loadtestkit

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
)

// A fakeTB is a test that records what happens to it.
type fakeTB struct {
	testing.TB // nil: a method that is not overridden panics, which is wanted
	ctx        context.Context
	deadline   time.Time

	mu     sync.Mutex
	output bytes.Buffer
	logs   []string
	errors []string
	skips  []string
	fatal  bool
}

func (f *fakeTB) Helper()                     {}
func (f *fakeTB) Context() context.Context    { return f.ctx }
func (f *fakeTB) Output() io.Writer           { return &f.output }
func (f *fakeTB) Deadline() (time.Time, bool) { return f.deadline, !f.deadline.IsZero() }

func (f *fakeTB) Name() string { return "TestFake" }
func (f *fakeTB) Failed() bool { return len(f.errors) > 0 }

func (f *fakeTB) Skip(args ...any) {
	f.skips = append(f.skips, fmt.Sprint(args...))
	runtime.Goexit()
}

func (f *fakeTB) Logf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.logs = append(f.logs, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func (f *fakeTB) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	f.fatal = true
	runtime.Goexit()
}

// inBubble runs a test in virtual time, in which waiting costs nothing.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	common = engine.Settings{Virtual: true}
	defer func() { common = engine.Settings{} }()
	synctest.Test(t, test)
}

// atOnce makes repeats follow without the usual pause.
func atOnce(t *testing.T) {
	common = engine.Settings{Pause: time.Millisecond}
	t.Cleanup(func() { common = engine.Settings{} })
}

// taking is a function that takes a time, and sleeping a handler.
func taking(d time.Duration) Target {
	return Func(func(context.Context) error { time.Sleep(d); return nil })
}

func sleeping(d time.Duration) Server {
	return Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(d) }))
}

// needTimes skips t in builds whose times say nothing.
func needTimes(t *testing.T) {
	t.Helper()
	if why := waive(); why != "" {
		t.Skip("times are not judged: " + why)
	}
}

// runFake is Run on a fake test, which it returns.
func runFake(f *fakeTB, opts Options) (*fakeTB, Report) {
	var r Report
	f.run(func(t testing.TB) { r = Run(t, opts) })
	return f, r
}

// run calls test with f in a goroutine of its own, which Fatalf and Skip end.
// The log of a failed test is short and says each thing once, in the words of the
// library.
func TestLogOfAFailedTest(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	f, _ := runFake(&fakeTB{}, Options{Target: Handler(h).Get("/items"), Count: 100, Limits: Limits{P99: time.Second}})
	page := f.output.String()
	require.NotEmpty(t, f.errors)
	if !testing.Verbose() {
		assert.Less(t, strings.Count(page, "\n")+len(f.errors)+len(f.logs), 25, page)
	}
	assert.Contains(t, page, "Target: handler, in memory: GET /items\n")
	limits, _, _ := strings.Cut(page, "\nResults:")
	assert.Contains(t, limits, "\n  ✗ errors 100%, want <= 0%\n")
	assert.NotContains(t, limits, "status 503")
	assert.Contains(t, strings.Join(f.errors, "\n"), "error ratio 1, want <= 0 (100 of 100: status 503 100)")
}

func (f *fakeTB) run(test func(testing.TB)) {
	if f.ctx == nil {
		f.ctx = context.Background()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(f)
	}()
	<-done
}

func ok(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }

func TestRunPasses(t *testing.T) {
	var served atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		assert.Equal(t, "/items?limit=10", r.URL.RequestURI())
		assert.Equal(t, "POST", r.Method)
		assert.Equal(t, "yes", r.Header.Get("X-Test"))
		body, _ := io.ReadAll(r.Body)
		assert.Equal(t, "payload", string(body))
		ok(w, r)
	})
	f, r := runFake(&fakeTB{}, Options{
		Target: Handler(h).Send(Request{
			Method: "POST", Path: "/items?limit=10", Header: http.Header{"X-Test": {"yes"}}, Body: []byte("payload"),
		}),
		Load: Closed(20), Count: 12_000,
		Limits: Limits{P50: time.Minute, P99: time.Minute, Max: time.Minute, Throughput: 1, Goodput: 1},
		// A stall of the machine in so short a run leaves its rates open.
		OnInconclusive: Passed,
	})
	assert.Empty(t, f.errors)
	for _, l := range r.Limits {
		rate := strings.Contains(l.Limit, "put")
		assert.True(t, l.Verdict == Passed || rate && l.Verdict == Inconclusive || waive() != "" && l.Verdict == NotJudged, l)
	}
	assert.EqualValues(t, 12_000, served.Load())
	assert.EqualValues(t, 12_000, r.Sent)
	assert.EqualValues(t, 12_000, r.Succeeded)
	assert.Equal(t, map[int]int64{200: 12_000}, r.StatusCodes)
	assert.Contains(t, f.output.String(), "Succeeded:  12000")
	max, have := r.ResponseTime(1)
	assert.True(t, have)
	assert.Positive(t, max)
}

func TestRequestDefaults(t *testing.T) {
	check := func(r Request, method, accept, why string) {
		t.Helper()
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, method, r.Method, why)
			assert.Equal(t, accept, r.Header.Get("Accept"), why)
		})
		report, err := Measure(t.Context(), Options{Target: Handler(h).Send(r), Count: 1})
		require.NoError(t, err, why)
		assert.EqualValues(t, 1, report.Succeeded, why)
	}
	check(Request{}, "GET", "*/*", "the zero Request")
	check(Request{Body: []byte("x")}, "POST", "*/*", "a body is posted, as by the command")
	check(Request{Body: []byte{}}, "POST", "*/*", "an empty one too")
	check(Request{Method: "GET", Body: []byte("x")}, "GET", "*/*", "unless a method is named")
	check(Request{Header: http.Header{"Accept": {"text/html"}}}, "GET", "text/html", "in place of the default")
	check(Request{Header: http.Header{"Accept": nil}}, "GET", "", "left out, as by net/http")
	check(Request{Header: http.Header{"accept": {}}}, "GET", "", "a name has no case")

	_, err := Measure(t.Context(), Options{Target: URL("http://h/").Send(Request{Header: http.Header{"Host": nil}}), Count: 1})
	assert.ErrorContains(t, err, "Request.Header: header Host: cannot be left out")
}

func TestRunOpenWorkload(t *testing.T) {
	f, r := runFake(&fakeTB{}, Options{
		Target: Handler(http.HandlerFunc(ok)),
		Load:   Open{Rate: 2000, Poisson: true, Seed: 1}, Count: 200, Warmup: 50 * time.Millisecond,
	})
	assert.Empty(t, f.errors)
	assert.EqualValues(t, 200, r.Due)
	assert.EqualValues(t, 200, r.Sent)
	assert.Contains(t, f.output.String(), "poisson")
	service, _ := r.ServiceTime(1)
	response, _ := r.ResponseTime(1)
	assert.LessOrEqual(t, service, response)
}

func TestRunFailsOncePerMissedLimit(t *testing.T) {
	var n atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	f, r := runFake(&fakeTB{}, Options{
		Target: Handler(h), Count: 4000,
		Limits: Limits{P90: time.Minute, P99: time.Minute, Max: time.Minute, ErrorRatio: 0.9},
	})
	assert.False(t, f.fatal)
	assert.EqualValues(t, 2000, r.Succeeded)
	if why := waive(); why != "" {
		assert.Empty(t, f.errors, "limits on time are not judged: %s", why)
		assert.Contains(t, f.output.String(), "not judged: "+why)
		return
	}
	require.Len(t, f.errors, 3)
	assert.Regexp(t, `^loadtestkit: p90 response time .*, want <= 1m \(n=4,000; .*\)$`, f.errors[0])
	assert.Regexp(t, `^loadtestkit: p99 response time .*, want <= 1m \(n=4,000; .*\)$`, f.errors[1])
	assert.Regexp(t, `^loadtestkit: max response time without bound, want <= 1m \(n=4,000; .*\)$`, f.errors[2])
}

func TestRunNeedsEnoughSamples(t *testing.T) {
	needTimes(t)
	check := func(onInconclusive Verdict, errors, skips, logs int) {
		t.Helper()
		f, r := runFake(&fakeTB{}, Options{
			Target: Handler(http.HandlerFunc(ok)), Count: 100, Limits: Limits{P99: time.Minute}, OnInconclusive: onInconclusive,
		})
		assert.Len(t, f.errors, errors)
		assert.Len(t, f.skips, skips)
		assert.Len(t, f.logs, logs)
		all := slices.Concat(f.errors, f.skips, f.logs)
		require.Len(t, all, 1)
		assert.Contains(t, all[0], "loadtestkit: inconclusive: p99 response time")
		assert.Contains(t, all[0], "3,000", "how many are needed")
		if skips == 0 { // a skip does not return
			assert.Equal(t, Inconclusive, r.Verdict)
		}
	}
	check(NotJudged, 0, 1, 0)
	check(Inconclusive, 0, 1, 0)
	check(Passed, 0, 0, 1)
	check(Failed, 1, 0, 0)
}

func TestRunWithoutAnEndIsUntilTheVerdictIsClear(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f, r := runFake(&fakeTB{}, Options{Target: taking(time.Millisecond), Limits: Limits{P50: time.Minute}})
		assert.Empty(t, f.errors)
		assert.Empty(t, f.skips)
		assert.Equal(t, Passed, r.Verdict)
		assert.GreaterOrEqual(t, r.Elapsed, 900*time.Millisecond, "not before a second has been measured")
		assert.Less(t, r.Elapsed, 5*time.Second, "and soon after")
		assert.Equal(t, "errors<=0%", r.Limits[1].Limit)
		assert.Equal(t, Passed, r.Limits[1].Verdict)
	})
}

func TestARequestThatFailedIsNoMatterOfLuck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f, r := runFake(&fakeTB{}, Options{Target: failingEach(100), Limits: Limits{P50: time.Minute}})
		assert.Empty(t, f.skips)
		assert.Equal(t, Failed, r.Verdict)
		assert.Len(t, f.errors, 1)
		assert.Less(t, r.Elapsed, 5*time.Second, "which is seen at one of the first looks")
		assert.NotContains(t, f.errors[0], "second run")
	})
}

// failingEach is a function that takes a millisecond and whose every nth call
// fails.
func failingEach(nth int64) Target {
	var n atomic.Int64
	return Func(func(context.Context) error {
		time.Sleep(time.Millisecond)
		if n.Add(1)%nth == 0 {
			return errors.New("its turn to fail")
		}
		return nil
	})
}

func TestErrorsAreAlwaysJudged(t *testing.T) {
	check := func(ratio float64, failures int) {
		t.Helper()
		f, r := runFake(&fakeTB{}, Options{Target: failingEach(4), Count: 400, Limits: Limits{ErrorRatio: ratio}})
		assert.EqualValues(t, 100, r.Failed)
		assert.Len(t, f.errors, failures, "ErrorRatio %v", ratio)
	}
	inBubble(t, func(t *testing.T) {
		check(0, 1)
		check(0.1, 1)
		check(0.5, 0)
	})
}

// A fail that chance may have had a part in counts if a second run, after a pause,
// shares it.
func TestAFailIsRepeated(t *testing.T) {
	needTimes(t)
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		f, r := runFake(&fakeTB{}, Options{Target: taking(2 * time.Millisecond), Limits: Limits{Mean: time.Millisecond}})
		require.Len(t, f.errors, 1)
		assert.Regexp(t, `^loadtestkit: mean response time 2ms.*; a second run, after a pause: mean response time 2ms`, f.errors[0])
		assert.Equal(t, Failed, r.Verdict)
		assert.Greater(t, time.Since(start)-2*r.Elapsed, 5*time.Second, "the pause")

		slow := time.Now().Add(7 * time.Second)
		f, r = runFake(&fakeTB{}, Options{
			Target: Func(func(context.Context) error {
				time.Sleep(time.Millisecond)
				if time.Now().Before(slow) {
					time.Sleep(time.Millisecond)
				}
				return nil
			}),
			Duration: 5 * time.Second, Limits: Limits{Mean: 1500 * time.Microsecond},
		})
		assert.Empty(t, f.errors)
		require.Len(t, f.skips, 1)
		assert.Contains(t, f.skips[0], "loadtestkit: inconclusive: not repeated: a second run, after a pause, did not fail")
	})
}

// A pause for the control would let a target catch up that cannot keep up.
func TestKeptIsOfferedInOnePiece(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, err := Measure(t.Context(), Options{
			Target: taking(time.Millisecond), Load: Open{Rate: 100}, Limits: Limits{Kept: 0.95}, Budget: 3 * time.Second,
		})
		require.NoError(t, err)
		assert.EqualValues(t, 300, r.Due)
		assert.Equal(t, 3*time.Second, r.data.Config.Duration)
		assert.Equal(t, "goodput>=95", r.Limits[1].Limit)
		assert.InDelta(t, 100, r.Limits[1].Observed, 1)
	})
}

func TestARateThatIsNotKeptFails(t *testing.T) {
	needTimes(t)
	inBubble(t, func(t *testing.T) {
		f, r := runFake(&fakeTB{}, Options{
			Target: taking(100 * time.Millisecond), Load: Open{Rate: 100, Concurrency: 5}, // which 50/s get through
			Limits: Limits{Kept: 0.95, ErrorRatio: 1}, Duration: 20 * time.Second,
		})
		assert.Equal(t, Failed, r.Verdict)
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], "goodput")
	})
}

func TestPanickingHandlerIsAFailedRequest(t *testing.T) {
	var n atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 7 {
			panic("seven")
		}
	})
	f, r := runFake(&fakeTB{}, Options{Target: Handler(h), Count: 20, Load: Closed(1)})
	assert.EqualValues(t, 19, r.Succeeded)
	assert.Equal(t, map[string]int64{"check": 1}, r.Errors)
	require.Len(t, f.errors, 1)
	assert.Contains(t, f.errors[0], "seven")
}

func TestFunc(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var ids sync.Map
		f, r := runFake(&fakeTB{}, Options{
			Target: Func(func(ctx context.Context) error {
				_, twice := ids.LoadOrStore(RequestID(ctx), true)
				assert.False(t, twice)
				switch id := RequestID(ctx); {
				case strings.HasSuffix(id, "3"):
					return errors.New("three")
				case strings.HasSuffix(id, "7"):
					panic("seven")
				case strings.HasSuffix(id, "9"):
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}),
			Count: 20, Load: Closed(20), Timeout: time.Second / 2,
		})
		assert.EqualValues(t, 14, r.Succeeded)
		assert.Equal(t, map[string]int64{"check": 4, "timeout": 2}, r.Errors)
		assert.Empty(t, r.StatusCodes)
		assert.Equal(t, time.Second/2, r.Elapsed, "the timeout")
		require.Len(t, f.errors, 1, "the error ratio")
		assert.Contains(t, f.output.String(), "three")
	})
}

func TestTLSHandler(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NotNil(t, r.TLS)
		assert.NotEmpty(t, RequestID(r.Context()))
	})
	f, r := runFake(&fakeTB{}, Options{Target: TLSHandler(h), Count: 20})
	assert.Empty(t, f.errors)
	assert.EqualValues(t, 20, r.Succeeded)
}

func TestUnreachableTargetIsFatal(t *testing.T) {
	f, _ := runFake(&fakeTB{}, Options{Target: URL("http://127.0.0.1:1"), Count: 10})
	require.True(t, f.fatal)
	assert.Contains(t, f.errors[0], "connecting to 127.0.0.1:1: ")
}

func TestRunEndsBeforeTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		start := time.Now()
		f, r := runFake(&fakeTB{deadline: start.Add(time.Minute)}, Options{
			Target: taking(time.Millisecond), Duration: time.Hour, Load: Open{Rate: 100},
		})
		assert.True(t, time.Now().Before(f.deadline))
		assert.Greater(t, r.Elapsed, 50*time.Second)
		assert.True(t, r.Interrupted)
		assert.Positive(t, r.Succeeded)
		require.NotEmpty(t, f.errors)
		assert.Contains(t, f.errors[0], "interrupted by the test's deadline")
		assert.Contains(t, f.output.String(), "Interrupted after")
	})
}

func TestMeasure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n atomic.Int64
	r, err := Measure(ctx, Options{
		Target: Func(func(context.Context) error {
			if n.Add(1) == 50 {
				cancel()
			}
			return nil
		}),
		Count: 1e9,
	})
	require.NoError(t, err)
	assert.True(t, r.Interrupted)
	assert.Equal(t, n.Load(), r.Succeeded)
	var text, json bytes.Buffer
	require.NoError(t, r.WriteText(&text))
	require.NoError(t, r.WriteJSON(&json))
	assert.Contains(t, text.String(), "Interrupted after")
	assert.Contains(t, json.String(), `"interrupted": true`)

	_, err = Measure(t.Context(), Options{})
	assert.ErrorContains(t, err, "loadtestkit: options: ")
}

func TestRunsOfOneProcessTakeTurns(t *testing.T) {
	var inside, most atomic.Int64
	target := Func(func(context.Context) error {
		most.Store(max(most.Load(), inside.Add(1)))
		runtime.Gosched()
		inside.Add(-1)
		return nil
	})
	fakes := make([]*fakeTB, 4)
	var wg sync.WaitGroup
	for i := range fakes {
		wg.Go(func() {
			fakes[i], _ = runFake(&fakeTB{}, Options{Target: target, Count: 1000, Load: Closed(1)})
		})
	}
	wg.Wait()
	assert.EqualValues(t, 1, most.Load())
	waited := 0
	for _, f := range fakes {
		assert.Empty(t, f.errors)
		waited += len(f.logs)
	}
	assert.Positive(t, waited, "those that waited say so")
}

func TestTheTestsContextEndsTheRun(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f, r := runFake(&fakeTB{ctx: ctx}, Options{
		Target: Func(func(context.Context) error { cancel(); return nil }),
		Count:  1e9, Load: Closed(1),
	})
	assert.True(t, r.Interrupted)
	assert.EqualValues(t, 1, r.Sent, "nothing is issued after that")
	require.NotEmpty(t, f.errors)
	assert.Contains(t, f.errors[0], "by the end of the test's context")
}

// childEnv makes some tests, run in a process of their own, do their part.
const childEnv = "LOADTESTKIT_TEST_CHILD"

func TestMain(m *testing.M) {
	if addr := os.Getenv(serverEnv); addr != "" {
		serveAt(addr)
		return
	}
	if os.Getenv(childEnv) != "" {
		os.Exit(m.Run())
	}
	// Benchmarks of tests and examples need not take a second.
	if err := flag.Set("test.benchtime", "200x"); err != nil {
		panic(err)
	}
	// The runtime's own goroutine for signals starts with the first and stays.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt)
	signal.Stop(signals)
	before := runtime.NumGoroutine()
	// Runs of other test processes are not waited for.
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	os.Setenv("TMPDIR", dir)
	code := m.Run()
	os.RemoveAll(dir)
	if code == 0 {
		if err := leaked(before); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// leaked waits for goroutines that are ending and reports those that do not.
func leaked(before int) error {
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	return fmt.Errorf("goroutines leaked:\n%s", buf[:runtime.Stack(buf, true)])
}

// A limit that cannot be judged is said before the load, in the words of the library.
func TestTooFewRequestsAreSaidBefore(t *testing.T) {
	needTimes(t)
	said := ""
	f := &fakeTB{}
	f, r := runFake(f, Options{
		Target:         Func(func(context.Context) error { said = f.output.String(); return nil }),
		Load:           Closed(1),
		Count:          2000,
		Limits:         Limits{P99: 10 * time.Second},
		OnInconclusive: Passed,
	})
	assert.Equal(t, "loadtestkit: p99<=10s needs 3,000 requests to judge, or 5s of load if none comes near it, Count is 2,000\n", said, "when a request was sent")
	assert.Equal(t, Inconclusive, r.Verdict)
}
