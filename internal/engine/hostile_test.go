package engine

import (
	"context"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

const (
	ok3     = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	ok10    = "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n" // and 10 GiB to come
	chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// answer writes s and reads on.
func answer(s string) func(int64, *target.RawConn) {
	return func(_ int64, c *target.RawConn) { io.WriteString(c, s) }
}

// say writes s and holds the connection open.
func say(s string) func(int64, *target.RawConn) {
	return func(_ int64, c *target.RawConn) { io.WriteString(c, s); targettest.Hold(c) }
}

// drip writes s again and again, slowly enough to stay alive.
func drip(first, s string) func(int64, *target.RawConn) {
	return func(_ int64, c *target.RawConn) {
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = io.WriteString(c, s)
			target.Sleep(context.Background(), 20*time.Millisecond)
		}
		c.Close()
	}
}

// flood writes s as often as the client takes it.
func flood(first, s string) func(int64, *target.RawConn) {
	b := []byte(strings.Repeat(s, 1+64<<10/len(s)))
	return func(_ int64, c *target.RawConn) {
		_, err := io.WriteString(c, first)
		for err == nil {
			_, err = c.Write(b)
		}
		c.Close()
	}
}

// reset writes s and resets the connection.
func reset(s string) func(int64, *target.RawConn) {
	return func(_ int64, c *target.RawConn) { io.WriteString(c, s); targettest.Reset(c) }
}

// hostile are servers that answer in a way that no client can use, or should.
var hostile = []struct {
	want   string // error kind, or a status
	behave func(int64, *target.RawConn)
	why    string
}{
	{"timeout", say(""), "never answers"},
	{"timeout", say("HTTP/1.1 200 OK\r\nContent-Le"), "stops within the head"},
	{"timeout", say(ok3[:len(ok3)-1]), "stops before the last octet"},
	{"timeout", say(ok10), "declares 10 GiB and stops"},
	{"timeout", say("HTTP/1.1 200 OK\r\n\r\nto the end"), "close-delimited, and stays open"},
	{"timeout", drip("HTTP/1.1 200 OK\r\n", "X"), "a head, octet by octet"},
	{"timeout", drip(ok10, "x"), "a body, octet by octet"},
	{"timeout", drip(chunked, "1\r\nx\r\n"), "a chunk at a time"},
	{"timeout", drip("", "HTTP/1.1 103 Early Hints\r\n\r\n"), "an interim response at a time re-arms nothing"},
	{"timeout", flood(ok10, "x"), "10 GiB as fast as it can"},
	{"timeout", flood(chunked, "1000\r\n"+strings.Repeat("x", 0x1000)+"\r\n"), "chunks without end"},
	{"too_large", flood("HTTP/1.1 200 OK\r\n", "X: y\r\n"), "a head without end"},
	{"too_large", flood("HTTP/1.1 200 OK\r\nX: ", "x"), "a field without end"},
	{"too_large", flood("", "HTTP/1.1 102 Processing\r\n\r\n"), "interim responses without end"},
	{"too_large", flood(chunked+"1;", "x"), "a chunk extension without end"},
	{"too_large", flood(chunked+"0\r\n", "X: y\r\n"), "a trailer without end"},
	{"malformed", say("SSH-2.0-OpenSSH_9.6\r\n"), "not HTTP"},
	{"malformed", say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "HTTP/2"},
	{"malformed", answer("HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n"), "a status that would look like none"},
	{"malformed", say("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), "a length below zero"},
	{"malformed", say("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n"), "a length past 2^63"},
	{"101", say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "a protocol that was not asked for is a final answer"},
	{"999", answer("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"), "a status out of range is kept"},
	{"001", answer("HTTP/1.1 001 Odd\r\nContent-Length: 0\r\n\r\n"), "a status has three digits"},
	{"closed", func(_ int64, c *target.RawConn) { c.Close() }, "closes instead of answering"},
	{"reset", reset(""), "resets instead of answering"},
}

func TestHostileServers(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		for _, c := range hostile {
			t.Run(c.why, func(t *testing.T) {
				t.Parallel()
				s := raw(t, c.behave)
				o := RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Concurrency: 4}, Portable: portable}, Requests: 4}
				if c.want == "timeout" {
					o.Timeout = 200 * time.Millisecond
				}
				r := run(t, o)
				assert.Equal(t, report.Requests{Due: 4, Sent: 4, Failed: 4, Completed: r.Requests.Completed}, r.Requests)
				sawAll(t, s, r)
				if _, err := strconv.Atoi(c.want); err == nil {
					assert.Equal(t, map[string]int64{c.want: 4}, r.StatusCodes)
				} else {
					assert.Equal(t, map[string]int64{c.want: 4}, kinds(r))
				}
				if c.want == "timeout" {
					assert.GreaterOrEqual(t, *r.FailedTime.Min, o.Timeout)
				}
			})
		}
	})
}

// Nothing is sized by what a server says. Not beside other tests, which allocate
// too.
func TestHostileServersCostNoMemory(t *testing.T) {
	engines(t, func(t *testing.T, portable bool) {
		for _, c := range hostile {
			s := raw(t, c.behave)
			p := newRun(t, RunOptions{
				Target:   Target{URL: s.URL},
				Settings: Settings{Load: Load{Concurrency: 4}, Portable: portable, Timeout: 20 * time.Millisecond},
				Requests: 4,
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := p.Run(t.Context(), t.Context(), nil)
			runtime.ReadMemStats(&after)
			require.NoError(t, err, c.why)
			assert.Equal(t, int64(4), r.Requests.Failed, c.why)
			assert.Less(t, int64(after.TotalAlloc-before.TotalAlloc), int64(8<<20), c.why)
			s.Close()
		}
	})
}

// A server that ends the connection, by reset or in order, after each octet of
// a response.
func TestCutAtEachOffset(t *testing.T) { engines(t, testCutAtEachOffset) }

func testCutAtEachOffset(t *testing.T, portable bool) {
	n := int64(len(ok3))
	for _, end := range []struct {
		name  string
		by    func(*target.RawConn)
		kinds map[string]int64
	}{
		{"reset", targettest.Reset, map[string]int64{"reset": n}},
		{"FIN", func(c *target.RawConn) { c.Close() }, map[string]int64{"closed": 1, "truncated": n - 1}},
	} {
		s := raw(t, func(i int64, c *target.RawConn) {
			io.WriteString(c, ok3[:i])
			end.by(c)
		})
		// As many permits as requests: none rests before its next one.
		r := run(t, RunOptions{Target: Target{URL: s.URL, RequestOptions: RequestOptions{NoKeepAlive: true}}, Settings: Settings{Load: Load{Concurrency: int(n + 1)}, Portable: portable}, Requests: n + 1})
		assert.Equal(t, end.kinds, kinds(r), end.name)
		assert.Equal(t, int64(1), r.Requests.Succeeded, "%s after the whole response", end.name)
		assert.Equal(t, s.Seen(), reached(r))
		assert.Equal(t, int64(3), r.Bytes.Body, "of the complete one alone")
	}
}

// A second response that was not asked for is never the answer to the next
// request.
func TestSurplusIsNotCredited(t *testing.T) { engines(t, testSurplusIsNotCredited) }

func testSurplusIsNotCredited(t *testing.T, portable bool) {
	const extra = "HTTP/1.1 500 Extra\r\nContent-Length: 0\r\n\r\n"
	check := func(want, connections int64, behave func(int64, *target.RawConn), why string) {
		t.Helper()
		s := raw(t, behave)
		r := run(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Concurrency: 1}, Portable: portable}, Requests: 100})
		assert.Equal(t, map[string]int64{"200": 100}, r.StatusCodes, why)
		assert.Equal(t, want, r.Bytes.Surplus, why)
		assert.Equal(t, connections, r.Generator.ConnectionsOpened, why)
		assert.Equal(t, s.Seen(), reached(r), why)
	}
	check(100*int64(len(extra)), 100, func(_ int64, c *target.RawConn) { io.WriteString(c, ok3+extra) }, "with the response")
	check(0, 1, func(_ int64, c *target.RawConn) { io.WriteString(c, ok3) }, "none")
}

func TestRequestBodies(t *testing.T) { together(t, testRequestBodies) }

func testRequestBodies(t *testing.T, portable bool) {
	body := make([]byte, 8<<20)
	o := RunOptions{Target: Target{RequestOptions: RequestOptions{Method: "POST", Body: body}}, Settings: Settings{Load: Load{Concurrency: 3}, Portable: portable}, Requests: 3}

	s := deafServer(t, "")
	o.Target.URL, o.Timeout = "http://"+s, 500*time.Millisecond
	r := run(t, o)
	assert.Equal(t, map[string]int64{"timeout": 3}, kinds(r), "a server that never reads")
	assert.Less(t, r.Bytes.Sent, int64(3*len(body)))

	s = deafServer(t, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
	o.Target.URL, o.Timeout = "http://"+s, time.Minute
	r = run(t, o)
	assert.Equal(t, map[string]int64{"413": 3}, r.StatusCodes, "an answer before the request is whole")
	assert.Empty(t, r.Errors)
}

// deafServer accepts connections, says s and never reads.
func deafServer(t *testing.T, s string) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			io.WriteString(c, s)
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

// The server closes each connection a moment after every tenth response: the
// client may or may not see that before it sends the next request.
func TestIdleCloseRace(t *testing.T) { engines(t, testIdleCloseRace) }

func testIdleCloseRace(t *testing.T, portable bool) {
	s := raw(t, func(n int64, c *target.RawConn) {
		c.Answer(200)
		if n%10 == 9 {
			c.Close()
		}
	})
	r := run(t, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Concurrency: 8}, Portable: portable}, Requests: 3000})
	tenths := s.Seen() / 10
	k := kinds(r)
	lost := k["closed"] + k["reset"] + k["write"]
	assert.Equal(t, r.Requests.Failed, lost, "no other kind: %v", k)
	assert.LessOrEqual(t, lost, tenths, "no more than were closed")
	assert.Equal(t, r.Requests.Succeeded, s.Seen(), "nothing was sent twice")
	assert.LessOrEqual(t, r.Generator.ConnectionsOpened, tenths+8)
}
