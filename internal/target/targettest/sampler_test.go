package targettest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

func serve(t *testing.T, h http.Handler) *target.Server {
	t.Helper()
	s, err := target.Serve(h, target.ServeOptions{TCP: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// client returns a new client, whose connections end with the test.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func get(c *http.Client, url string) (status int, body string, err error) {
	resp, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestSampler(t *testing.T) {
	sampler := NewSampler()
	s := serve(t, sampler)
	c := client(t)
	paths := []struct {
		path, body string
		status     int
	}{
		{"/", "hello, world\n", 200},
		{"/ok", "hello, world\n", 200},
		{"/status/503", "Service Unavailable\n", 503},
		{"/status/204", "", 204},
		{"/status/999", "want a status from 200 to 599\n", 400},
		{"/mixed", "hello, world\n", 200},
		{"/mixed", "hello, world\n", 503},
		{"/mixed?every=3", "hello, world\n", 503},
		{"/mixed?every=0", "want every=N, N at least 1\n", 400},
		{"/slow?d=2", "time: missing unit in duration \"2\"\n", 400},
		{"/nowhere", "404 page not found\n", 404},
	}
	for _, p := range paths {
		status, body, err := get(c, s.URL+p.path)
		require.NoError(t, err, p.path)
		assert.Equal(t, p.status, status, p.path)
		assert.Equal(t, p.body, body, p.path)
	}
	// On a connection that has served a request, net/http would retry.
	_, _, err := get(client(t), s.URL+"/drop")
	assert.Error(t, err)
	assert.EqualValues(t, len(paths)+1, sampler.Seen())
	require.NoError(t, sampler.Await(t.Context(), int64(len(paths)+1)))
}

func TestSamplerTakesItsTime(t *testing.T) {
	s := serve(t, NewSampler())
	c := client(t)
	for path, least := range map[string]time.Duration{"/": time.Millisecond, "/slow": 10 * time.Millisecond, "/slow?d=15ms": 15 * time.Millisecond} {
		began := time.Now()
		status, _, err := get(c, s.URL+path)
		require.NoError(t, err)
		assert.Equal(t, 200, status)
		assert.GreaterOrEqual(t, time.Since(began), least, path)
	}
}

func TestSamplerNeverAnswers(t *testing.T) {
	for _, path := range []string{"/never", "/slow?d=1h"} {
		sampler := NewSampler()
		s := serve(t, sampler)
		answered := make(chan error)
		c := client(t)
		go func() {
			_, _, err := get(c, s.URL+path)
			answered <- err
		}()
		require.NoError(t, sampler.Await(t.Context(), 1))
		require.NoError(t, s.Close())
		assert.Error(t, <-answered)
	}
}

func TestSamplerEchoes(t *testing.T) {
	sampler := NewSampler()
	s := serve(t, sampler)
	req, err := http.NewRequest(http.MethodPut, s.URL+"/echo?a=b", strings.NewReader(strings.Repeat("x", 5<<10)))
	require.NoError(t, err)
	req.Host = "example.com"
	req.Header = http.Header{"User-Agent": {"test"}, "Accept-Encoding": {"identity"}, "B": {"2", "1"}}
	resp, err := client(t).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	want := "PUT /echo?a=b HTTP/1.1\nHost: example.com\n" +
		"Accept-Encoding: identity\nB: 1\nB: 2\nContent-Length: 5120\nUser-Agent: test\n\n" + strings.Repeat("x", 4<<10)
	assert.Equal(t, want, string(got))
	assert.Equal(t, want, sampler.Last())
}
