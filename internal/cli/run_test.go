package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

// mixed answers every fourth request with 503.
func mixed(n int64, c *target.RawConn) {
	if n%4 == 3 {
		c.Answer(503)
	} else {
		c.Answer(200)
	}
}

func all(status int) func(int64, *target.RawConn) {
	return func(_ int64, c *target.RawConn) { c.Answer(status) }
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		name   string
		behave func(int64, *target.RawConn)
		args   string
		want   int
		stderr string
		why    string
	}{
		{"done", all(200), "", 0, "", "all is well"},
		{"failures without a limit", mixed, "", 0, "", "as users of wrk and hey expect"},
		{"limit kept", all(200), "--limit max<=10s --limit errors<=0", 0, "", ""},
		{"limit missed", mixed, "--limit errors<=0", 1, "error ratio 0.25, want <= 0 (10 of 40", "named on stderr too"},
		{"limit inconclusive", all(200), "--limit p99<=10s", 3, "cannot judge: p99", "40 requests do not tell"},
		{"missed and inconclusive", mixed, "--limit errors<=0 --limit p99<=10s", 1, "error ratio", "what is certain counts"},
		{"nothing succeeded", all(500), "", 3, "no request succeeded", "it measured nothing"},
		{"nothing succeeded, limit missed", all(500), "--limit errors<=0", 3, "no request succeeded", "no number to judge"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := serve(t, c.behave)
			r := newTrial()
			got := r.run(append([]string{raw.URL, "-q", "-n", "40", "-c", "4"}, strings.Fields(c.args)...)...)
			assert.Equal(t, c.want, got, "%s\n%s%s", c.why, r.Stdout, r.Stderr)
			assert.EqualValues(t, 40, raw.Seen())
			assert.Contains(t, r.Stdout.String(), "Total:      40 requests")
			if c.stderr == "" {
				assert.Empty(t, r.Stderr.String())
			} else {
				assert.Contains(t, r.Stderr.String(), c.stderr)
			}
		})
	}
}

func TestPreflightFails(t *testing.T) {
	r := newTrial()
	assert.Equal(t, statusNotMeasured, r.run("http://127.0.0.1:1"))
	assert.Empty(t, r.Stdout.String(), "there is no result")
	assert.Regexp(t, `^load-tester: connecting to 127\.0\.0\.1:1: .*[^.]; is the server running, and is this its port\?\n$`, r.Stderr)
}

func TestTextOfARun(t *testing.T) {
	raw := serve(t, mixed)
	r := newTrial()
	require.Zero(t, r.run("--url", raw.URL, "--requests", "20", "--concurrency", "2"))
	assert.Equal(t, "Running...  [20/20] done\n", r.Stderr.String(), "once, and nothing else")
	_, page, _ := strings.Cut(r.Stdout.String(), "\n") // after when it was measured
	assert.True(t, strings.HasPrefix(page, "Target: "+raw.URL+"\nRequests: 20, Concurrency: 2\n\nResults:\n"), r.Stdout)
}

func TestQuiet(t *testing.T) {
	raw := serve(t, nil)
	for _, flag := range []string{"--quiet", "-q", "--no-progress"} {
		r := newTrial()
		require.Zero(t, r.run(raw.URL, flag, "-n", "2"))
		assert.Empty(t, r.Stderr.String(), flag)
		assert.Contains(t, r.Stdout.String(), "Results:", flag)
	}
}

func TestRequestsByDefault(t *testing.T) {
	for _, c := range []struct {
		args     string
		requests int64
		duration int64 // in ms
		why      string
	}{
		{"", 100, 0, "closed"},
		{"--rate 10k", 100, 0, "open"},
		{"-z 200ms", 0, 200, "no bound on requests"},
		{"-z 10s -n 30", 30, 10_000, "whichever comes first"},
		{"--stage 20ms:1000", 0, 0, "the stages end"},
	} {
		raw := serve(t, nil)
		r := newTrial()
		require.Zero(t, r.run(append([]string{raw.URL, "-f", "json"}, strings.Fields(c.args)...)...), r.Stderr)
		rep := r.json(t)
		assert.Equal(t, c.requests, rep.Config.Requests, c.why)
		assert.Equal(t, c.duration, rep.Config.Duration.Milliseconds(), c.why)
		assert.Equal(t, raw.Seen(), rep.Requests.Sent, c.why)
		if c.requests > 0 {
			assert.Equal(t, c.requests, rep.Requests.Sent, c.why)
		}
	}
}

// A warm-up that is longer than what is measured may be a misunderstanding.
func TestWarmupNote(t *testing.T) {
	raw := serve(t, nil)
	for args, want := range map[string]string{
		"--warmup 600ms -z 400ms": "load-tester: --warmup 600ms comes before the --duration of 400ms: the load takes 1s\n",
		"--warmup 10ms -z 400ms":  "",
		"--warmup 10ms -n 5":      "",
	} {
		r := newTrial()
		require.Zero(t, r.run(append([]string{raw.URL, "--no-progress"}, strings.Fields(args)...)...), r.Stderr)
		assert.Equal(t, want, r.Stderr.String(), args)
	}
}

// The first signal lets what is in flight finish.
func TestSignalDrains(t *testing.T) {
	for sig, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		answer := make(chan struct{})
		raw := serve(t, func(_ int64, c *target.RawConn) { <-answer; c.Answer(200) })
		r := newTrial()
		status := make(chan int)
		go func() { status <- r.run(raw.URL, "-c", "5", "-n", "1000", "-f", "json") }()
		require.NoError(t, raw.Await(within(t), 5))
		r.signals <- sig
		r.Stderr.await(t, "load-tester: stopping: waiting for what is in flight; Ctrl+C again cuts it off\n")
		close(answer)
		assert.Equal(t, want, <-status)
		rep := r.json(t)
		assert.True(t, rep.Interrupted)
		assert.EqualValues(t, 5, rep.Requests.Sent, "none after it said that it is stopping")
		assert.EqualValues(t, 5, rep.Requests.Succeeded)
		assert.EqualValues(t, 5, raw.Seen())
		assert.Contains(t, r.Stderr.String(), "Running...  [5/1000] interrupted\n")
	}
}

// The second signal cuts it off.
func TestSecondSignalCutsOff(t *testing.T) {
	raw := serve(t, func(int64, *target.RawConn) {}) // never answers
	r := newTrial()
	status := make(chan int)
	go func() { status <- r.run(raw.URL, "-c", "5", "-n", "1000", "-t", "1h") }()
	require.NoError(t, raw.Await(within(t), 5))
	r.signals <- syscall.SIGTERM
	r.Stderr.await(t, "stopping")
	r.signals <- os.Interrupt
	assert.Equal(t, 143, <-status, "the first one counts")
	assert.Regexp(t, `^Interrupted after .*: 5 of 1000 requests\n\nMeasured .*\nTarget: `, r.Stdout)
	assert.Contains(t, r.Stdout.String(), "Unfinished: 5\n")
	assert.NotContains(t, r.Stderr.String(), "no request succeeded", "there was no time to")
}

// The grace period bounds the drain.
func TestGraceEnds(t *testing.T) {
	raw := serve(t, func(int64, *target.RawConn) {})
	r := newTrial()
	status := make(chan int)
	go func() { status <- r.run(raw.URL, "-c", "2", "-t", "1h", "--grace", "0", "-q") }()
	require.NoError(t, raw.Await(within(t), 2))
	r.signals <- os.Interrupt
	assert.Equal(t, 130, <-status)
	assert.Contains(t, r.Stdout.String(), "Unfinished: 2\n")
	assert.Empty(t, r.Stderr.String())
}

func TestVerboseLogsFailures(t *testing.T) {
	raw := serve(t, mixed)
	r := newTrial()
	require.Zero(t, r.run(raw.URL, "-n", "8", "-c", "1", "-v"))
	assert.Equal(t, 2, strings.Count(r.Stderr.String(), "level=WARN msg=\"request failed\""), r.Stderr)
	assert.Contains(t, r.Stderr.String(), "-000000000003 ", "with its id")
	assert.Contains(t, r.Stdout.String(), "Slowest:")
}

func TestBody(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	require.NoError(t, os.WriteFile(file, []byte("from a file"), 0o600))
	for arg, want := range map[string]int64{"text": 4, "@" + file: 11, "-": 14, "": 0} {
		raw := serve(t, nil)
		r := newTrial()
		r.stdin = "standard input"
		require.Zero(t, r.run(raw.URL, "-n", "1", "-f", "json", "-m", "POST", "--body", arg), r.Stderr)
		assert.Equal(t, want, r.json(t).Config.BodyBytes, arg)
	}
}

// Standard input is not read when something else is wrong.
func TestBodyNotReadInVain(t *testing.T) {
	s := newTrial().open()
	stdin := strings.NewReader("body")
	s.stdin = stdin
	assert.Equal(t, statusUsage, s.execute([]string{"http://127.0.0.1:1", "--body", "-", "-q", "-v"}))
	assert.Equal(t, 4, stdin.Len())
}

func TestDemo(t *testing.T) {
	r := newTrial()
	// A busy machine may leave it open.
	require.Contains(t, []int{0, statusNotMeasured}, r.run("demo", "--budget", "2s"), r.Stderr)
	assert.Contains(t, r.Stdout.String(), ", until the verdict is clear\n")
	for _, limit := range []string{"p99 ", "errors ", "throughput "} {
		assert.Regexp(t, `\n  [✓?] `+limit, r.Stdout)
	}
	assert.Contains(t, r.Stderr.String(), "The target is in this process")
}

func TestTarget(t *testing.T) {
	r := newTrial()
	status := make(chan int)
	go func() {
		status <- r.run("target", "--listen", "127.0.0.1:0", "--latency", "50%:0s,50%:1ms", "--freeze", "1ms@1ms", "--slow-start", "1ms")
	}()
	r.Stdout.await(t, "\n")
	url, ok := strings.CutPrefix(strings.TrimSpace(r.Stdout.String()), "listening on ")
	require.True(t, ok, r.Stdout)
	load := newTrial()
	require.Zero(t, load.run(url, "-n", "30"), load.Stderr)
	r.signals <- os.Interrupt
	assert.Zero(t, <-status, "Ctrl+C is how it is meant to end")
	assert.Equal(t, "listening on "+url+"\nserved 30 requests\n", r.Stdout.String())

	assert.Equal(t, "http://localhost:80", clientURL("[::]:80"))
	assert.Equal(t, "http://localhost:80", clientURL("0.0.0.0:80"))
	assert.Equal(t, "http://[::1]:80", clientURL("[::1]:80"))
}

func TestTooFewRequestsAreSaidBefore(t *testing.T) {
	raw := serve(t, nil)
	const line = "load-tester: p99<=10s needs 3,000 requests to judge, --requests is 50\n"
	r := newTrial()
	r.run(raw.URL, "-n", "50", "--limit", "p99<=10s")
	assert.True(t, strings.HasPrefix(r.Stderr.String(), line+"Running..."), r.Stderr)
	r = newTrial()
	r.run(raw.URL, "-q", "-n", "50", "--limit", "p99<=10s")
	assert.NotContains(t, r.Stderr.String(), line)
}

// Nothing but ASCII goes where the locale has nothing else.
func TestTextInASCII(t *testing.T) {
	raw := serve(t, nil)
	for _, locale := range []map[string]string{{"LC_ALL": "C"}, {"LANG": "POSIX"}} {
		r := newTrial()
		r.environ = locale
		r.run(raw.URL, "-v", "-n", "100", "--limit", "p50<=1µs", "--limit", "errors<=0")
		all := r.Stdout.String() + r.Stderr.String()
		assert.NotRegexp(t, `[^\x00-\x7f]`, all)
		assert.Contains(t, all, "want <= 1us")
		assert.Contains(t, all, "\n  + errors 0%")
	}
	r := newTrial()
	r.environ = map[string]string{"LC_ALL": "C.UTF-8"}
	r.run(raw.URL, "-n", "100", "--limit", "errors<=0")
	assert.Contains(t, r.Stdout.String(), "\n  ✓ errors 0%")
}
