package target

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSampler(t *testing.T) {
	sampler := NewSampler()
	s := serve(t, ServeOptions{}, sampler.ServeHTTP)
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
		{"/slow?d=2", "duration \"2\" needs a unit, for example 2ms\n", 400},
		{"/nowhere", "404 page not found\n", 404},
	}
	for _, p := range paths {
		status, body, err := get(c, s.URL+p.path, "")
		require.NoError(t, err, p.path)
		assert.Equal(t, p.status, status, p.path)
		assert.Equal(t, p.body, body, p.path)
	}
	// On a connection that served before, net/http would ask again.
	_, _, err := get(client(t), s.URL+"/drop", "")
	assert.Error(t, err)
	assert.EqualValues(t, len(paths)+1, sampler.Seen())
	require.NoError(t, sampler.Await(t.Context(), int64(len(paths)+1)))
}

func TestSamplerTakesItsTime(t *testing.T) {
	s := serve(t, ServeOptions{}, NewSampler().ServeHTTP)
	c := client(t)
	for path, least := range map[string]time.Duration{"/": ms, "/slow": 10 * ms, "/slow?d=15ms": 15 * ms} {
		began := time.Now()
		status, _, err := get(c, s.URL+path, "")
		require.NoError(t, err)
		assert.Equal(t, 200, status)
		assert.GreaterOrEqual(t, time.Since(began), least, path)
	}
}

func TestSamplerNeverAnswers(t *testing.T) {
	for _, path := range []string{"/never", "/slow?d=1h"} {
		sampler := NewSampler()
		s := serve(t, ServeOptions{}, sampler.ServeHTTP)
		answered := make(chan error)
		c := client(t)
		go func() {
			_, _, err := get(c, s.URL+path, "")
			answered <- err
		}()
		require.NoError(t, sampler.Await(t.Context(), 1))
		require.NoError(t, s.Close())
		assert.Error(t, <-answered)
	}
}

func TestSamplerEchoes(t *testing.T) {
	sampler := NewSampler()
	s := serve(t, ServeOptions{}, sampler.ServeHTTP)
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

func TestKnownTakesItsTime(t *testing.T) {
	s := serve(t, ServeOptions{}, Known(Timing{Latency: constant(3 * ms)}).ServeHTTP)
	began := time.Now()
	status, _, err := get(client(t), s.URL, "")
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.GreaterOrEqual(t, time.Since(began), 3*ms)
}
