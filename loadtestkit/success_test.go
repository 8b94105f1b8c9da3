package loadtestkit

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The usual mistake with a mux: what is measured is its redirect, and the handler
// never runs.
func TestMuxRedirect(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/items/", func(http.ResponseWriter, *http.Request) {})
	f, report := runFake(&fakeTB{}, Options{Target: Handler(mux).Get("/items"), Count: 200})
	assert.Equal(t, Failed, report.Verdict)
	assert.EqualValues(t, 200, report.Failed)
	require.Len(t, f.errors, 1)
	assert.Contains(t, f.errors[0], "/items redirects to /items/: did you mean that?")
	assert.Contains(t, f.output.String(), "  /items redirects to /items/: did you mean that? (200 of 200)\n")

	f, report = runFake(&fakeTB{}, Options{Target: Handler(mux).Send(Request{Path: "/items", FollowRedirects: true}), Count: 200})
	assert.Empty(t, f.errors)
	assert.Equal(t, map[int]int64{200: 200}, report.StatusCodes)
	assert.Contains(t, f.output.String(), "  Redirects:  200 followed\n")

	f, report = runFake(&fakeTB{}, Options{Target: Handler(mux).Send(Request{Path: "/items", ExpectStatus: "3xx"}), Count: 200})
	assert.Empty(t, f.errors)
	assert.EqualValues(t, 200, report.Succeeded)
}

// The address at which a handler is served is nothing that its author knows.
func TestRedirectsOfAHandlerArePaths(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/old", http.RedirectHandler("/new?a=b", http.StatusFound))
	for path, want := range map[string]string{
		"/loop": "first: following 302 to /loop from /loop: a redirect loop, left after 10 redirects)",
		"/old":  `first: redirected to /new?a=b: status 404, but the body is "404 page not found\n", want "moon" in it)`,
	} {
		f, _ := runFake(&fakeTB{}, Options{
			Target: Handler(mux).Send(Request{Path: path, FollowRedirects: true, ExpectStatus: "404", ExpectBody: "moon"}), Count: 10,
		})
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], want)
	}
}

func TestHandlerRedirectsNowhereElse(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was followed") }))
	defer other.Close()
	for _, serve := range []func(http.Handler) Server{Handler, TLSHandler} {
		f, report := runFake(&fakeTB{}, Options{
			Target: serve(http.RedirectHandler(other.URL, http.StatusFound)).Send(Request{FollowRedirects: true}), Count: 10,
		})
		assert.Equal(t, map[string]int64{"redirect": 10}, report.Errors)
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], "another host than that of the handler under test")
	}
}

func TestCheckOfResponses(t *testing.T) {
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Kind", "greeting")
		io.WriteString(w, "hello, world")
	})
	run := func(r Request) Report {
		report, err := Measure(context.Background(), Options{Target: Handler(hello).Send(r), Count: 20})
		require.NoError(t, err)
		return report
	}
	first := func(r Report) string { return r.data.Errors[0].First }

	var calls atomic.Int64
	report := run(Request{Check: func(r *Response) error {
		calls.Add(1)
		if r.Status != 200 || r.Header.Get("X-Kind") != "greeting" || string(r.Body) != "hello, world" || r.Truncated {
			return errors.New("not what was sent")
		}
		return nil
	}})
	assert.EqualValues(t, 20, report.Succeeded)
	assert.EqualValues(t, 20, calls.Load())

	report = run(Request{Check: func(*Response) error { return errors.New("wrong") }})
	assert.Equal(t, map[string]int64{"check": 20}, report.Errors)
	assert.Equal(t, "wrong", first(report))

	report = run(Request{Check: func(*Response) error { panic("out of range") }})
	assert.Equal(t, map[string]int64{"check": 20}, report.Errors)
	assert.Equal(t, "panic: out of range", first(report))

	report = run(Request{Check: func(*Response) error { return failing{} }})
	assert.Equal(t, "panic: no text", first(report), "an error is code under test, too")

	report = run(Request{ExpectBody: "world"})
	assert.EqualValues(t, 20, report.Succeeded)
	report = run(Request{ExpectBody: "moon", Check: func(*Response) error { return errors.New("not reached") }})
	assert.Equal(t, `status 200, but the body is "hello, world", want "moon" in it`, first(report))

	report = run(Request{ExpectStatus: "404", Check: func(*Response) error { return errors.New("not reached") }})
	assert.Empty(t, report.Errors, "a status comes before a check")
	assert.EqualValues(t, 20, report.Failed)
}

// failing is an error whose methods panic.
type failing struct{}

func (failing) Error() string { panic("no text") }

func TestExpectationsAreChecked(t *testing.T) {
	for _, tc := range []struct {
		request Request
		want    string
	}{
		{Request{ExpectStatus: "2x"}, `options: Request.ExpectStatus: "2x": want a status such as 200`},
		{Request{Method: "HEAD", ExpectBody: "x"}, `options: Request.ExpectBody: is "x", but a response to HEAD has no body`},
	} {
		_, err := Measure(context.Background(), Options{Target: Handler(http.NotFoundHandler()).Send(tc.request), Count: 1})
		assert.ErrorContains(t, err, tc.want)
	}
}

// Even where every request may fail, a run in which all did is not a pass.
func TestNothingSucceededIsNoPass(t *testing.T) {
	f, report := runFake(&fakeTB{}, Options{Target: Handler(http.NotFoundHandler()), Count: 20, Limits: Limits{ErrorRatio: 1}})
	assert.Equal(t, Inconclusive, report.Verdict)
	require.NotEmpty(t, f.errors)
	assert.Contains(t, strings.Join(f.errors, "\n"), "could not measure: no request succeeded")
}
