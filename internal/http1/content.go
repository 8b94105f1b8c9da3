package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
)

// An Expect says what a response has to be to count as a success, and how much of
// each is kept. The zero Expect is any body with a status of 200 to 299, or 304 if
// the request is conditional.
type Expect struct {
	Statuses Statuses // none means those above
	Body     string   // text that the body must contain; "" means anything
	Whole    bool     // header and body of every response are kept
}

const (
	// beginning is how many octets of a body are kept to show them.
	beginning = 200
	// MaxBody is how many octets are kept of a body that is kept whole.
	MaxBody = 1 << 20
)

// setExpect prepares what is kept of responses.
func (r *Request) setExpect(h header) {
	r.expect, r.text = r.spec.Expect, []byte(r.spec.Expect.Body)
	if r.expect.Statuses == (Statuses{}) {
		r.expect.Statuses = h.expectedStatuses()
	}
	r.looks = r.expect.Body != "" || r.expect.Whole
	r.secrets = secretsOf(h.user, &r.target, r.spec.Body)
	r.shown = beginning
	for _, s := range r.secrets {
		r.shown = max(r.shown, beginning+len(s))
	}
}

// Text returns the text that a body must contain, "" for none.
func (r *Request) Text() string { return r.expect.Body }

// Expects reports whether a status means success.
func (r *Request) Expects(status int) bool { return r.expect.Statuses.Contains(status) }

// A content is what is kept of the response on one connection. Of a response that
// was expected it keeps nothing unless that was asked for. Its buffers are made
// when they are first needed and used again for later responses.
type content struct {
	r     *Request
	head  []byte // the header section with at least the line end before it
	body  []byte // the beginning of the body
	size  int64  // of the body so far
	tail  []byte // the last octets of the body, which may begin the text that is looked for
	found bool   // the body contains the text
}

func (c *content) reset() {
	c.head, c.body, c.tail = c.head[:0], c.body[:0], c.tail[:0]
	c.size, c.found = 0, false
}

// addHead takes octets of the header section of a response that is wanted.
func (c *content) addHead(status int, b []byte) {
	if c.r.expect.Whole || status/100 == 3 && status != 304 {
		c.head = append(c.head, b...)
	}
}

// wants reports whether responses of a status are kept: those that are shown,
// checked or followed.
func (r *Request) wants(status int) bool {
	return !r.expect.Statuses.Contains(status) || r.looks
}

// addBody takes octets of the body of a response that is wanted.
func (c *content) addBody(b []byte) {
	most := c.r.shown
	if c.r.expect.Whole {
		most = MaxBody
	}
	c.size += int64(len(b))
	c.body = append(c.body, b[:min(len(b), most-len(c.body))]...)
	c.search(b)
}

// search looks for the text in the next octets of the body.
func (c *content) search(b []byte) {
	text := c.r.expect.Body
	if text == "" || c.found {
		return
	}
	over := len(text) - 1 // octets that may belong to a text that goes on later
	if len(c.tail) > 0 {
		k := len(c.tail)
		c.tail = append(c.tail, b[:min(len(b), over)]...)
		c.found = bytes.Contains(c.tail, c.r.text)
		if len(b) < over {
			c.tail = append(c.tail[:0], c.tail[max(0, len(c.tail)-over):]...)
			return
		}
		c.tail = c.tail[:k]
	}
	c.found = c.found || bytes.Contains(b, c.r.text)
	c.tail = append(c.tail[:0], b[max(0, len(b)-over):]...)
}

// A Message is a response as it arrived. It is valid until the next exchange on
// its connection.
type Message struct {
	Status    int
	Header    http.Header // empty unless it was asked for
	Body      []byte      // without chunked framing; still encoded if it has a Content-Encoding
	Truncated bool        // the body is longer than what is kept
}

// Message returns what was kept of the response that p has parsed.
func (p *Parser) Message() Message {
	c := p.content
	return Message{Status: p.status, Header: c.header(), Body: c.body, Truncated: c.size > int64(len(c.body))}
}

// HasBody reports whether the body contains the text that its request expects.
func (p *Parser) HasBody() bool { return p.content.found || p.content.r.expect.Body == "" }

// header parses the header section.
func (c *content) header() http.Header {
	_, lines, _ := bytes.Cut(bytes.TrimLeft(c.head, "\r\n"), []byte("\n"))
	fields, _ := textproto.NewReader(bufio.NewReader(bytes.NewReader(lines))).ReadMIMEHeader() // what is not a field is left out
	if fields == nil {
		return http.Header{}
	}
	return http.Header(fields)
}
