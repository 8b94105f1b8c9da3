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

// A behaviour answers request n, counted from 0.
type behaviour func(n int64, c *target.RawConn)

const (
	okHead   = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
	okWhole  = okHead + "hello"
	okHeadCh = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
)

// behaviours are servers that answer requests wrongly, or rightly in ways that
// have misled other load testers. See RFC 9112 for what is what.
var behaviours = map[string]behaviour{
	"well":      func(_ int64, c *target.RawConn) { c.Answer(200) },
	"never":     func(_ int64, c *target.RawConn) { targettest.Hold(c) },
	"garbage":   says("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n"),
	"http2":     says("\x00\x00\x12\x04\x00\x00\x00\x00\x00"),
	"sign":      says("HTTP/1.1 +20 OK\r\nContent-Length: 0\r\n\r\n"),
	"short":     says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"),
	"cut-head":  says("HTTP/1.1 200 OK\r\nContent-Le"),
	"cut-chunk": says(okHeadCh + "5\r\nhello\r\n"),
	"no-answer": says(""),
	"to-close":  says("HTTP/1.1 200 OK\r\n\r\nas long as it lasts"),
	"reset": func(_ int64, c *target.RawConn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
		targettest.Reset(c)
	},
	// A whole second answer follows the first, unasked.
	"surplus": func(_ int64, c *target.RawConn) {
		io.WriteString(c, okWhole+"HTTP/1.1 500 Surplus\r\nContent-Length: 0\r\n\r\n")
	},
	"interim": func(_ int64, c *target.RawConn) {
		io.WriteString(c, strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 20)+"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"+okWhole)
	},
	"interim-endless": endless("", "HTTP/1.1 102 Processing\r\n\r\n"),
	"head-endless":    endless("HTTP/1.1 200 OK\r\n", "X-Endless: 0123456789012345678901234567890123456789\r\n"),
	"line-endless":    endless("HTTP/1.1 200 OK\r\nX-Endless: ", "0123456789"),
	"chunk-endless":   endless(okHeadCh+"5;", "extension"),
	"trailer-endless": endless(okHeadCh+"0\r\n", "X-Endless: 0123456789012345678901234567890123456789\r\n"),
	// 10 GiB are declared, and none comes.
	"huge": func(_ int64, c *target.RawConn) {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\nhello")
		targettest.Hold(c)
	},
	"chunk-huge": func(_ int64, c *target.RawConn) {
		io.WriteString(c, okHeadCh+"280000000\r\nhello")
		targettest.Hold(c)
	},
	"overflow": says("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\nhello"),
	// One octet at a time, each within any timeout between octets.
	"drip-head": drips("HTTP/1.1 200 OK\r\nX-Slow: ", "slow"),
	"drip-body": drips("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "hello"),
	"drip-1xx":  drips("", "HTTP/1.1 102 Processing\r\n\r\n"),
	// It ends each connection in order, right after every 10th answer, without
	// a word about it before.
	"idle-close": func(n int64, c *target.RawConn) {
		io.WriteString(c, okWhole)
		if n%10 == 9 {
			c.Close()
		}
	},
	"switch": func(_ int64, c *target.RawConn) {
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		targettest.Hold(c)
	},
	// Every request has an answer of its own, by its id; some connections end
	// by a reset, some have a stranger's answer after it.
	"own": func(_ int64, c *target.RawConn) {
		_, number, _ := strings.Cut(string(c.ID), "-")
		n, _ := strconv.Atoi(number) // 0 is an answer as good as another
		answer := ownAnswer(n)
		if n%7 == 3 { // in one write, or it could come after the next request
			answer += "HTTP/1.1 200 Surplus\r\nContent-Length: 0\r\n\r\n"
		}
		io.WriteString(c, answer)
		if n%7 == 5 {
			c.Close()
		}
	},
	// The same where every fifth request is cut off within its answer.
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

// says answers with these octets, and ends the connection in order.
func says(answer string) behaviour {
	return func(_ int64, c *target.RawConn) {
		io.WriteString(c, answer)
		c.Close()
	}
}

// endless begins an answer and goes on for ever.
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

// drips begins an answer and goes on for ever with an octet every 5 ms.
func drips(begin, more string) behaviour {
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

// hostile NAME starts a server at $TARGET that behaves as NAME says; one that
// is deaf does not even read its requests, and the gated one answers none until
// the script says open.
func cmdHostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hostile NAME")
	}
	if deaf, ok := deafs[args[0]]; ok {
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
	// Nothing waits for what could not be written: the client has gone.
	r, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Log: 1 << 17, Behave: b})
	ts.Check(err)
	sessionOf(ts).start(ts, raw{r}, r.URL)
}
