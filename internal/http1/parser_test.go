package http1

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nginxResponse is what nginx 1.22 sends for a small file.
const nginxResponse = "HTTP/1.1 200 OK\r\n" +
	"Server: nginx/1.22.1\r\n" +
	"Date: Sun, 22 Nov 2026 20:39:47 GMT\r\n" +
	"Content-Type: text/plain\r\n" +
	"Content-Length: 13\r\n" +
	"Last-Modified: Sun, 22 Nov 2026 20:00:00 GMT\r\n" +
	"Connection: keep-alive\r\n" +
	"ETag: \"6562a1f0-d\"\r\n" +
	"Accept-Ranges: bytes\r\n" +
	"\r\n" +
	"Hello, world\n"

// parserRepeated returns s n times.
func parserRepeated(n int, s string) string { return strings.Repeat(s, n) }

// TestLimits checks each limit at its last octet and one octet beyond.
func TestLimits(t *testing.T) {
	check := func(name, in, want string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Helper()
			var p Parser
			whole := parserRun(t, &p, false, in)
			require.Equal(t, want, whole.String(), whole.text)
			half := parserRun(t, &p, false, in, len(in)/3, len(in)/2)
			assert.Equal(t, whole, half, "in pieces")
		})
	}
	head := func(size int) string { // a header section of that many octets, without a body
		const start, end = ok11 + "A: ", "\r\n" + cl0
		return start + parserRepeated(size-len(start)-len(end), "x") + end
	}
	check("header section", head(maxHead), "200 0 reuse")
	check("header section over", head(maxHead+1), "too_large")
	check("endless line", ok11+"A: "+parserRepeated(maxHead, "x"), "too_large")
	check("endless name", ok11+parserRepeated(maxHead, "x"), "too_large")
	check("endless reason", "HTTP/1.1 200 "+parserRepeated(maxHead, "x"), "too_large")
	check("endless fold", ok11+"A: b\r\n"+parserRepeated(maxHead/4, " c\r\n"), "too_large")
	check("endless fields", ok11+parserRepeated(maxHead/6, "A: b\r\n"), "too_large")
	check("endless space before the code", "HTTP/1.1 "+parserRepeated(maxHead, " "), "too_large")

	interim := func(n int) string { return parserRepeated(n, "HTTP/1.1 100 Continue\r\n\r\n") }
	check("interim responses", interim(maxInterim)+ok11+cl5, "200 5 reuse")
	check("interim responses over", interim(maxInterim+1)+ok11+cl5, "too_large")
	check("101 after them", interim(maxInterim)+"HTTP/1.1 101 Switching Protocols\r\n\r\n", "101 0 close")

	early := func(size int) string { // an interim response of that many octets
		const start, end = "HTTP/1.1 103 Early Hints\r\nA: ", "\r\n\r\n"
		return start + parserRepeated(size-len(start)-len(end), "x") + end
	}
	check("all header sections", parserRepeated(15, early(maxHead))+head(maxHead), "200 0 reuse")
	check("all header sections over", parserRepeated(15, early(maxHead))+early(100)+head(maxHead-99), "too_large")
	check("all header sections filled", parserRepeated(16, early(maxHead))+ok11+cl0, "too_large")

	chunk := func(size int) string { // a chunk line of that many octets
		const start, end = "5;a=", "\r\n"
		return start + parserRepeated(size-len(start)-len(end), "x") + end
	}
	check("chunk line", ch11+chunk(maxChunkLine)+"hello\r\n0\r\n\r\n", "200 5 reuse")
	check("chunk line over", ch11+chunk(maxChunkLine+1)+"hello\r\n0\r\n\r\n", "too_large")
	check("many chunk lines", ch11+parserRepeated(20, chunk(maxChunkLine)+"hello\r\n")+"0\r\n\r\n", "200 100 reuse")
	check("endless size", ch11+parserRepeated(maxChunkLine, "0"), "too_large")
	check("endless space after size", ch11+"5"+parserRepeated(maxChunkLine, " "), "too_large")
	check("last chunk line over", ch11+"0;"+parserRepeated(maxChunkLine, "x")+"\r\n\r\n", "too_large")

	trailers := func(size int) string { // a trailer section of that many octets
		const start, end = "A: ", "\r\n\r\n"
		return start + parserRepeated(size-len(start)-len(end), "x") + end
	}
	check("trailers", ch11+"0\r\n"+trailers(maxTrailers), "200 0 reuse")
	check("trailers over", ch11+"0\r\n"+trailers(maxTrailers+1), "too_large")
	check("endless trailers", ch11+"0\r\n"+parserRepeated(maxTrailers/6, "A: b\r\n")+"A: b\r\n", "too_large")
	check("trailers after a full header section", head(maxHead - 2 - 28)[:maxHead-2-28-len(cl0)]+"Transfer-Encoding: chunked\r\n\r\n0\r\n"+trailers(maxTrailers), "200 0 reuse")
}

// TestDeclaredSize feeds large parts of bodies that declare absurd sizes.
func TestDeclaredSize(t *testing.T) {
	check := func(head string) {
		t.Helper()
		var p Parser
		p.Reset(false)
		_, _, err := p.Feed([]byte(head))
		require.NoError(t, err)
		block := make([]byte, 64<<10)
		got := testing.AllocsPerRun(100, func() {
			n, done, err := p.Feed(block)
			if n != len(block) || done || err != nil {
				t.Errorf("Feed = %d, %v, %v", n, done, err)
			}
		})
		assert.Zero(t, got, "allocations per 64 KiB")
		assert.EqualValues(t, 101*len(block), p.Body())
		var failure *record.Error
		require.ErrorAs(t, p.EOF(), &failure)
		assert.Equal(t, record.Truncated, failure.Kind)
	}
	check(ok11 + "Content-Length: 10737418240\r\n\r\n")
	check(fmt.Sprintf(ok11+"Content-Length: %d\r\n\r\n", int64(math.MaxInt64)))
	check(ch11 + "7fffffffffffffff\r\n")
}

// TestFeedAfterEnd checks that further input does not change the result.
func TestFeedAfterEnd(t *testing.T) {
	var p Parser
	p.Reset(false)
	n, done, err := p.Feed([]byte(ok11 + cl5))
	require.NoError(t, err)
	require.True(t, done)
	require.Equal(t, len(ok11+cl5), n)
	n, done, err = p.Feed([]byte(ok11 + cl5))
	assert.NoError(t, err)
	assert.True(t, done)
	assert.Zero(t, n)
	assert.EqualValues(t, 5, p.Body())
	assert.NoError(t, p.EOF())
	assert.True(t, p.Reusable(), "the end of a connection is for its owner to see")

	p.Reset(false)
	_, _, first := p.Feed([]byte("SSH-2.0"))
	require.Error(t, first)
	n, done, err = p.Feed([]byte(ok11 + cl5))
	assert.Zero(t, n)
	assert.False(t, done)
	assert.Equal(t, first, err)
	assert.Equal(t, first, p.EOF())
}

// TestFeedNothing checks that an empty piece changes nothing, wherever it comes.
func TestFeedNothing(t *testing.T) {
	var p Parser
	p.Reset(false)
	for _, c := range []byte(nginxResponse) {
		n, done, err := p.Feed(nil)
		require.Zero(t, n)
		require.False(t, done)
		require.NoError(t, err)
		_, _, err = p.Feed([]byte{c})
		require.NoError(t, err)
		require.True(t, p.Started())
	}
	p.Reset(false)
	_, _, err := p.Feed(nil)
	require.NoError(t, err)
	assert.False(t, p.Started())
	var failure *record.Error
	require.ErrorAs(t, p.EOF(), &failure)
	assert.Equal(t, record.Closed, failure.Kind)
	assert.False(t, p.Started(), "the end is no octet")
}

// TestStatusKnown checks from when on Status returns the final status.
func TestStatusKnown(t *testing.T) {
	check := func(in string, want int) {
		t.Helper()
		var p Parser
		p.Reset(false)
		_, _, err := p.Feed([]byte(in))
		require.NoError(t, err)
		assert.Equal(t, want, p.Status(), "after %q", in)
	}
	check("HTTP/1.1 20", 0)
	check("HTTP/1.1 200", 0) // a fourth digit would make it another code
	check("HTTP/1.1 200 ", 200)
	check("HTTP/1.1 100 Continue\r\n\r\n", 0)
	check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503\r", 503)
}

// TestMessages shows the messages about servers that do not speak HTTP/1.
func TestMessages(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		var p Parser
		assert.Equal(t, want, parserRun(t, &p, false, in).text)
	}
	check("", "reading response: connection ended before its first byte: EOF")
	check("\x00\x00\x12\x04", `reading status line: unexpected "\x00" at octet 0`)
	check("HTTP/2 200\r\n", `reading status line: unexpected "2" at octet 5`)
	check("HTTP/1.1 2", "reading status line: unexpected EOF")
	check(ok11+"A b\r\n", `reading header section: unexpected " " at octet 18`)
	check(ok11+"A", "reading header section: unexpected EOF")
	check(ok11+"Content-Length: -5\r\n\r\n", "reading header section: Content-Length is not a number")
	check(ok11+"Content-Length: 99999999999999999999\r\n\r\n", "reading header section: Content-Length over 2^63-1")
	check(ok11+"Content-Length: 99999999999999999999\r\nContent-Length: 5\r\n\r\n", "reading header section: Content-Length over 2^63-1")
	check(ok11+"Content-Length: 5, 6\r\n\r\n", "reading header section: Content-Length has two values")
	check(ok11+"Transfer-Encoding: chunked, chunked\r\n\r\n", "reading header section: chunked is applied twice")
	check(ok11+"Transfer-Encoding: chunked;q=1\r\n\r\n", "reading header section: chunked has parameters")
	check(ok11+"Content-Length: 5\r\n\r\nhel", "reading body: 2 octets short: unexpected EOF")
	check(ch11+"5\n", `reading chunk line: unexpected "\n" at octet 48`)
	check(ch11+"5\r\nhel", "reading body: unexpected EOF")
	check(ch11+"0\r\nA", "reading trailer section: unexpected EOF")
	check(ok11+"A: "+parserRepeated(maxHead, "x"), "reading header section: longer than its limit of 65536 octets")
	check(ch11+parserRepeated(maxChunkLine, "0"), "reading chunk line: longer than its limit of 16384 octets")
	check(parserRepeated(101, "HTTP/1.1 100\r\n\r\n"), "reading status line: more than 100 interim responses")
}

// TestTextLen checks every octet at every position in a word of eight.
func TestTextLen(t *testing.T) {
	for c := range 256 {
		for size := range 20 {
			for at := range size {
				b := []byte(parserRepeated(size, "x"))
				b[at] = byte(c)
				want := size
				if c != '\t' && (c < 0x20 || c == 0x7f) {
					want = at
				}
				require.Equal(t, want, textLen(b), "octet %#x at %d of %d", c, at, size)
				for i := at + 1; i < size; i++ { // octets near a limit of the trick behind a hit
					b[i] = "\t\x1f\x20\x7f\x80\xff\x00"[i%7]
				}
				if want == at {
					require.Equal(t, at, textLen(b), "octet %#x at %d of %d", c, at, size)
				}
			}
		}
	}
}

func TestParserAllocatesNothing(t *testing.T) {
	check := func(name, in string) {
		t.Helper()
		b := []byte(in)
		var p Parser
		for _, piece := range []int{len(b), 7, 1} {
			got := testing.AllocsPerRun(100, func() {
				p.Reset(false)
				for rest := b; len(rest) > 0; {
					n, done, err := p.Feed(rest[:min(piece, len(rest))])
					rest = rest[n:]
					if err != nil || done != (len(rest) == 0) {
						t.Errorf("Feed = %d, %v, %v", n, done, err)
					}
				}
			})
			assert.Zero(t, got, "%s, %d octets at a time", name, piece)
		}
	}
	check("nginx", nginxResponse)
	check("chunked", ch11+"5;a=b\r\nhello\r\n0\r\nA: b\r\n\r\n")
	check("interim", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+nginxResponse)
}

// TestParserSize keeps the parser small: there is one for each connection.
func TestParserSize(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(Parser{}), uintptr(256))
}

func BenchmarkParser(b *testing.B) {
	run := func(name, in string) {
		b.Run(name, func(b *testing.B) {
			buf := []byte(in)
			var p Parser
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				p.Reset(false)
				if n, done, err := p.Feed(buf); n != len(buf) || !done || err != nil {
					b.Fatal(n, done, err)
				}
			}
		})
	}
	run("nginx", nginxResponse)
	run("small", ok11+cl5)
	run("chunked", ch11+"d\r\nHello, world\n\r\n0\r\n\r\n")
	run("chunks", ch11+parserRepeated(1000, "10\r\n0123456789abcdef\r\n")+"0\r\n\r\n")
	run("1MiB", ok11+"Content-Length: 1048576\r\n\r\n"+parserRepeated(1<<20, "x"))
}

// A Keep-Alive field says how long a connection may be idle. It is honoured with a
// margin, and garbage in it is ignored, however the octets arrive.
func TestIdleLimit(t *testing.T) {
	for field, want := range map[string]time.Duration{
		"":                              NoLimit,
		"Keep-Alive: timeout=5":         4 * time.Second,
		"Keep-Alive: timeout=1":         800 * time.Millisecond,
		"Keep-Alive: timeout=0":         0,
		"keep-alive: timeout=5, MAX=0":  0,
		"keep-alive: max=9, TimeOut=60": 59 * time.Second,
		"Keep-Alive: timeout = \"10\"":  9 * time.Second,
		"Keep-Alive: timeout=60\r\nKeep-Alive: timeout=5": 4 * time.Second,
		"Keep-Alive: timeout=60,\r\n  max=5":              59 * time.Second,
		"Keep-Alive: timeout=5s":                          NoLimit,
		"Keep-Alive: timeout":                             NoLimit,
		"Keep-Alive: timeout=":                            NoLimit,
		"Keep-Alive: timeouts=5":                          NoLimit,
		"Keep-Alive: a timeout of=5":                      NoLimit,
		"Keep-Alive: 5":                                   NoLimit,
		"Keep-Alivf: timeout=5":                           NoLimit,
	} {
		response := "HTTP/1.1 200 OK\r\n" + field + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n"
		response = strings.Replace(response, "OK\r\n\r\n", "OK\r\n", 1)
		for _, piece := range []int{1, 7, len(response)} {
			var p Parser
			p.Reset(false)
			done := false
			for rest := []byte(response); len(rest) > 0; rest = rest[min(piece, len(rest)):] {
				_, d, err := p.Feed(rest[:min(piece, len(rest))])
				require.NoError(t, err)
				done = d
			}
			require.True(t, done)
			assert.True(t, p.Reusable(), "which is about framing")
			assert.Equal(t, want, p.IdleLimit(), "%q in pieces of %d", field, piece)
		}
	}
	var p Parser
	p.Reset(false)
	_, _, err := p.Feed([]byte("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=99999999999999999999999\r\nContent-Length: 0\r\n\r\n"))
	require.NoError(t, err)
	assert.Greater(t, p.IdleLimit(), 24*time.Hour, "without overflow")
}
