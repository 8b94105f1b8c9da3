package target

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
)

// maxRawHead is the maximum size of a request's head in bytes: twice what nginx
// accepts by default (large_client_header_buffers 4 8k).
const maxRawHead = 64 << 10

// A RawConn is a connection to a [Raw] server, on which [RawOptions.Behave]
// answers one request. Behave may write any bytes to it and close it.
type RawConn struct {
	net.Conn
	ID []byte // the request's X-Request-Id, empty without one; valid until Behave returns

	raw    *Raw
	req    rawRequest
	buf    []byte // received and not yet parsed
	out    []byte // the answer being built
	closed bool
}

// Answer writes a complete response with this status. It closes the connection if
// the request does not allow another one on it.
func (c *RawConn) Answer(status int) {
	c.out = appendResponse(c.out[:0], status, c.req)
	// Counted first, because a client that has the answer expects it to be.
	c.raw.served.Add(1)
	_, err := c.Conn.Write(c.out)
	if err != nil {
		c.raw.served.Add(-1)
	}
	if err != nil || c.req.last {
		c.Close()
	}
}

// Close ends the connection; the next request will not be read.
func (c *RawConn) Close() error {
	c.closed = true
	return c.Conn.Close()
}

// serve answers requests until the connection ends.
func (c *RawConn) serve() {
	r := c.raw
	for !c.closed && c.readHead() {
		n, at, since := r.ledger.arrive(c.req.id)
		if !c.skipBody() {
			break
		}
		if d := r.opts.Timing.Delay(since, n); d > 0 && sleepUntil(r.ctx, at.Add(d)) != nil {
			break
		}
		c.ID = c.req.id
		r.opts.Behave(n, c)
		c.buf = slices.Delete(c.buf, 0, c.req.size)
	}
	c.Conn.Close()
	r.mu.Lock()
	delete(r.conns, c)
	r.mu.Unlock()
}

// readHead reads until buf begins with a complete head, and parses it. It returns
// false if the connection must end.
func (c *RawConn) readHead() bool {
	for {
		if i := bytes.Index(c.buf, []byte("\r\n\r\n")); i >= 0 {
			c.req = parseRawHead(c.buf[:i+4])
			if c.req.refuse != 0 {
				c.Answer(c.req.refuse)
				return false
			}
			return true
		}
		if len(c.buf) > maxRawHead {
			c.req = rawRequest{last: true}
			c.Answer(http.StatusRequestHeaderFieldsTooLarge)
			return false
		}
		if len(c.buf) == cap(c.buf) {
			c.buf = slices.Grow(c.buf, len(c.buf))
		}
		n, err := c.Conn.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		if err != nil {
			return false
		}
	}
}

// skipBody reads and drops the request's body. It returns false if that fails.
func (c *RawConn) skipBody() bool {
	have := min(int64(len(c.buf)-c.req.size), c.req.body)
	c.buf = slices.Delete(c.buf, c.req.size, c.req.size+int(have))
	rest := c.req.body - have
	if rest == 0 {
		return true
	}
	if c.req.expect {
		if _, err := io.WriteString(c.Conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return false
		}
	}
	_, err := io.CopyN(io.Discard, c.Conn, rest)
	return err == nil
}

// A rawRequest is the relevant part of a request's head. It aliases the head.
type rawRequest struct {
	size   int    // of the head in bytes
	id     []byte // X-Request-Id
	body   int64  // Content-Length
	head   bool   // its method is HEAD
	old    bool   // its version is HTTP/1.0
	last   bool   // the connection ends after the answer
	expect bool   // the client waits for 100 (Continue)
	refuse int    // the status of a refusal; 0 if the request is accepted
}

// parseRawHead parses a head that ends with an empty line.
func parseRawHead(b []byte) rawRequest {
	q := rawRequest{size: len(b), head: bytes.HasPrefix(b, []byte("HEAD "))}
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	switch {
	case bytes.HasSuffix(line, []byte(" HTTP/1.1")):
	case bytes.HasSuffix(line, []byte(" HTTP/1.0")):
		q.old, q.last = true, true
	default:
		q.refuse, q.last = http.StatusBadRequest, true
	}
	for {
		i := bytes.IndexByte(rest, '\n')
		if i <= 1 {
			return q
		}
		name, value, _ := bytes.Cut(rest[:i], []byte(":"))
		rest = rest[i+1:]
		q.field(name, bytes.TrimSpace(value))
	}
}

// field records a header field if it is relevant.
func (q *rawRequest) field(name, value []byte) {
	switch len(name) {
	case len("Expect"):
		if bytes.EqualFold(name, []byte("Expect")) {
			q.expect = true
		}
	case len("Connection"):
		if !bytes.EqualFold(name, []byte("Connection")) {
			return
		}
		if bytes.EqualFold(value, []byte("close")) {
			q.last = true
		} else if q.old && bytes.EqualFold(value, []byte("keep-alive")) {
			q.last = false
		}
	case len(requestIDHeader):
		if bytes.EqualFold(name, []byte(requestIDHeader)) {
			q.id = value
		}
	case len("Content-Length"):
		if !bytes.EqualFold(name, []byte("Content-Length")) {
			return
		}
		n, err := strconv.ParseInt(string(value), 10, 64)
		if err != nil || n < 0 {
			q.refuse, q.last = http.StatusBadRequest, true
		}
		q.body = n
	case len("Transfer-Encoding"):
		if bytes.EqualFold(name, []byte("Transfer-Encoding")) {
			q.refuse, q.last = http.StatusLengthRequired, true
		}
	}
}

// rawBody is the body of every answer.
const rawBody = "hello, world\n"

// appendResponse appends a complete response to request q.
func appendResponse(b []byte, status int, q rawRequest) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(status)...)
	b = append(b, "\r\n"...)
	if q.last {
		b = append(b, "Connection: close\r\n"...)
	} else if q.old {
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	// RFC 9112 section 6.3: these end with their head.
	if status < 200 || status == http.StatusNoContent || status == http.StatusNotModified {
		return append(b, "\r\n"...)
	}
	b = append(b, "Content-Type: text/plain\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(rawBody)), 10)
	b = append(b, "\r\n\r\n"...)
	if q.head {
		return b
	}
	return append(b, rawBody...)
}
