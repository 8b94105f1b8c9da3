package loadtestkit

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// evil is a value with a hostile text.
type evil struct{}

func (evil) String() string { return targettest.Hostile }
func (evil) Error() string  { return targettest.Hostile }

// hostileTLS starts a server whose certificate has a name that is none.
func hostileTLS(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	name, _, ok := strings.Cut(targettest.Hostile, "\u009b") // what of it is ASCII
	require.True(t, ok)
	shape := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}}
	cert, err := x509.CreateCertificate(rand.Reader, shape, shape, &key.PublicKey, key)
	require.NoError(t, err)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

// hostileBaseline writes a baseline with the runs of a test on another machine.
func hostileBaseline(t *testing.T, name string) (path string) {
	bad := targettest.Hostile
	line, err := json.Marshal(map[string]any{
		"schema": 1, "name": name, "at": "2026-01-01T00:00:00Z", "expects": bad,
		"response_time_ns": map[string]float64{"p50": 1000}, "fingerprint": map[string]any{"cpu": bad, "go": bad},
	})
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "b.jsonl")
	require.NoError(t, os.WriteFile(path, line, 0o666))
	return path
}

// hostileOptions are runs in which text from outside comes in, one way each.
func hostileOptions(t *testing.T, name string) map[string]Options {
	bad := targettest.Hostile
	handler := func(h http.HandlerFunc) Server { return Handler(h) }
	nothing := handler(func(http.ResponseWriter, *http.Request) {})
	answer := func(status int) Server {
		return handler(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Location"] = []string{"/" + targettest.HostileField}
			w.WriteHeader(status)
			io.WriteString(w, bad)
		})
	}
	all := map[string]Options{
		"certificate":     {Target: URL(hostileTLS(t))},
		"error":           {Target: Func(func(context.Context) error { return evil{} })},
		"panic of Func":   {Target: Func(func(context.Context) error { panic(evil{}) })},
		"panic":           {Target: handler(func(http.ResponseWriter, *http.Request) { panic(evil{}) })},
		"check":           {Target: nothing.Send(Request{Check: func(*Response) error { return evil{} }})},
		"panic of check":  {Target: nothing.Send(Request{Check: func(*Response) error { panic(evil{}) }})},
		"body":            {Target: answer(500)},
		"expected body":   {Target: answer(200).Send(Request{ExpectBody: "moon" + bad})},
		"redirect":        {Target: answer(302)},
		"followed":        {Target: answer(302).Send(Request{FollowRedirects: true})},
		"URL":             {Target: URL(bad)},
		"path":            {Target: nothing.Get(bad)},
		"path, behind /":  {Target: nothing.Get("/" + bad)},
		"sent path":       {Target: answer(500).Get("/" + targettest.HostileField)},
		"method":          {Target: nothing.Send(Request{Method: bad})},
		"header":          {Target: nothing.Send(Request{Header: http.Header{bad: {"x"}}})},
		"value":           {Target: nothing.Send(Request{Header: http.Header{"X": {bad}}})},
		"status":          {Target: nothing.Send(Request{ExpectStatus: bad})},
		"address":         {Target: Server{at: nothing.at, Address: bad}},
		"baseline's name": {Target: nothing, Baseline: filepath.Join(t.TempDir(), bad)},
		"baseline's runs": {Target: nothing, Baseline: hostileBaseline(t, name)},
	}
	for name, o := range all {
		o.Count = 20
		all[name] = o
	}
	return all
}

// No text from outside is obeyed by what reads a test's log, a report or an error.
func TestHostileText(t *testing.T) {
	harmless := func(t *testing.T, texts ...string) {
		for _, text := range texts {
			assert.Empty(t, targettest.Obeyed(text))
		}
	}
	for name, o := range hostileOptions(t, "TestFake") {
		t.Run(name, func(t *testing.T) {
			f, report := runFake(&fakeTB{}, o)
			all := append(append(append([]string{f.output.String()}, f.errors...), f.logs...), f.skips...)
			harmless(t, all...)
			for _, line := range append(f.errors, f.logs...) {
				assert.NotContains(t, line, "\n")
			}
			if o.Baseline == "" { // which is not judged under the race detector
				assert.NotEqual(t, 1, len(all), "it is no pass")
			}

			var text, page bytes.Buffer
			require.NoError(t, report.WriteText(&text))
			require.NoError(t, report.WriteJSON(&page))
			harmless(t, text.String())
			harmless(t, report.Warnings...)
			harmless(t, report.Stopped)
			eachText(t, page.Bytes(), func(text string) { harmless(t, "value: "+text) })
			for _, l := range report.Limits {
				harmless(t, l.Reason)
			}

			_, err := Measure(t.Context(), o)
			if err != nil {
				harmless(t, err.Error())
				assert.NotContains(t, err.Error(), "\n")
			}
		})
	}
	f, secure := &fakeTB{}, URL(hostileTLS(t))
	f.run(func(t testing.TB) { Compare(t, CompareOptions{Base: secure, Head: secure}) })
	require.Len(t, f.errors, 1)
	harmless(t, f.errors...)
	assert.Contains(t, f.errors[0], "forged")

	var invalid x509.HostnameError
	_, err := Measure(t.Context(), Options{Target: secure, Count: 1})
	assert.True(t, errors.As(err, &invalid) || errors.As(err, new(x509.UnknownAuthorityError)), "the cause is in the chain: %v", err)
}

// Whatever is said to a test goes through [test], also what comes from a report.
func TestTestsGetOneLine(t *testing.T) {
	f := &fakeTB{}
	f.run(func(t testing.TB) {
		newTest(t).Logf("%s", evil{})
		newTest(t).Errorf("%s", evil{})
		newTest(t).Fatalf("%s", evil{})
	})
	f.run(func(t testing.TB) { newTest(t).Skip([]string{targettest.Hostile, "and another"}) })
	require.Len(t, f.skips, 1)
	assert.Empty(t, targettest.Obeyed(f.skips[0]))
	assert.Equal(t, 1, strings.Count(f.skips[0], "\n"), "between the reasons")
	for _, line := range append(f.logs, f.errors...) {
		assert.Empty(t, targettest.Obeyed(line))
		assert.NotContains(t, line, "\n")
	}
	assert.Len(t, f.logs, 1)
	assert.Len(t, f.errors, 2)
}

// eachText calls f with the beginning of each text in JSON.
func eachText(t *testing.T, b []byte, f func(string)) {
	d := json.NewDecoder(bytes.NewReader(b))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		require.NoError(t, err)
		if text, ok := token.(string); ok {
			f(text[:min(len(text), 2000)])
		}
	}
}

func TestHostileRuns(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestNoForgedEvents in a process of its own")
	}
	for name, o := range hostileOptions(t, "none") {
		t.Run(name, func(t *testing.T) { Run(t, o) })
	}
	t.Run("Bench", func(t *testing.T) {
		testing.Benchmark(func(b *testing.B) {
			Bench(b, BenchOptions{Target: Func(func(context.Context) error { return evil{} })})
		})
	})
}

// The events of go test -json are of tests that there are.
func TestNoForgedEvents(t *testing.T) {
	cmd := exec.Command("go", "tool", "test2json", "-t", os.Args[0], "-test.v=test2json", "-test.run=^TestHostileRuns$")
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	events := json.NewDecoder(bytes.NewReader(out))
	n, output := 0, ""
	for {
		var e struct{ Action, Test, Output string }
		if err := events.Decode(&e); err == io.EOF {
			break
		} else {
			require.NoError(t, err, "%s", out)
		}
		if e.Action == "output" {
			output += e.Output
			continue
		}
		n++
		assert.True(t, e.Test == "" || strings.HasPrefix(e.Test, "TestHostileRuns"), "%+v", e)
	}
	assert.Greater(t, n, 40)
	assert.Greater(t, strings.Count(output, "forged"), 20)
	assert.NotContains(t, output, "\x16")
}
