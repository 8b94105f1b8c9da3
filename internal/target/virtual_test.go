package target

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serveInMemory serves h without a socket, to a client of its own. It may be
// called in a bubble.
func serveInMemory(t *testing.T, h http.HandlerFunc) (*Server, *http.Client) {
	s := serve(t, ServeOptions{}, h)
	return s, clientBy(t, s, func(s *Server) (net.Conn, error) { return s.Dial(t.Context()) })
}

// slow answers after a second.
func slow(w http.ResponseWriter, r *http.Request) {
	time.Sleep(time.Second)
	fmt.Fprint(w, r.URL.Path)
}

func TestVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := serveInMemory(t, slow)
		began := time.Now()
		reused := 0
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
			if i.Reused {
				reused++
			}
		}})
		for range 3 {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/a", strings.NewReader("body"))
			require.NoError(t, err)
			resp, err := c.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			resp.Body.Close()
			assert.Equal(t, "/a", string(body))
		}
		assert.Equal(t, 3*time.Second, time.Since(began))
		assert.Equal(t, 2, reused, "the connection is kept alive")

		time.Sleep(time.Hour) // the idle connection stays open
		_, _, err := get(c, s.URL, "")
		require.NoError(t, err)
		assert.Equal(t, time.Hour+4*time.Second, time.Since(began))
	})
}

// A body larger than the buffer of a connection has to wait for its reader.
func TestVirtualTimeOfLargeBodies(t *testing.T) {
	const size = 1 << 20
	synctest.Test(t, func(t *testing.T) {
		s, c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			n, err := io.Copy(io.Discard, r.Body)
			assert.NoError(t, err)
			assert.EqualValues(t, size, n)
			_, _ = w.Write(make([]byte, size))
		})
		began := time.Now()
		resp, err := c.Post(s.URL, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		require.NoError(t, err)
		defer resp.Body.Close()
		time.Sleep(time.Second)
		n, err := io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		assert.EqualValues(t, size, n)
		assert.Equal(t, 2*time.Second, time.Since(began))
	})
}

func TestVirtualTimeoutsAreExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := serveInMemory(t, slow)
		began := time.Now()
		conn, err := s.Dial(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(999*ms)))
		_, err = conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, 999*ms, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), 10*ms)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		_, err = c.Do(req)
		assert.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 1009*ms, time.Since(began))
	})
	synctest.Test(t, func(t *testing.T) {
		s, c := serveInMemory(t, http.TimeoutHandler(http.HandlerFunc(slow), 100*ms, "too slow").ServeHTTP)
		began := time.Now()
		status, body, err := get(c, s.URL, "")
		require.NoError(t, err)
		assert.Equal(t, 503, status)
		assert.Equal(t, "too slow", body)
		assert.Equal(t, 100*ms, time.Since(began))
		time.Sleep(time.Second) // until slow returns
	})
}

// One second for each of 100 requests, two at a time: 50 s.
func TestVirtualTimeOfAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slots := make(chan struct{}, 2)
		s, c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
			slots <- struct{}{}
			defer func() { <-slots }()
			slow(w, r)
		})
		began := time.Now()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, _, err := get(c, s.URL, "")
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		assert.Equal(t, 50*time.Second, time.Since(began))
	})
}

func TestVirtualTimeOfClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := serveInMemory(t, func(_ http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			time.Sleep(3 * time.Second)
		})
		go func() {
			_, _, err := get(c, s.URL, "")
			assert.Error(t, err)
		}()
		synctest.Wait()
		began := time.Now()
		assert.NoError(t, s.Close())
		assert.Equal(t, 3*time.Second, time.Since(began), "the handler returned within the grace of 5 s")
		_, err := s.Dial(t.Context())
		assert.Error(t, err)
	})
	synctest.Test(t, func(t *testing.T) {
		s, c := serveInMemory(t, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) })
		go func() { _, _, _ = get(c, s.URL, "") }()
		synctest.Wait()
		began := time.Now()
		assert.ErrorContains(t, s.Close(), "1 requests still run 5s after")
		assert.Equal(t, 5*time.Second, time.Since(began))
		time.Sleep(time.Minute)
	})
}

// A handler that calls its own address is refused.
func TestServeWithoutASocket(t *testing.T) {
	files := openFiles()
	other := client(t)
	s, c := serveInMemory(t, func(w http.ResponseWriter, r *http.Request) {
		_, _, err := get(other, "http://"+r.Host, "")
		assert.ErrorContains(t, err, "refused")
		fmt.Fprint(w, r.Host, " ", r.Context().Value(http.LocalAddrContextKey), " ", r.RemoteAddr)
	})
	_, body, err := get(c, s.URL, "")
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:1 127.0.0.1:1 127.0.0.1:1024", body)
	assert.LessOrEqual(t, openFiles(), files)
	_, err = Serve(http.NotFoundHandler(), ServeOptions{TLS: true})
	assert.ErrorContains(t, err, "TLS needs TCP")
}
