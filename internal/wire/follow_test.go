package wire

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
)

// poolOf returns a pool that sends what s describes.
func poolOf(t *testing.T, s http1.Spec, o Options) *Pool {
	t.Helper()
	s.Run = "test"
	var err error
	o.Request, err = http1.NewRequest(s)
	require.NoError(t, err)
	o.Dialer.Addr = o.Request.Host() + ":" + o.Request.Port()
	o.Timeout = time.Minute
	p := New(o)
	t.Cleanup(p.Close)
	return p
}

// senderOf returns a sender of p whose connections are closed at the end.
func senderOf(t *testing.T, p *Pool) *connSender {
	s := p.NewSender().(*connSender)
	t.Cleanup(s.dropAll)
	return s
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestRedirectsAreFollowed(t *testing.T) {
	var seen atomic.Int64
	other := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		body, _ := io.ReadAll(r.Body)
		assert.Equal(t, "POST", r.Method)
		assert.Equal(t, "hello", string(body))
		assert.Empty(t, r.Header["Authorization"])
		assert.Equal(t, "kept", r.Header.Get("X-Other"))
		io.WriteString(w, "done")
	})
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		assert.Equal(t, "Bearer s3cr3t", r.Header.Get("Authorization"))
		if r.URL.Path == "/a" {
			w.Header().Set("Location", "b")
		} else {
			w.Header().Set("Location", other.URL+"/c")
		}
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	p := poolOf(t, http1.Spec{
		URL: first.URL + "/a", Method: "POST", Body: []byte("hello"),
		Header: []http1.Field{{Name: "Authorization", Value: "Bearer s3cr3t"}, {Name: "X-Other", Value: "kept"}},
	}, Options{Follow: true})
	s := senderOf(t, p)
	for n := range int64(3) {
		r := s.Send(n, 0)
		require.NoError(t, r.Err)
		assert.True(t, r.Succeeded())
		assert.Equal(t, 200, r.Status)
		assert.Equal(t, 2, r.Redirects)
		assert.EqualValues(t, 4, r.Octets.Body)
		assert.Greater(t, r.Sent, 2*int64(len(p.Request.Bytes())), "each hop is a request")
	}
	assert.EqualValues(t, 9, seen.Load())
	assert.EqualValues(t, 2, p.Opened(), "one connection to each origin, which is kept")
	assert.Empty(t, p.Answers(), "a redirect that was followed is no failure")
}

// nowhere is an address at which nothing listens.
const nowhere = "127.0.0.1:1"

func TestRedirectsThatLeadNowhere(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := map[string]string{
			"/loop": "/loop", "/ftp": "ftp://h/", "/refused": "http://" + nowhere + "/",
			"/missing": "/404", "/far": "/far/1",
		}[r.URL.Path]
		if hop, ok := strings.CutPrefix(r.URL.Path, "/far/"); ok {
			to = "/far/1" + hop
		}
		if r.URL.Path == "/404" {
			http.Error(w, "no such page", http.StatusNotFound)
			return
		}
		if to != "" {
			w.Header().Set("Location", to)
		}
		w.WriteHeader(http.StatusFound)
	})
	send := func(path string) (record.Result, *Pool) {
		p := poolOf(t, http1.Spec{URL: site.URL + path}, Options{Follow: true})
		return senderOf(t, p).Send(0, 0), p
	}
	for _, tc := range []struct {
		path string
		kind record.Kind
		hops int
		want string
	}{
		{"/loop", record.Redirect, 10, "following 302 to /loop from "},
		{"/loop", record.Redirect, 10, "a redirect loop, left after 10 redirects"},
		{"/far", record.Redirect, 10, "more than 10 redirects"},
		{"/ftp", record.Redirect, 0, `scheme "ftp"; want http or https`},
		{"/none", record.Redirect, 0, "no Location"},
		{"/refused", record.ConnectRefused, 1, "redirected to http://" + nowhere + "/: connecting to "},
	} {
		r, _ := send(tc.path)
		assert.Equal(t, tc.kind, r.Kind, tc.path)
		assert.ErrorContains(t, r.Err, tc.want)
		assert.Equal(t, tc.hops, r.Redirects, tc.path)
		assert.Zero(t, r.Status)
		assert.False(t, r.Succeeded())
		assert.Positive(t, r.Received, "what arrived counts")
	}
	r, p := send("/missing")
	assert.NoError(t, r.Err)
	assert.True(t, r.Unexpected)
	assert.Equal(t, 404, r.Status)
	assert.Equal(t, 1, r.Redirects)
	assert.Equal(t, map[int]record.Answer{404: {Body: []byte("no such page\n")}}, p.Answers())
}

// A redirect whose status was expected is a success and is not followed.
func TestExpectedRedirectIsNotFollowed(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/", r.URL.Path)
		http.Redirect(w, r, "/x", http.StatusFound)
	})
	set, err := http1.ParseStatuses("302")
	require.NoError(t, err)
	p := poolOf(t, http1.Spec{URL: site.URL, Expect: http1.Expect{Statuses: set}}, Options{Follow: true})
	r := senderOf(t, p).Send(0, 0)
	assert.True(t, r.Succeeded())
	assert.Zero(t, r.Redirects)
}

func TestExpireEndsAHop(t *testing.T) {
	reached := make(chan struct{})
	never := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	})
	first := serve(t, http.RedirectHandler(never.URL, http.StatusFound).ServeHTTP)
	s := senderOf(t, poolOf(t, http1.Spec{URL: first.URL}, Options{Follow: true}))
	done := make(chan record.Result)
	go func() { done <- s.Send(7, 0) }()
	<-reached
	s.Expire(6) // another request
	s.Expire(7)
	r := <-done
	assert.Equal(t, record.Timeout, r.Kind)
	assert.ErrorContains(t, r.Err, "redirected to "+never.URL)
}

// Both ways to send judge a response by the same rules.
func TestWhatIsKeptOfUnexpectedResponses(t *testing.T) {
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			w.Header().Set("Location", "/moved/")
			w.WriteHeader(http.StatusMovedPermanently)
		case "/login":
			w.Header().Set("Location", "/login?s3cr3t")
			w.WriteHeader(http.StatusFound)
		case "/401":
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, "no: "+r.Header.Get("Authorization")+"\x1b\xff")
		case "/gzip":
			io.WriteString(w, "\x1f\x8b\b\x00")
		default:
			io.WriteString(w, "hello, world")
		}
	})
	for _, tc := range []struct {
		path, body string
		want       map[int]record.Answer
		breach     string
	}{
		{"/moved", "", map[int]record.Answer{301: {Location: "/moved/", Slashed: "/moved"}}, ""},
		{"/login", "", map[int]record.Answer{302: {Location: "/login?xxxxx"}}, ""},
		{"/401", "", map[int]record.Answer{401: {Body: []byte("no: xxxxx\x1b\xff")}}, ""},
		{"/ok", "", nil, ""},
		{"/ok", "o, w", nil, ""},
		{"/gzip", "moon", nil, `status 200, but the body is compressed with gzip, want "moon" in it`},
		{"/ok", "moon", nil, `status 200, but the body is "hello, world", want "moon" in it`},
	} {
		for name, send := range map[string]func(*testing.T, *Pool) record.Result{"event loop": byMux, "goroutine": byGoroutine} {
			p := poolOf(t, http1.Spec{
				URL: site.URL + tc.path, Header: []http1.Field{{Name: "Authorization", Value: "s3cr3t"}}, Expect: http1.Expect{Body: tc.body},
			}, Options{})
			r := send(t, p)
			assert.Equal(t, tc.want, p.Answers(), "%s by %s", tc.path, name)
			assert.Equal(t, tc.want != nil, r.Unexpected)
			if tc.breach == "" {
				assert.NoError(t, r.Err)
				continue
			}
			assert.Equal(t, record.Check, r.Kind)
			assert.EqualError(t, r.Err, tc.breach)
		}
	}
}

func byGoroutine(t *testing.T, p *Pool) record.Result { return senderOf(t, p).Send(0, 0) }

// byMux sends a request with an event loop, if the system has one.
func byMux(t *testing.T, p *Pool) (r record.Result) {
	m, err := p.NewMux(1, 1, false)
	require.NoError(t, err)
	if m == nil {
		return byGoroutine(t, p)
	}
	defer m.Close()
	m.Start(0, 0)
	for reported := false; !reported; {
		m.Wait(time.Minute, func(_ int, got *record.Result) { r, reported = *got, true })
	}
	return r
}

// A status whose redirects lead to different places says so.
func TestRedirectsToSeveralPlaces(t *testing.T) {
	check := func(other, want string) {
		t.Helper()
		n := 0
		to := serve(t, func(w http.ResponseWriter, r *http.Request) {
			where := "/a"
			if n++; n == 3 {
				where = other
			}
			w.Header().Set("Location", where)
			w.WriteHeader(302)
		})
		p := poolOf(t, http1.Spec{URL: to.URL}, Options{})
		s := senderOf(t, p)
		for n := range int64(4) {
			require.True(t, s.Send(n, 0).Unexpected)
		}
		a := p.Answers()[302]
		assert.Equal(t, want, a.Redirect(302))
	}
	check("/a", "302 to /a")
	check("/b", "302 to /a and others")
}
