//go:build unix

package testscripts

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
	"github.com/rogpeppe/go-internal/testscript"
)

// A behaviour responds to request n, counted from 0.
type behaviour func(n int64, c *target.RawConn)

const (
	okHead        = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	okResponse    = okHead + "hello"
	okChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// behaviours are servers that respond incorrectly, or correctly in ways that have
// misled other load testers; see RFC 9112.
var behaviours = map[string]behaviour{
	"well":      func(_ int64, c *target.RawConn) { c.Answer(200) },
	"never":     func(_ int64, c *target.RawConn) { targettest.Hold(c) },
	"garbage":   answers("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
	"http2":     answers("\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
	"sign":      answers("HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n"),
	"short":     answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
	"cut-head":  answers("HTTP/1.1 200 OK\r\nContent-Le"),
	"cut-chunk": answers(okChunkedHead + "5\r\nhello\r\n"),
	"no-answer": answers(""),
	"to-close":  answers("HTTP/1.1 200 OK\r\n\r\nas long as it lasts"),
	"reset": func(_ int64, c *target.RawConn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
		targettest.Reset(c)
	},
	// A second response follows the first, without a request.
	"surplus": func(_ int64, c *target.RawConn) {
		io.WriteString(c, okResponse+"HTTP/1.1 500 Surplus\r\nContent-Length: 0\r\n\r\n")
	},
	"interim": func(_ int64, c *target.RawConn) {
		io.WriteString(c, strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 20)+"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+okResponse)
	},
	"interim-endless": endless("", "HTTP/1.1 102 Processing\r\n\r\n"),
	"head-endless":    endless("HTTP/1.1 200 OK\r\n", "X-Endless: 0123456789012345678901234567890123456789\r\n"),
	"line-endless":    endless("HTTP/1.1 200 OK\r\nX-Endless: ", "0123456789"),
	"chunk-endless":   endless(okChunkedHead+"5;", "extension"),
	"trailer-endless": endless(okChunkedHead+"0\r\n", "X-Endless: 0123456789012345678901234567890123456789\r\n"),
	// 10 GiB are declared and never sent.
	"huge": func(_ int64, c *target.RawConn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\nhello")
		targettest.Hold(c)
	},
	"chunk-huge": func(_ int64, c *target.RawConn) {
		io.WriteString(c, okChunkedHead+"280000000\r\nhello")
		targettest.Hold(c)
	},
	"overflow": answers("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello"),
	// They send one octet at a time, so often that a timeout between octets never expires.
	"drip-head": drip("HTTP/1.1 200 OK\r\nX-Slow: ", "slow"),
	"drip-body": drip("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "hello"),
	"drip-1xx":  drip("", "HTTP/1.1 102 Processing\r\n\r\n"),
	// It closes the connection after every 10th response, without announcing that.
	"idle-close": func(n int64, c *target.RawConn) {
		io.WriteString(c, okResponse)
		if n%10 == 9 {
			c.Close()
		}
	},
	"switch": func(_ int64, c *target.RawConn) {
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		targettest.Hold(c)
	},
	// Every request gets a status of its own, by its id. Some connections are closed
	// after it, some carry another response after it.
	"own": func(_ int64, c *target.RawConn) {
		_, number, _ := strings.Cut(string(c.ID), "-")
		n, _ := strconv.Atoi(number) // 0 will do for another id
		answer := ownAnswer(n)
		if n%7 == 3 { // in one write, or it could arrive after the next request
			answer += "HTTP/1.1 200 Surplus\r\nContent-Length: 0\r\n\r\n"
		}
		io.WriteString(c, answer)
		if n%7 == 5 {
			c.Close()
		}
	},
	// The same, except that every fifth response is cut off by a reset.
	"own-reset": func(_ int64, c *target.RawConn) {
		_, number, _ := strings.Cut(string(c.ID), "-")
		n, _ := strconv.Atoi(number)
		if n%5 == 4 {
			io.WriteString(c, ownAnswer(n)[:20])
			targettest.Reset(c)
			return
		}
		io.WriteString(c, ownAnswer(n))
	},
}

func ownAnswer(n int) string {
	return fmt.Sprintf("HTTP/1.1 %d Own\r\nContent-Length: 5\r\n\r\nhello", 400+n%100)
}

// answers returns a behaviour that sends these octets and closes the connection.
func answers(answer string) behaviour {
	return func(_ int64, c *target.RawConn) {
		io.WriteString(c, answer)
		c.Close()
	}
}

// endless returns a behaviour that begins a response and never ends it.
func endless(begin, more string) behaviour {
	more = strings.Repeat(more, 1+4096/len(more))
	return func(_ int64, c *target.RawConn) {
		_, err := io.WriteString(c, begin)
		for err == nil {
			_, err = io.WriteString(c, more)
		}
		c.Close()
	}
}

// drip returns a behaviour that begins a response and then sends an octet every 5 ms
// for ever.
func drip(begin, more string) behaviour {
	return func(_ int64, c *target.RawConn) {
		_, err := io.WriteString(c, begin)
		for i := 0; err == nil; i++ {
			time.Sleep(5 * time.Millisecond)
			_, err = io.WriteString(c, more[i%len(more):i%len(more)+1])
		}
		c.Close()
	}
}

// raw is a targettest.Raw with the ids of its requests.
type raw struct{ *targettest.Raw }

func (r raw) IDs() (ids []string) {
	for _, a := range r.Arrivals() {
		ids = append(ids, a.ID)
	}
	return ids
}

// hostile NAME starts a server at $TARGET with the behaviour NAME, or the deaf server
// NAME, which does not even read its requests. The one named gated answers no request
// before the command open.
func cmdHostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hostile NAME")
	}
	if deaf, ok := deafServers[args[0]]; ok {
		d, err := listenDeaf(deaf)
		ts.Check(err)
		sessionOf(ts).start(ts, d, "http://"+d.l.Addr().String())
		return
	}
	b, ok := behaviours[args[0]]
	if args[0] == "gated" {
		gate := make(chan struct{})
		sessionOf(ts).gate = sync.OnceFunc(func() { close(gate) })
		b, ok = func(_ int64, c *target.RawConn) { <-gate; c.Answer(200) }, true
	}
	if !ok {
		ts.Fatalf("unknown server %q", args[0])
	}
	// Behaviours ignore write errors: the client has gone.
	r, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Log: 1 << 17, Behave: b})
	ts.Check(err)
	sessionOf(ts).start(ts, raw{r}, r.URL)
}
