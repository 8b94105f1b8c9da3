package http1

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
)

func TestHostile(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\n"
	large := func(s *Spec) { s.Method, s.Body = "POST", make([]byte, 64<<20) }
	inline := func(s *Spec) { s.Method, s.Body = "POST", []byte("body") }
	drip := func(before, drop string) func(*peer) {
		return func(p *peer) {
			p.head()
			p.say(before)
			p.stuck <- struct{}{}
			for p.say(drop) {
			}
		}
	}
	cases := []struct {
		name    string
		edit    func(*Spec)
		serve   func(*peer)
		octets  int64 // of the response that the client has read when it is expired
		want    record.Kind
		message string
		status  int
		why     string
	}{
		{"never reads", large, func(p *peer) { p.stuck <- struct{}{}; <-p.over }, 0, record.Timeout, "writing the request: i/o timeout", 0,
			"the request blocks in our socket"},
		{"never answers", nil, func(p *peer) { p.head(); p.hang() }, 0, record.Timeout, "waiting for the response: i/o timeout", 0,
			"nothing but the deadline can end it"},
		{"never answers a body", inline, func(p *peer) { p.head(); p.body(4); p.hang() }, 0, record.Timeout, "waiting for the response: i/o timeout", 0,
			"nor with a body"},
		{"never answers a large body", large, func(p *peer) { p.head(); p.body(64 << 20); p.hang() }, 0, record.Timeout, "waiting for the response: i/o timeout", 0,
			"the writing is over, the reading is not"},
		{"stalls in head", nil, func(p *peer) { p.head(); p.say(head + "A: b"); p.hang() }, int64(len(head + "A: b")), record.Timeout, "reading header section: i/o timeout", 200,
			"the status is known, the head is not whole"},
		{"stalls in body", nil, func(p *peer) { p.head(); p.say(ok13[:len(ok13)-1]); p.hang() }, int64(len(ok13) - 1), record.Timeout, "reading body: i/o timeout", 200,
			"one octet short is short"},
		{"interim, then stalls", nil, func(p *peer) { p.head(); p.say("HTTP/1.1 100 Continue\r\n\r\n"); p.hang() }, int64(len("HTTP/1.1 100 Continue\r\n\r\n")), record.Timeout, "i/o timeout", 0,
			"an interim response is no response"},
		{"repeats itself", nil, func(p *peer) { p.head(); p.forever("H") }, 0, record.Malformed, "", 0, "HH cannot be HTTP"},
		{"drips a field", nil, drip(head+"A: ", "b"), int64(len(head)) + 10, anyOf, "", 0, "ends by the deadline or by the limit"},
		{"drips a body", nil, drip(head+"Content-Length: 9999999999\r\n\r\n", "b"), 100, record.Timeout, "reading body: i/o timeout", 200,
			"each octet is progress, the deadline is total"},
		{"drips chunks", nil, drip(head+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"), 100, record.Timeout, "i/o timeout", 200,
			"each chunk is progress, the deadline is total"},

		{"endless header", nil, func(p *peer) { p.head(); p.say(head); p.forever("A: b\r\n") }, 0, record.TooLarge, "", 200, "fields"},
		{"endless field", nil, func(p *peer) { p.head(); p.say(head + "A: "); p.forever("b") }, 0, record.TooLarge, "", 200, "one field"},
		{"endless reason", nil, func(p *peer) { p.head(); p.say("HTTP/1.1 200 "); p.forever("OK") }, 0, record.TooLarge, "", 200, "status line"},
		{"endless interim", nil, func(p *peer) { p.head(); p.forever("HTTP/1.1 102 Processing\r\n\r\n") }, 0, record.TooLarge, "", 0, "interim responses"},
		{"endless chunk extension", nil, func(p *peer) {
			p.head()
			p.say(head + "Transfer-Encoding: chunked\r\n\r\n1;")
			p.forever("a")
		}, 0, record.TooLarge, "", 200, "chunk line"},
		{"endless trailer", nil, func(p *peer) {
			p.head()
			p.say(head + "Transfer-Encoding: chunked\r\n\r\n0\r\n")
			p.forever("A: b\r\n")
		}, 0, record.TooLarge, "", 200, "trailer section"},

		{"closes a new connection", nil, func(p *peer) { p.head() }, 0, record.Closed, "new connection ended before the first byte of the response: EOF", 0,
			"not a word"},
		{"closes at once", nil, func(p *peer) {}, 0, anyOf, "", 0, "FIN or RST, as the request came first or not"},
		{"speaks another protocol", nil, func(p *peer) { p.say("SSH-2.0-OpenSSH_9\r\n"); p.head() }, 0, record.Malformed, "", 0,
			"found at the first octet"},
		{"HTTP/2", nil, func(p *peer) { p.head(); p.say("\x00\x00\x12\x04\x00\x00\x00\x00\x00"); p.head() }, 0, record.Malformed, "", 0,
			"a SETTINGS frame is no status line"},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			if tt.edit == nil {
				tt.edit = func(*Spec) {}
			}
			s := serve(t, tt.serve)
			r := s.exchange(t, tt.octets, tt.edit)
			if tt.want == anyOf {
				assert.Error(t, r.Err, tt.why)
				return
			}
			assertKind(t, tt.want, tt.message, r, tt.why)
			assert.Equal(t, tt.status, r.Status, tt.why)
		})
	}
}

// anyOf marks a case whose kind depends on a race.
const anyOf = record.Kinds

// A response cut off by FIN or RST after each of its octets, on a new connection
// and on one that has served a request.
func TestCut(t *testing.T) {
	const length = ok13
	const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n"
	const toEnd = "HTTP/1.1 200 OK\r\n\r\nHello"
	bodyAt := strings.Index(toEnd, "Hello")
	for _, response := range []string{length, chunked, toEnd} {
		for cut := 0; cut <= len(response); cut++ {
			for _, served := range []bool{false, true} {
				for _, reset := range []bool{false, true} {
					s := serve(t, func(p *peer) {
						if served {
							p.head()
							p.say(ok13)
						}
						p.head()
						p.say(response[:cut])
						if reset {
							p.reset()
						}
					})
					c := s.connect(t)
					n := int64(0)
					if served {
						assert.True(t, c.Exchange(n).Reusable)
						n++
					}
					r := c.Exchange(n)
					c.Close()
					why := fmt.Sprintf("%q, served %v, reset %v", response[:cut], served, reset)
					switch {
					case response != toEnd && cut == len(response):
						assertKind(t, record.NoError, "", r, "complete before it ended: "+why)
					case reset:
						assertKind(t, record.Reset, "", r, why)
					case cut == 0 && served:
						assertKind(t, record.Closed, "kept-alive connection ended before the first byte", r, why)
					case cut == 0:
						assertKind(t, record.Closed, "new connection ended before the first byte", r, why)
					case response == toEnd && cut >= bodyAt:
						assertKind(t, record.NoError, "", r, "it ends with the connection: "+why)
						assert.EqualValues(t, cut-bodyAt, r.Body, why)
						assert.False(t, r.Reusable, why)
					default:
						assertKind(t, record.Truncated, "unexpected EOF", r, why)
						assert.Equal(t, 1, strings.Count(r.Err.Error(), "reading"), "%v, %s", r.Err, why)
					}
				}
			}
		}
	}
}

// A response that ends with the connection is not complete if the connection was
// reset, even if only the writer sees the reset and the reader a normal end.
func TestResetSeenByTheWriter(t *testing.T) {
	for _, answer := range []string{"", ok13[:30], "HTTP/1.1 200 OK\r\n\r\nHello"} {
		m := &memConn{answer: answer, step: 1 << 10, end: io.EOF, err: &record.Error{Kind: record.Reset, Err: io.ErrClosedPipe}}
		assertKind(t, record.Reset, "closed pipe", NewConn(m, mustRequest(t, "http://h/")).Exchange(0), answer)
	}
}

func TestEarlyResponse(t *testing.T) {
	const early = "HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge"
	body := make([]byte, 32<<20) // more than the sockets of both ends hold
	post := func(s *Spec) { s.Method, s.Body = "POST", body }
	for _, tt := range []struct {
		name  string
		serve func(*peer)
		why   string
	}{
		{"then reads no more", func(p *peer) { p.head(); p.say(early); <-p.over }, "the writing is stopped"},
		{"then closes", func(p *peer) { p.head(); p.say(early) }, "unread octets turn the close into a reset"},
		{"then resets", func(p *peer) { p.head(); p.body(1 << 20); p.say(early); p.reset() }, "what came before the reset counts"},
		{"before the body", func(p *peer) { p.say(early); p.head(); <-p.over }, "even before it has read a thing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 10 {
				s := serve(t, tt.serve)
				c := s.connect(t, post)
				r := c.Exchange(0)
				assertKind(t, record.NoError, "", r, tt.why)
				assert.Equal(t, 413, r.Status, tt.why)
				assert.EqualValues(t, 5, r.Body, tt.why)
				assert.False(t, r.Reusable, "the request did not go out whole")
				assert.Less(t, r.Sent, int64(len(body)), "the request did not go out whole")
				c.Close()
			}
		})
	}
}

// An interim response does not stop the writing, and neither does an answer that
// arrives before the Write of the last octet returns.
func TestLargeRequestKeepsAlive(t *testing.T) {
	const size = 1 << 20
	s := serve(t, func(p *peer) {
		for p.head() {
			p.say("HTTP/1.1 100 Continue\r\n\r\n")
			if !p.body(size) {
				return
			}
			p.say(ok13)
		}
	})
	c := s.connect(t, func(s *Spec) { s.Method, s.Body = "POST", make([]byte, size) })
	for n := range int64(30) {
		r := c.Exchange(n)
		assertKind(t, record.NoError, "", r)
		assert.True(t, r.Reusable)
		assert.EqualValues(t, len(c.out)+size, r.Sent)
	}
}

// When the peer goes away, the writing of a request ends with the exchange, and
// the writer's goroutine with the connection.
func TestPeerGoesWhileWriting(t *testing.T) {
	s := serve(t, func(p *peer) { p.head(); p.body(100_000) })
	c := s.connect(t, func(s *Spec) { s.Method, s.Body = "POST", make([]byte, 32<<20) })
	r := c.Exchange(0)
	assertKind(t, record.Reset, "", r, "closed with octets unread")
	assert.Less(t, r.Sent, int64(32<<20))
	assert.GreaterOrEqual(t, r.Sent, int64(100_000))
}

// No declared size is allocated, and no body is kept.
func TestHugeBodyUsesNoMemory(t *testing.T) {
	const sent = 64 << 20
	piece := make([]byte, 64<<10)
	for _, framing := range []string{"Content-Length: 10737418240", "Content-Length: 9223372036854775807", "Transfer-Encoding: chunked"} {
		s := serve(t, func(p *peer) {
			p.head()
			p.say("HTTP/1.1 200 OK\r\n" + framing + "\r\n\r\n")
			if strings.HasSuffix(framing, "chunked") {
				p.say("7fffffffffffffff\r\n")
			}
			for range sent / len(piece) {
				p.Write(piece)
			}
		})
		c := s.connect(t)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := c.Exchange(0)
		runtime.ReadMemStats(&after)
		assertKind(t, record.Truncated, "", r, framing)
		assert.EqualValues(t, sent, r.Body, framing)
		// Not closer to nothing, because under the race detector sync.Pool drops
		// items at random.
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(sent/2), "octets allocated, the server's among them: %s", framing)
	}
}

// Few of many connections that wait within a large body hold a large buffer.
func TestLoan(t *testing.T) {
	own := make([]byte, readSize)
	var l loan
	assert.Len(t, l.next(own, false), readSize, "a short read: the rest has yet to arrive")
	assert.Len(t, l.next(own, true), largeRead, "more was there than fitted")
	assert.Len(t, l.next(own, true), largeRead, "and still is")
	assert.Len(t, l.next(own, false), largeRead, "kept while few are out")

	others := make([]loan, maxIdleLent)
	for i := range others {
		others[i].next(own, true)
	}
	assert.Len(t, l.next(own, true), largeRead, "there is more at once")
	assert.Len(t, l.next(own, false), readSize, "given back before the wait")
	assert.Nil(t, l.large)
	for i := range others {
		others[i].end()
	}
	l.end()
	assert.Zero(t, lent.Load())
}

func TestExchangeSetsNoDeadline(t *testing.T) {
	c := NewConn(noDeadlines{&memConn{answer: ok13, step: 1}, t}, mustRequest(t, "http://h/"))
	assert.True(t, c.Exchange(0).Reusable)
}

// noDeadlines fails the test when a deadline is set, because each costs a timer.
type noDeadlines struct {
	*memConn
	t *testing.T
}

func (c noDeadlines) SetDeadline(time.Time) error      { c.t.Error("SetDeadline"); return nil }
func (c noDeadlines) SetReadDeadline(time.Time) error  { c.t.Error("SetReadDeadline"); return nil }
func (c noDeadlines) SetWriteDeadline(time.Time) error { c.t.Error("SetWriteDeadline"); return nil }
