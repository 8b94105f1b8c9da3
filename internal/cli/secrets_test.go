package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An echo is a server that sends back what it gets, in body and redirect.
type echo struct {
	*httptest.Server
	mu   sync.Mutex
	last string // request
}

func newEcho(t *testing.T, status int) *echo {
	e := &echo{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _ := httputil.DumpRequest(r, true)
		e.mu.Lock()
		e.last = string(got)
		e.mu.Unlock()
		to := "127.0.0.1:1"
		if status == 303 {
			to = ":0"
		}
		w.Header().Set("Location", fmt.Sprintf("http://me:t0ken@%s/%s?session_id=t0ken", to, r.Header.Get("Authorization")))
		w.WriteHeader(status)
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.RequestURI, r.Header, body)
	}))
	t.Cleanup(e.Close)
	return e
}

// request returns the last request.
func (e *echo) request() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// No output has a secret in it, wherever it was given, and the server gets it.
func TestSecretsAreNotShown(t *testing.T) {
	for name, tc := range map[string]struct {
		args []string // URL stands for the server's
		sent string
	}{
		"header":     {[]string{"URL/", "-H", "Authorization: Bearer s3cr3t"}, "Authorization: Bearer s3cr3t\r\n"},
		"cookie":     {[]string{"URL/", "-H", "Cookie: sid=s3cr3t"}, "Cookie: sid=s3cr3t\r\n"},
		"user":       {[]string{"URL/", "--user", "s3cr3t:"}, "Authorization: Basic czNjcjN0Og==\r\n"},
		"password":   {[]string{"http://me:s3cr3t@HOST/"}, "Authorization: Basic bWU6czNjcjN0\r\n"},
		"name alone": {[]string{"http://s3cr3t@HOST/"}, "Authorization: Basic czNjcjN0Og==\r\n"},
		"api_key":    {[]string{"URL/?a=1&api_key=s3cr3t&b=2"}, "GET /?a=1&api_key=s3cr3t&b=2 HTTP"},
		"signature":  {[]string{"URL/a?X-Amz-Signature=s3cr3t"}, "GET /a?X-Amz-Signature=s3cr3t HTTP"},
		"encoded":    {[]string{"URL/?access%5Ftoken=s3cr3t%21"}, "GET /?access%5Ftoken=s3cr3t%21 HTTP"},
		"key":        {[]string{"URL/?key=s3cr3t&sig=s3cr3t2;x#token=s3cr3t"}, "GET /?key=s3cr3t&sig=s3cr3t2;x HTTP"},
		"form":       {[]string{"URL/", "-d", "user=me&password=s3cr3t"}, "user=me&password=s3cr3t"},
		"JSON":       {[]string{"URL/", "--json", `{"auth":[{"client_secret":"s3cr3t"}]}`}, `{"auth":[{"client_secret":"s3cr3t"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for status, more := range map[int][]string{500: nil, 302: {"-L"}, 303: {"-L"}, 307: nil, 200: {"--expect-body", "moon"}} {
				e := newEcho(t, status)
				var args []string
				for _, a := range tc.args {
					args = append(args, strings.NewReplacer("URL", e.URL, "HOST", strings.TrimPrefix(e.URL, "http://")).Replace(a))
				}
				args = append(append(args, "-n", "2", "-c", "1", "-v", "--limit", "errors<=0"), more...)
				dir := t.TempDir()
				for _, f := range []string{"text", "json"} {
					r := newTrial()
					r.run(append(args, "-f", f, "--hdr-log", filepath.Join(dir, "log"))...)
					assert.NotContains(t, r.Stdout.String()+r.Stderr.String(), "s3cr3t")
					assert.NotContains(t, r.Stdout.String()+r.Stderr.String(), "t0ken", "the server's")
					assert.NotContains(t, r.Stdout.String()+r.Stderr.String(), "czNjcjN0", "encoded")
					assert.Contains(t, e.request(), tc.sent)
				}
				log, err := os.ReadFile(filepath.Join(dir, "log"))
				require.NoError(t, err)
				assert.NotContains(t, string(log), "s3cr3t")
			}
			e := newEcho(t, 200)
			var args []string
			for _, a := range tc.args {
				args = append(args, strings.NewReplacer("URL", e.URL, "HOST", strings.TrimPrefix(e.URL, "http://")).Replace(a))
			}
			file := filepath.Join(t.TempDir(), "b.jsonl")
			r := newTrial()
			require.Zero(t, r.run(append(args, "-n", "20", "-f", "bench", "--baseline", file, "--update")...), r.Stderr)
			runs, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.NotContains(t, r.Stdout.String()+r.Stderr.String()+string(runs), "s3cr3t")
		})
	}
}

// A message about a wrong value does not repeat it where it may be a secret.
func TestWrongSecretsAreNotShown(t *testing.T) {
	for _, args := range [][]string{
		{nobody, "-H", "Authorization: Bearer s3cr3t\r"}, {nobody, "-H", "Authorization Bearer s3cr3t"}, {nobody, "-H", "Authorization Bearer s3cr3t:x"},
		{nobody, "-H", "Bearer s3cr3t:"}, {nobody, "-H", "Content-Length: s3cr3t"}, {nobody, "-H", "Authorization: s3cr3t", "-H", "authorization: s3cr3t"},
		{nobody, "--user", "s3cr3t"}, {nobody, "--user", "me:s3cr3t\n"}, {nobody, "-a", "me:s3cr3t", "-H", "Authorization: s3cr3t"},
		{nobody, "-u", "me:s3cr3t"}, {"-u", "me:s3cr3t"}, {"me:s3cr3t"}, {nobody, "me:s3cr3t"}, {"http://s3cr3t@a/", "http://me:s3cr3t@a/"},
		{"http://me:p/s3cr3t@h/"}, {"http://me:s3cr3t/x@h/"}, {"http://me:p#s3cr3t@h/"}, {"http:/me:s3cr3t@h/"}, {"ftp://me:s3cr3t@h/"},
		{"http://me:s3 cr3t@h/", "-n", "s3"}, {"http://me:s3cr3t@h:0/"}, {"http://h/ ?token=s3cr3t"}, {"http://h/a b?token=s3cr3t"},
		{nobody + "?token=s3cr3t", "http://h/?a=1&secret=s3cr3t"}, {nobody + "?token=s3cr3t"}, {"http://s3cr3t@127.0.0.1:1/"}, {"https://s3cr3t@127.0.0.1:1/"},
		{"demo", "http://me:s3cr3t@h/"}, {"history", "http://h/?token=s3cr3t", "x"}, {"compare", "--base", "ftp://s3cr3t@h", "--head", "http://h/?key=s3cr3t"},
		{"compare", "--base", nobody, "--head", nobody, "--head-header", "X s3cr3t", "--base-header", "X: s3cr3t\n"},
		{nobody, "--json", `{"password":"s3cr3t"}`, "--body", "s3cr3t"}, {nobody, "--body", "s3cr3t", "--body", "s3cr3t"}, {nobody, "--token=s3cr3t"}, {nobody, "-header=X: s3cr3t"},
	} {
		r := newTrial()
		assert.NotZero(t, r.run(args...), args)
		assert.NotContains(t, r.Stdout.String()+r.Stderr.String(), "s3cr3t", args)
		assert.NotEmpty(t, r.Stderr.String(), args)
	}
}
