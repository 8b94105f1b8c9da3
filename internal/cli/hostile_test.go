package cli

import (
	"crypto/tls"
	"encoding/csv"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// nobody is a URL at which nothing listens.
const nobody = "http://127.0.0.1:1/"

// harmless runs the command and checks all that it writes. It returns both streams.
func harmless(t *testing.T, args ...string) string {
	t.Helper()
	r := newTrial()
	r.run(args...)
	name := fmt.Sprintf("%.100q", args)
	out := r.Stdout.String()
	assert.Empty(t, targettest.Obeyed(r.Stderr.String()), "standard error of %s", name)
	var v any
	if json.Unmarshal([]byte(out), &v) == nil {
		eachText(v, func(text string) {
			assert.Empty(t, targettest.Obeyed("value: "+text), "JSON of %s", name)
			assert.NotContains(t, text, "\n", "JSON of %s", name)
		})
	} else {
		assert.Empty(t, targettest.Obeyed(out), "standard output of %s", name)
	}
	return out + r.Stderr.String()
}

// eachText calls f with each text in decoded JSON, except histograms.
func eachText(v any, f func(string)) {
	switch v := v.(type) {
	case string:
		f(v[:min(len(v), 2000)])
	case []any:
		for _, e := range v {
			eachText(e, f)
		}
	case map[string]any:
		for name, e := range v {
			f(name)
			eachText(e, f)
		}
	}
}

// everyFormat runs the command with each output that there is. What the text shows,
// and the log of what failed, has a trace of what was sent.
func everyFormat(t *testing.T, args ...string) {
	t.Helper()
	args = append(args, "-n", "3", "-c", "1", "--limit", "errors<=0")
	for _, f := range formats(newJob(newTrial().open(), newRoot(newTrial().open()), "").style(io.Discard)) {
		harmless(t, append(args, "-f", f.name)...)
	}
	name := filepath.Join(t.TempDir(), "log")
	assert.Contains(t, harmless(t, append(args, "-v", "--hdr-log", name)...), "forged", args)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Empty(t, targettest.Obeyed(string(text)))
}

// answering starts a server that answers with these octets.
func answering(t *testing.T, octets string) string {
	return serve(t, func(_ int64, c *target.RawConn) {
		io.WriteString(c.Conn, octets)
		c.Close()
	}).URL
}

// withBody is an answer with a body.
func withBody(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// hostileTLS starts a server whose certificate has a name that is none.
func hostileTLS(t *testing.T) string {
	name := strings.Map(func(r rune) rune {
		if r > 0x7f {
			return -1
		}
		return r
	}, targettest.Hostile)
	cert, key := keyPair(t, name)
	pair, err := tls.X509KeyPair(pem.EncodeToMemory(cert), pem.EncodeToMemory(key))
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1) + "/"
}

// Nothing that a server sends is obeyed by what reads our output.
func TestHostileServers(t *testing.T) {
	secure := hostileTLS(t)
	field := targettest.HostileField
	for name, args := range map[string][]string{
		"body":          {answering(t, withBody("500 No", targettest.Hostile))},
		"body, check":   {answering(t, withBody("200 OK", targettest.Hostile)), "--expect-body", "moon"},
		"location":      {answering(t, "HTTP/1.1 302 Found\r\nLocation: /"+field+"\r\nContent-Length: 0\r\n\r\n")},
		"redirects":     {answering(t, "HTTP/1.1 302 Found\r\nLocation: /"+field+"\r\nContent-Length: 0\r\n\r\n"), "-L"},
		"no location":   {answering(t, "HTTP/1.1 302 Found\r\nLocation: http://:"+field+"\r\nContent-Length: 0\r\n\r\n"), "-L"},
		"certificate":   {answering(t, "HTTP/1.1 302 Found\r\nLocation: "+secure+"\r\nContent-Length: 0\r\n\r\n"), "-L"},
		"path":          {answering(t, withBody("500 No", "")) + "/" + field},
		"expected body": {answering(t, withBody("200 OK", "")), "--expect-body", targettest.Hostile},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			everyFormat(t, args...)
		})
	}
	assert.Contains(t, harmless(t, secure), "forged", "before the run")
	harmless(t, answering(t, withBody("500 "+field, "")), "-n", "3", "-v")
	harmless(t, answering(t, targettest.Hostile), "-n", "3", "-v")
}

// Nor is anything in an argument, whatever takes it.
func TestHostileArguments(t *testing.T) {
	bad, dir := targettest.Hostile, t.TempDir()
	for _, args := range [][]string{
		{bad}, {"--" + bad}, {"-" + bad}, {"http://" + bad}, {nobody + bad}, {"http://[::1%" + bad + "]/"},
		{"http://" + bad + "@127.0.0.1:1/"}, {"http://127.0.0.1:" + bad}, {bad + "://h/"}, {nobody, bad},
		{"demo", bad}, {"schema", bad}, {"help", bad}, {"target", bad}, {"capacity", bad}, {"compare", bad}, {"history", bad}, {"history", bad, bad},
		{nobody, "-o", dir + "/none/" + targettest.HostileField}, {nobody, "--body", "@" + bad}, {nobody, "--baseline", dir + "/" + targettest.HostileField},
		{nobody, "-H", bad + ": x"}, {nobody, "-H", "x: " + bad}, {nobody, "-H", bad + ":"}, {nobody, "-u", "me:" + bad},
	} {
		harmless(t, args...)
	}
	root := newRoot(newTrial().open())
	for _, cmd := range append(root.Commands(), root) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			args := []string{"--" + f.Name + "=" + bad}
			switch cmd.Name() {
			case "load-tester":
				args = append(args, "-n", "1", nobody)
			case "demo":
				args = append([]string{"demo", "-n", "x"}, args...)
			case "compare":
				args = append([]string{"compare", "--base", nobody, "--head", nobody}, args...)
			case "capacity":
				args = append([]string{"capacity", "--limit", "p99<=1s", nobody}, args...)
			default:
				args = append([]string{cmd.Name()}, args...)
			}
			harmless(t, args...)
		})
	}
}

// Nor is anything in a baseline, whether it is shown or judged by.
func TestHostileBaselines(t *testing.T) {
	t.Parallel()
	bad := targettest.Hostile
	name := filepath.Join(t.TempDir(), "b.jsonl")
	line := func(of string) string {
		text, err := json.Marshal(map[string]any{
			"schema": 1, "name": of, "at": "2026-01-01T00:00:00Z", "revision": "=" + bad, "expects": bad, "n": 1,
			"response_time_ns": map[string]float64{"p50": 1000, "p99": 2000}, "noise": map[string]float64{bad: 1},
			"fingerprint": map[string]any{"cpu": "@" + bad, "go": "+" + bad, "os": bad, "arch": bad, "kernel": bad},
		})
		require.NoError(t, err)
		return string(text) + "\n"
	}
	content := line("="+bad) + line("TestX")
	for _, mark := range []string{"::error::forged", "--- PASS: TestForged", "##[error]forged", "\u202eforged"} {
		content += line(mark)
	}
	require.NoError(t, os.WriteFile(name, []byte(content), 0o666))
	assert.Contains(t, harmless(t, "history", name), "forged")
	assert.Contains(t, harmless(t, "history", name, "--name", "none"), "forged")
	r := newTrial()
	require.Zero(t, r.run("history", "-f", "csv", name))
	rows, err := csv.NewReader(strings.NewReader(r.Stdout.String())).ReadAll()
	require.NoError(t, err)
	require.Greater(t, len(rows), 6)
	for _, cell := range rows[1] {
		assert.Empty(t, targettest.Obeyed("cell: "+cell))
		assert.NotRegexp(t, `^[=+\-@]`, cell)
	}
	s := serve(t, nil)
	judged := []string{s.URL, "-n", "200", "--baseline", name, "--baseline-name", "TestX"}
	assert.Contains(t, harmless(t, judged...), "of another kind: CPU")
	assert.Contains(t, harmless(t, append(judged, "-f", "json")...), "of another kind: CPU")

	added := filepath.Join(t.TempDir(), "\u202e::error::forged")
	assert.Contains(t, harmless(t, s.URL, "-n", "200", "--baseline", added, "--update", "-f", "json"), "recorded in")
	missing := newTrial()
	missing.run(s.URL, "--baseline", filepath.Join(t.TempDir(), "no\nsuch", "file"))
	assert.Equal(t, 1, strings.Count(missing.Stderr.String(), "\n"), "%q", missing.Stderr)

	for _, content := range []string{bad, "<<<<<<< " + bad, strings.Replace(content, "p50", `p\u001b\n::error::forged`, 1), strings.Replace(content, "2026-", "forged\\n::error::forged", 1)} {
		require.NoError(t, os.WriteFile(name, []byte(content), 0o666))
		harmless(t, "history", name)
		harmless(t, judged...)
	}
}
