package target

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// client returns a new client, whose connections end with the test.
func client(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// ways runs f for both ways of reaching a server without TLS.
func ways(t *testing.T, f func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error))) {
	t.Run("in memory", func(t *testing.T) {
		f(t, ServeOptions{}, func(s *Server) (net.Conn, error) { return s.Dial(context.Background()) })
	})
	t.Run("over TCP", func(t *testing.T) {
		f(t, ServeOptions{TCP: true}, func(s *Server) (net.Conn, error) { return net.Dial("tcp", strings.TrimPrefix(s.URL, "http://")) })
	})
}

// clientBy returns a new client that reaches s by dial.
func clientBy(t *testing.T, s *Server, dial func(*Server) (net.Conn, error)) *http.Client {
	c := client(t)
	c.Transport.(*http.Transport).DialContext = func(context.Context, string, string) (net.Conn, error) { return dial(s) }
	return c
}

func serve(t *testing.T, opts ServeOptions, h http.HandlerFunc) *Server {
	t.Helper()
	s, err := Serve(h, opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func get(c *http.Client, url, id string) (status int, body string, err error) {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	if id != "" {
		req.Header.Set("X-Request-Id", id)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestServeGivesTheHandlerTheRequestID(t *testing.T) {
	s := serve(t, ServeOptions{TCP: true}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "id=%q", RequestID(r.Context()))
	})
	c := client(t)
	status, body, err := get(c, s.URL, "run-000000000007")
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Equal(t, `id="run-000000000007"`, body)
	_, body, err = get(c, s.URL, "")
	require.NoError(t, err)
	assert.Equal(t, `id=""`, body)
	assert.Equal(t, "x", RequestID(WithRequestID(t.Context(), "x")))
}

func TestServeTLS(t *testing.T) {
	s := serve(t, ServeOptions{TCP: true, TLS: true}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Proto)
	})
	assert.True(t, strings.HasPrefix(s.URL, "https://127.0.0.1:"), s.URL)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.CertPool()}}
	defer tr.CloseIdleConnections()
	_, body, err := get(&http.Client{Transport: tr}, s.URL, "")
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1", body)

	var printed bytes.Buffer
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	_, _, err = get(client(t), s.URL, "")
	assert.ErrorContains(t, err, "certificate", "trusted only with CertPool")
	require.NoError(t, s.Close())
	assert.Empty(t, printed.String(), "net/http would report the failed handshake on stderr")
}

func TestServeWithoutTLSHasNoCertificate(t *testing.T) {
	assert.Nil(t, serve(t, ServeOptions{}, nil).CertPool())
}

type caller struct{ field *int }

func (c *caller) handle(http.ResponseWriter, *http.Request) { *c.field++ }

func TestPanicsAreRememberedByRequest(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler http.HandlerFunc
		want    string // "" if nothing is to be kept
	}{
		{"a value", func(http.ResponseWriter, *http.Request) { panic("boom") },
			`^panic: boom \(target\.TestPanicsAreRememberedByRequest\.func\d+ at handler_test\.go:\d+\)$`},
		{"an error", func(http.ResponseWriter, *http.Request) { panic(io.ErrUnexpectedEOF) },
			`^panic: unexpected EOF \(`},
		{"not comparable", func(http.ResponseWriter, *http.Request) { panic([]int{1}) },
			`^panic: \[1\] \(`},
		{"thrown by the runtime", new(caller).handle,
			`^panic: runtime error: .* nil pointer dereference \(target\.\(\*caller\)\.handle at handler_test\.go:\d+\)$`},
		{"long", func(http.ResponseWriter, *http.Request) { panic(strings.Repeat("é", 10_000)) },
			`^panic: é{252}\.\.\. \(`},
		{"ended as by t.FailNow", func(http.ResponseWriter, *http.Request) { new(testing.T).SkipNow() },
			`^the handler ended its goroutine`},
		{"after some of the body", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic("late")
		}, `^panic: late \(`},
		{"meant to abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
				s := serve(t, opts, c.handler)
				_, body, err := get(clientBy(t, s, dial), s.URL, "run-1")
				assert.Error(t, err, "the connection ends, answered by %q", body)
				msg, ok := s.Panic("run-1")
				if c.want == "" {
					assert.False(t, ok, msg)
				} else {
					assert.Regexp(t, c.want, msg)
				}
				_, ok = s.Panic("run-2")
				assert.False(t, ok, "another request did not panic")
			})
		})
	}
}

func TestPanicsAreBounded(t *testing.T) {
	var p panics
	for i := range 3*panicsKept + 5 {
		p.remember(fmt.Sprint(i), "x")
		p.remember(fmt.Sprint(i), "y") // the same id again takes no further place
	}
	assert.Len(t, p.texts, panicsKept)
	assert.Len(t, p.ids, panicsKept)
	_, ok := p.text(fmt.Sprint(2*panicsKept + 4))
	assert.False(t, ok, "the oldest went")
	text, ok := p.text(fmt.Sprint(2*panicsKept + 5))
	assert.True(t, ok, "the latest stayed")
	assert.Equal(t, "y", text)
}

func TestCloseEndsHandlersThatWatchTheirContext(t *testing.T) {
	ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
		entered := make(chan struct{})
		opts.Grace = time.Minute
		s := serve(t, opts, func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		})
		answered := make(chan error)
		c := clientBy(t, s, dial)
		go func() {
			_, _, err := get(c, s.URL, "")
			answered <- err
		}()
		<-entered
		assert.NoError(t, s.Close())
		assert.Error(t, <-answered, "cut off, not answered with an empty 200")
		assert.NoError(t, s.Close(), "again")
	})
}

func TestCloseGivesUpOnHandlersThatHang(t *testing.T) {
	ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
		entered, release := make(chan struct{}), make(chan struct{})
		opts.Grace = ms
		s, err := Serve(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(entered)
			<-release
		}), opts)
		require.NoError(t, err)
		answered := make(chan error)
		c := clientBy(t, s, dial)
		go func() {
			_, _, err := get(c, s.URL, "")
			answered <- err
		}()
		<-entered
		assert.ErrorContains(t, s.Close(), "1 requests still run 1ms after")
		assert.Error(t, <-answered, "its client is let go")
		_, err = dial(s)
		assert.Error(t, err, "it does not listen any more")
		close(release)
		s.grace = time.Minute
		assert.NoError(t, s.Close(), "once the handler returned")
	})
}

func TestCloseEndsSilentConnections(t *testing.T) {
	ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
		for _, said := range []string{"", "POST / HTTP/1.1\r\n"} {
			s := serve(t, opts, func(http.ResponseWriter, *http.Request) {})
			conn, err := dial(s)
			require.NoError(t, err)
			defer conn.Close()
			_, err = io.WriteString(conn, said)
			require.NoError(t, err)
			assert.NoError(t, s.Close())
			_, err = conn.Read(make([]byte, 1))
			assert.Error(t, err)
		}
	})
}

// While a request's body is incomplete, net/http does not notice the end of the
// connection, so the handler's context must end in another way.
func TestCloseEndsHandlersThatLeftTheBodyUnread(t *testing.T) {
	ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
		entered := make(chan struct{})
		s := serve(t, opts, func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		})
		conn, err := dial(s)
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n")
		require.NoError(t, err)
		<-entered
		assert.NoError(t, s.Close())
	})
}

// To a handler, a connection in memory looks like a TCP connection to its server's
// address.
func TestHandlersTakeMemoryForTCP(t *testing.T) {
	ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
		s := serve(t, opts, func(w http.ResponseWriter, r *http.Request) {
			local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			assert.Equal(t, "tcp", local.Network())
			assert.Equal(t, r.Host, local.String())
			remote, err := netip.ParseAddrPort(r.RemoteAddr)
			assert.NoError(t, err)
			assert.True(t, remote.Addr().IsLoopback(), remote)
			fmt.Fprint(w, r.URL.Path)
		})
		_, body, err := get(clientBy(t, s, dial), s.URL+"/path", "")
		require.NoError(t, err)
		assert.Equal(t, "/path", body)
	})
}

// Only requests with the token reach a handler, which does not see it.
func TestServeAdmitsByToken(t *testing.T) {
	s := serve(t, ServeOptions{TCP: true, Token: "secret"}, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "in ", len(r.Header[TokenHeader]))
	})
	c := client(t)
	send := func(token string) (int, string) {
		req, err := http.NewRequest(http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		if token != "" {
			req.Header.Set(TokenHeader, token)
		}
		resp, err := c.Do(req)
		require.NoError(t, err)
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(b)
	}
	status, body := send("secret")
	assert.Equal(t, 200, status)
	assert.Equal(t, "in 0", body)
	for _, wrong := range []string{"", "secre", "secrets"} {
		status, body = send(wrong)
		assert.Equal(t, 403, status)
		assert.Contains(t, body, "load test")
	}
	assert.Equal(t, int64(3), s.Refused())
}

// A handler learns that its client is gone.
func TestHandlersSeeTheClientGo(t *testing.T) {
	ways(t, func(t *testing.T, opts ServeOptions, dial func(*Server) (net.Conn, error)) {
		entered, ended := make(chan struct{}), make(chan struct{})
		s := serve(t, opts, func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
			close(ended)
		})
		conn, err := dial(s)
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		<-entered
		assert.NoError(t, conn.Close())
		<-ended
	})
}

func TestKnownTakesItsTime(t *testing.T) {
	s := serve(t, ServeOptions{TCP: true}, Known(Timing{Latency: constant(3 * ms)}).ServeHTTP)
	began := time.Now()
	status, _, err := get(client(t), s.URL, "")
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.GreaterOrEqual(t, time.Since(began), 3*ms)
}

func TestServeRefuses(t *testing.T) {
	_, err := Serve(nil, ServeOptions{})
	assert.ErrorContains(t, err, "serving a handler: it is nil")
	_, err = Serve(http.NotFoundHandler(), ServeOptions{Grace: -1})
	assert.ErrorContains(t, err, "Grace -1ns must not be negative")
}
