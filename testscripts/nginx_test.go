//go:build unix

package testscripts

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/loadtestkit/load-tester/internal/target/targettest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// loadCommand returns a load-tester command that writes a JSON report and logs failed
// requests.
func loadCommand(n *nginx, args ...string) *exec.Cmd {
	cmd := exec.Command("load-tester", append([]string{"-f", "json", "--verbose"}, args...)...)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+filepath.Join(n.dir, "ca.pem"))
	if os.Getenv("GORACE") == "" {
		cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=10")
	}
	return cmd
}

// A loadReport is the part of a JSON report that the tests below check.
type loadReport struct {
	Requests struct{ Sent, Succeeded, Failed, Completed int64 }
	Bytes    struct{ Body, Surplus int64 }
	Statuses map[string]int `json:"status_codes"`
	Errors   []struct {
		Kind  string
		Count int64
	}
	Generator struct {
		Connections int64 `json:"connections_opened"`
	}
}

func readReport(t *testing.T, p *program) (r loadReport) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(p.stdout.String()), &r), "%s", p.stderr)
	return r
}

// Each response of a real server is understood, its body is measured to the octet, and
// its connection is kept. nginx has logged each request once, with the same status.
func TestNginxAnswers(t *testing.T) {
	const requests = 250
	ssiBody := int64(len(page) + len("/ssi.html"))
	for _, c := range []struct {
		name   string
		args   []string
		path   string
		tls    bool
		exit   int
		status string
		body   int64 // octets of each, -1 if they are compressed
	}{
		{"small", nil, "/small", false, 0, "200", 13},
		{"static", nil, "/page.html", false, 0, "200", int64(len(page))},
		{"chunked", nil, "/ssi.html", false, 0, "200", ssiBody},
		{"gzip not asked for", nil, "/gzip.html", false, 0, "200", int64(len(page))},
		{"gzip", []string{"-H", "Accept-Encoding: gzip"}, "/gzip.html", false, 0, "200", -1},
		{"proxied", nil, "/proxied/ok", false, 0, "200", 13},
		{"over TLS", nil, "/page.html", true, 0, "200", int64(len(page))},
		{"chunked over TLS", nil, "/ssi.html", true, 0, "200", ssiBody},
		{"HEAD", []string{"-m", "HEAD"}, "/page.html", false, 0, "200", 0},
		{"no content", nil, "/204", false, 0, "204", 0},
		{"redirect", nil, "/302", false, 3, "302", 145},
		{"unavailable", nil, "/503", false, 3, "503", 197},
		{"not found", nil, "/nosuch", false, 3, "404", 153},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := startNginx(t, startSampler(t, targettest.NewSampler()).addr)
			url := n.url
			if c.tls {
				url = n.tlsURL
			}
			p, err := startProgram(loadCommand(n, append(c.args, "-n", strconv.Itoa(requests), "-c", "4", url+c.path)...))
			require.NoError(t, err)
			require.Equal(t, c.exit, p.wait(), "%s", p.stderr)
			n.quit()

			r := readReport(t, p)
			ids, statuses := n.logged()
			assert.EqualValues(t, requests, r.Requests.Sent)
			assert.Equal(t, map[string]int{c.status: requests}, r.Statuses)
			assert.Equal(t, r.Statuses, statuses, "as nginx logged them")
			assert.NoError(t, account(ids, p.stdout.String(), p.stderr.String(), 0))
			assert.Empty(t, r.Errors)
			assert.Zero(t, r.Bytes.Surplus)
			if c.body >= 0 {
				assert.Equal(t, c.body*requests, r.Bytes.Body)
			} else {
				assert.Less(t, r.Bytes.Body, int64(len(page)*requests/4))
				assert.Positive(t, r.Bytes.Body)
			}
			// nginx closes each after 100 requests, so that 4 permits need at most 6.
			assert.LessOrEqual(t, r.Generator.Connections, int64(6))
		})
	}
}

// limit_req rejects requests with 503: both sides count the same.
func TestNginxLimitsTheRate(t *testing.T) {
	n := startNginx(t, "127.0.0.1:1")
	p, err := startProgram(loadCommand(n, "-n", "200", "-c", "4", n.url+"/limited"))
	require.NoError(t, err)
	require.Zero(t, p.wait(), "%s", p.stderr)
	n.quit()
	r := readReport(t, p)
	_, statuses := n.logged()
	assert.Equal(t, statuses, r.Statuses)
	assert.GreaterOrEqual(t, statuses["200"], 6, "the first, and a burst of 5")
	assert.Positive(t, statuses["503"])
}

// nginx quits or is killed during the run and starts again: the load goes on, and the
// access log accounts for every request.
func TestNginxRestarts(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*nginx)
		// How many answered requests may be missing from the log: a worker may be
		// killed between a response and its log line.
		lost int64
	}{
		{"gracefully", (*nginx).quit, 0},
		{"killed", (*nginx).kill, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			sampler := targettest.NewSampler()
			n := startNginx(t, startSampler(t, sampler).addr)
			await := func(more int64) {
				t.Helper()
				ctx, cancel := context.WithTimeout(t.Context(), bound)
				defer cancel()
				require.NoError(t, sampler.Await(ctx, sampler.Seen()+more))
			}
			p, err := startProgram(loadCommand(n, "-n", "1m", "-c", "8", n.url+"/proxied/ok"))
			require.NoError(t, err)
			t.Cleanup(p.kill)
			for range 2 {
				await(150)
				c.end(n)
				n.start()
			}
			await(150)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
			require.Equal(t, 130, p.wait(), "%s", p.stderr)
			n.quit()

			r := readReport(t, p)
			ids, _ := n.logged()
			assert.NoError(t, account(ids, p.stdout.String(), p.stderr.String(), 2*c.lost))
			assert.GreaterOrEqual(t, r.Requests.Succeeded, int64(3*150-3*8))
			for _, e := range r.Errors {
				assert.Contains(t, []string{"connect_refused", "connect", "closed", "reset", "truncated", "write"}, e.Kind)
			}
		})
	}
}

// nginx loads its configuration again, which closes all idle connections: no GET is
// lost, and none is processed twice. Over TLS goroutines send, otherwise an event loop.
func TestNginxReloads(t *testing.T) {
	for _, secure := range []bool{false, true} {
		sampler := targettest.NewSampler()
		n := startNginx(t, startSampler(t, sampler).addr)
		url := n.url
		if secure {
			url = n.tlsURL
		}
		p, err := startProgram(loadCommand(n, "-n", "1m", "-c", "8", url+"/proxied/ok"))
		require.NoError(t, err)
		t.Cleanup(p.kill)
		for range 4 {
			ctx, cancel := context.WithTimeout(t.Context(), bound)
			require.NoError(t, sampler.Await(ctx, sampler.Seen()+100))
			cancel()
			require.NoError(t, n.running.cmd.Process.Signal(syscall.SIGHUP))
		}
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
		require.Equal(t, 130, p.wait(), "%s", p.stderr)
		n.quit()

		r := readReport(t, p)
		ids, _ := n.logged()
		assert.NoError(t, account(ids, p.stdout.String(), p.stderr.String(), 0))
		assert.Zero(t, r.Requests.Failed, "%v", r.Errors)
		assert.Greater(t, r.Requests.Succeeded, int64(300))
	}
}

// startSampler starts a server with s that nginx passes requests on to.
func startSampler(t *testing.T, s *targettest.Sampler) *site {
	t.Helper()
	backend, err := listenSite(s, nil)
	require.NoError(t, err)
	t.Cleanup(backend.close)
	return backend
}
