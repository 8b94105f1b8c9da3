package target

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func listenRaw(t *testing.T, opts RawOptions) *Raw {
	t.Helper()
	r, err := ListenRaw("127.0.0.1:0", opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func TestRawAnswersNetHTTP(t *testing.T) {
	r := listenRaw(t, RawOptions{Log: 10})
	c := client(t)
	for i := range 3 {
		status, body, err := get(c, r.URL, fmt.Sprintf("run-%012d", i))
		require.NoError(t, err)
		assert.Equal(t, 200, status)
		assert.Equal(t, "hello, world\n", body)
	}
	resp, err := c.Head(r.URL)
	require.NoError(t, err)
	assert.Equal(t, int64(13), resp.ContentLength)
	resp.Body.Close()
	for _, size := range []int{1, 4 << 10, 1 << 20} {
		resp, err := c.Post(r.URL, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		require.NoError(t, err)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		assert.Equal(t, "hello, world\n", string(b), "after a body of %d bytes", size)
		resp.Body.Close()
	}

	arrivals := r.Arrivals()
	require.Len(t, arrivals, 7)
	assert.Equal(t, "run-000000000002", arrivals[2].ID)
	assert.Empty(t, arrivals[3].ID)
	for i, a := range arrivals {
		assert.Positive(t, a.At)
		if i > 0 {
			assert.Greater(t, a.At, arrivals[i-1].At)
		}
	}
	assert.Less(t, arrivals[6].At, time.Since(r.Start))
	assert.EqualValues(t, 7, r.Seen())
	assert.EqualValues(t, 7, r.Served())
}

// Each case is sent in one piece and byte by byte. want must be all that the server
// sends before it closes the connection or, if open is set, leaves it open.
func TestRawReadsRequests(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nhello, world\n"
	last := func(s string) string { return strings.Replace(s, "\r\n", "\r\nConnection: close\r\n", 1) }
	for _, c := range []struct {
		name, send, want string
		open             bool
	}{
		{"two at once", "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", ok + ok, true},
		{"a body and the next", "POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nx\r\n\r\nGET / HTTP/1.1\r\n\r\n", ok + ok, true},
		{"close", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", last(ok), false},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", last(ok), false},
		{"HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
			strings.Replace(ok, "\r\n", "\r\nConnection: keep-alive\r\n", 1), true},
		{"HEAD", "HEAD / HTTP/1.1\r\n\r\n", strings.TrimSuffix(ok, "hello, world\n"), true},
		{"chunked is not understood", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
			last(strings.Replace(ok, "200 OK", "411 Length Required", 1)), false},
		{"no HTTP", "hello\r\n\r\n", last(strings.Replace(ok, "200 OK", "400 Bad Request", 1)), false},
		{"an invalid length", "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
			last(strings.Replace(ok, "200 OK", "400 Bad Request", 1)), false},
	} {
		for _, step := range []int{len(c.send), 1} {
			t.Run(fmt.Sprintf("%s by %d", c.name, step), func(t *testing.T) {
				r := listenRaw(t, RawOptions{})
				conn := dial(t, r.Addr)
				for i := 0; i < len(c.send); i += step {
					_, err := io.WriteString(conn, c.send[i:i+step])
					require.NoError(t, err)
				}
				got := make([]byte, len(c.want))
				_, err := io.ReadFull(conn, got)
				require.NoError(t, err, "got %q", got)
				assert.Equal(t, c.want, string(got))
				if c.open {
					_, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
					require.NoError(t, err)
				}
				_, err = conn.Read(got[:1])
				if c.open {
					assert.NoError(t, err)
				} else {
					assert.ErrorIs(t, err, io.EOF)
				}
			})
		}
	}
}

func TestRawHeads(t *testing.T) {
	r := listenRaw(t, RawOptions{Log: 1})
	conn := dial(t, r.Addr)
	head := "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 60<<10) + "\r\nX-Request-Id: " + strings.Repeat("i", 60) + "\r\n\r\n"
	go func() { _, _ = io.WriteString(conn, head) }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, 200, resp.StatusCode, "a long head")
	assert.Equal(t, strings.Repeat("i", 47), r.Arrivals()[0].ID, "a long id is cut")

	conn = dial(t, r.Addr)
	go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 64<<10)) }()
	resp, err = http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, 431, resp.StatusCode, "too long a head")

	conn = dial(t, r.Addr)
	_, err = io.WriteString(conn, "POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
	require.NoError(t, err)
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 100 Continue\r\n", line)
}

// No answer may come before its time, which is computed from the log of arrivals.
// A freeze that begins with the first request delays all of them.
func TestRawAnswersWhenItsTimingSays(t *testing.T) {
	timing := Timing{
		Latency: Latency{points: []point{{0, ms}, {1, 20 * ms}}},
		Seed:    1,
		Freezes: []Freeze{{At: 0, For: 100 * ms}},
	}
	const requests = 50
	r := listenRaw(t, RawOptions{Timing: timing, Log: requests})
	done := make(map[string]time.Duration)
	var mu sync.Mutex
	var wg sync.WaitGroup
	c := client(t)
	for i := range requests {
		wg.Go(func() {
			id := fmt.Sprint("run-", i)
			_, _, err := get(c, r.URL, id)
			assert.NoError(t, err)
			mu.Lock()
			defer mu.Unlock()
			done[id] = time.Since(r.Start)
		})
	}
	wg.Wait()
	arrivals := r.Arrivals()
	require.Len(t, arrivals, requests)
	for n, a := range arrivals {
		due := a.At + timing.Delay(a.At-arrivals[0].At, int64(n))
		assert.GreaterOrEqual(t, done[a.ID], due, a.ID)
		assert.GreaterOrEqual(t, done[a.ID], arrivals[0].At+101*ms, a.ID)
	}
}

func TestRawBehaves(t *testing.T) {
	never := func(int) bool { return false }
	always := func(int) bool { return true }
	for _, c := range []struct {
		name   string
		behave func(n int64, c *RawConn)
		want   []string         // the results of successive requests
		ends   func(i int) bool // whether the connection has ended after request i
	}{
		{"every second fails", func(n int64, c *RawConn) {
			c.Answer([]int{200, 503}[n%2])
		}, []string{"200 OK", "503 Service Unavailable", "200 OK", "503 Service Unavailable"}, never},
		{"no content", func(_ int64, c *RawConn) { c.Answer(204) }, []string{"204 No Content", "204 No Content"}, never},
		{"ends each connection after its second answer", func(n int64, c *RawConn) {
			c.Answer(200)
			if n%2 == 1 {
				c.Close()
			}
		}, []string{"200 OK", "200 OK", "200 OK", "200 OK"}, func(i int) bool { return i%2 == 1 }},
		{"ends within the body", func(_ int64, c *RawConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
			c.Close()
		}, []string{"unexpected EOF", "unexpected EOF"}, always},
		{"ends before an answer", func(_ int64, c *RawConn) { c.Close() }, []string{"unexpected EOF", "unexpected EOF"}, always},
		{"its own bytes, by the id", func(_ int64, c *RawConn) {
			fmt.Fprintf(c, "HTTP/1.1 200 %s\r\nContent-Length: 0\r\n\r\n", c.ID)
		}, []string{"200 id-0", "200 id-1"}, never},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := listenRaw(t, RawOptions{Behave: c.behave})
			conn := dial(t, r.Addr)
			in := bufio.NewReader(conn)
			for i, want := range c.want {
				assert.Contains(t, exchange(conn, in, fmt.Sprint("id-", i)), want, "request %d", i)
				if c.ends(i) {
					_, err := in.ReadByte()
					assert.Error(t, err, "after request %d", i)
					conn = dial(t, r.Addr)
					in = bufio.NewReader(conn)
				}
			}
			assert.EqualValues(t, len(c.want), r.Seen())
		})
	}
}

// exchange returns the response's status line without its version, or the error.
func exchange(conn net.Conn, in *bufio.Reader, id string) string {
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.1\r\nX-Request-Id: %s\r\n\r\n", id); err != nil {
		return err.Error()
	}
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err.Error()
	}
	if _, err = io.Copy(io.Discard, resp.Body); err != nil {
		return err.Error()
	}
	return resp.Status
}

func TestRawClosesWhileRequestsWait(t *testing.T) {
	r := listenRaw(t, RawOptions{Timing: Timing{Latency: constant(time.Hour)}})
	conn := dial(t, r.Addr)
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
	require.NoError(t, err)
	for r.Seen() == 0 {
		runtime.Gosched()
	}
	assert.NoError(t, r.Close())
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
}

func TestRawLogIsBounded(t *testing.T) {
	r := listenRaw(t, RawOptions{Log: 2})
	for range 3 {
		_, _, err := get(client(t), r.URL, "")
		require.NoError(t, err)
	}
	assert.EqualValues(t, 3, r.Seen())
	assert.Len(t, r.Arrivals(), 2)
}

func TestListenRawRefuses(t *testing.T) {
	_, err := ListenRaw("127.0.0.1:0", RawOptions{Log: -1})
	assert.ErrorContains(t, err, "Log -1 must not be negative")
	r := listenRaw(t, RawOptions{})
	_, err = ListenRaw(r.Addr, RawOptions{})
	assert.ErrorContains(t, err, r.Addr, "it is in use")
}

func TestRawAllocatesNothingPerRequest(t *testing.T) {
	r := listenRaw(t, RawOptions{Log: 1000})
	conn := dial(t, r.Addr)
	req := []byte("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-Request-Id: run-000000000001\r\n\r\n")
	buf := make([]byte, 4<<10)
	assert.Zero(t, testing.AllocsPerRun(300, func() {
		_, _ = conn.Write(req)
		_, _ = conn.Read(buf)
	}))
}

func BenchmarkRaw(b *testing.B) {
	r, err := ListenRaw("127.0.0.1:0", RawOptions{Log: 1 << 20})
	require.NoError(b, err)
	defer r.Close()
	conn, err := net.Dial("tcp", r.Addr)
	require.NoError(b, err)
	defer conn.Close()
	req := []byte("GET / HTTP/1.1\r\nHost: x\r\nX-Request-Id: run-000000000001\r\n\r\n")
	buf := make([]byte, 4<<10)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = conn.Write(req)
		_, _ = conn.Read(buf)
	}
}

func BenchmarkParseRawHead(b *testing.B) {
	head := []byte("GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: load-tester/1\r\nAccept: */*\r\nX-Request-Id: run-000000000001\r\n\r\n")
	b.ReportAllocs()
	for b.Loop() {
		parseRawHead(head)
	}
}
