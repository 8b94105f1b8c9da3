package http1

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Field is one header field as the user gave it.
type Field struct{ Name, Value string }

// A Spec describes a request. Only URL and Run are required.
type Spec struct {
	Method      string   // "" means GET
	URL         string   // http or https, as the user gave it
	Header      []Field  // in order; a field with the name of one of ours replaces it
	Without     []string // names of fields of ours that are not sent
	Body        []byte   // not copied: must not change afterwards
	UserAgent   string   // "load-tester/<version>"; "" sends no User-Agent
	Run         string   // run id: request n has the id Run + "-" + n in 12 digits
	Traceparent bool     // also send a W3C traceparent derived from run and n
	NoKeepAlive bool     // Connection: close; a new connection for each request
	Expect      Expect   // of its responses
}

// maxInline is the size in octets up to which head and body are sent in one
// write. Each connection holds its own copy of them; 16 KiB is one TLS record
// (RFC 8446 section 5.1).
const maxInline = 16 << 10

// A Request is the bytes of one request, built once. Each connection has a copy,
// into which only the id is written before each sending. A Request is immutable
// and safe for concurrent use.
type Request struct {
	target
	method  string
	last    bool // the connection ends with the exchange
	run     string
	bytes   []byte
	rest    []byte
	id      int    // offset in bytes of the id's digits; 0 if there is none
	trace   int    // offset in bytes of the trace id; 0 if there is none
	runHash uint64 // of run, never 0

	spec    Spec // that it was made from
	expect  Expect
	text    []byte   // expect.Body
	looks   bool     // something is kept of responses that are expected, too
	shown   int      // octets kept of a body to show its beginning without secrets
	secrets [][]byte // that its fields and URL carry
}

// NewRequest builds the request that s describes. Its error lists everything
// that is wrong with s, one fault per line.
func NewRequest(s Spec) (*Request, error) {
	r := &Request{method: s.Method, last: s.NoKeepAlive, run: s.Run, spec: s}
	if r.method == "" {
		r.method = "GET"
	}
	h := header{user: s.Header, without: s.Without}
	var errs []error
	var err error
	if r.target, err = parseURL(s.URL); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, checkMethod(r.method), checkRun(s.Run), checkValue("user agent", s.UserAgent), h.check(len(s.Body)))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}

	r.setExpect(h)
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\n", r.method, r.path)
	b = h.add(b, "Host", r.hostField)
	if s.UserAgent != "" {
		b = h.add(b, "User-Agent", s.UserAgent)
	}
	b = h.add(b, "Accept", "*/*")
	if r.user != "" {
		b = h.add(b, "Authorization", "Basic "+basic(r.user))
	}
	if !h.replaced("X-Request-Id") {
		b = h.add(b, "X-Request-Id", r.ID(0))
		r.id = len(b) - len("\r\n") - idDigits
	}
	if s.Traceparent && !h.replaced("Traceparent") {
		r.runHash = hashRun(s.Run)
		b = h.add(b, "traceparent", traceparentShape)
		r.trace = len(b) - len("\r\n") - len(traceparentShape) + len("00-")
	}
	if r.last {
		b = h.add(b, "Connection", "close")
	}
	r.last = r.last || hasOption(h.get("Connection"), "close")
	if len(s.Body) > 0 || wantsLength(r.method) {
		b = h.add(b, "Content-Length", strconv.Itoa(len(s.Body)))
	}
	b = h.addUser(b)
	b = append(b, "\r\n"...)
	if len(b)+len(s.Body) <= maxInline {
		b = append(b, s.Body...)
	} else {
		r.rest = s.Body
	}
	r.bytes = b
	return r, nil
}

// URL returns the target as the user gave it, with its secrets hidden.
func (r *Request) URL() string { return r.url }

// ASCIIHost returns the host as it is looked up and sent if the URL has it in
// other letters, such as xn--bcher-kva.example for bücher.example; else "".
func (r *Request) ASCIIHost() string { return r.ascii }

// Method returns the method, such as GET.
func (r *Request) Method() string { return r.method }

// Host returns the host without port and brackets, for DNS and TLS.
// An IPv6 address keeps its zone.
func (r *Request) Host() string { return r.host }

// Port returns the port in decimal, the scheme's default if the URL has none.
func (r *Request) Port() string { return r.port }

// TLS reports whether the scheme is https.
func (r *Request) TLS() bool { return r.tls }

// Head reports whether the method is HEAD, whose response has no body.
func (r *Request) Head() bool { return r.method == "HEAD" }

// KeepAlive reports whether the request allows another one on its connection.
func (r *Request) KeepAlive() bool { return !r.last }

// Bytes returns a copy of the request for one connection to [Patch]: the head
// and, if both together have at most 16 KiB, the body.
//
// [Patch]: Request.Patch
func (r *Request) Bytes() []byte { return bytes.Clone(r.bytes) }

// Rest returns the body if it is not part of Bytes, else nil. It is shared and
// read-only.
func (r *Request) Rest() []byte { return r.rest }

// hasOption reports whether the list of a Connection field contains option.
func hasOption(list, option string) bool {
	for o := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.Trim(o, " \t"), option) {
			return true
		}
	}
	return false
}
