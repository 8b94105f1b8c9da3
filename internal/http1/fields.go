package http1

import (
	"math"
	"time"
)

// A field is a kind of header field. Only those that decide framing and
// persistence are distinguished.
type field uint8

const (
	noField    field = iota // a status line: nothing can be folded onto it
	otherField              // any that decides nothing here
	contentLength
	transferEncoding
	connection
	keepAlive
)

// fieldNamed returns the field with this name, in any case.
func fieldNamed(name []byte) field {
	switch string(name) { // the usual spelling first
	case "Connection":
		return connection
	case "Content-Length":
		return contentLength
	case "Transfer-Encoding":
		return transferEncoding
	}
	switch len(name) {
	case len("connection"): // and of keep-alive
		if equalFold(name, "connection") {
			return connection
		}
		if equalFold(name, "keep-alive") {
			return keepAlive
		}
	case len("content-length"):
		if equalFold(name, "content-length") {
			return contentLength
		}
	case len("transfer-encoding"):
		if equalFold(name, "transfer-encoding") {
			return transferEncoding
		}
	}
	return otherField
}

// A word collects the octets of a name or list member that may arrive in pieces.
// It keeps one octet more than the longest name that matters, so that a longer
// one never equals it.
type word struct {
	n uint8
	b [len("transfer-encoding") + 1]byte
}

func (w *word) add(b []byte)  { w.n += uint8(copy(w.b[w.n:], b)) }
func (w *word) bytes() []byte { return w.b[:w.n] }

// fields holds what the fields of one section say about the message and the
// connection. Values are parsed as they arrive; several lines of one field are
// one value. Whether a bad value matters depends on the status, so it is only
// recorded here.
type fields struct {
	field field // the one whose value is being read, or was last
	word  word  // its name, or the current list member

	// Connection (RFC 9110 section 7.6.1).
	close, keepAlive bool

	// Keep-Alive (RFC 2068 section 19.7.1.1).
	bounded bool  // it has a timeout
	timeout int64 // after how many seconds of idleness the server closes the connection
	last    bool  // it has a max of 0: no more requests

	// Transfer-Encoding (RFC 9112 section 6.1).
	coded   bool   // the field is present
	chunked bool   // its last member is chunked
	once    bool   // one of its members is chunked
	badTE   string // why it is invalid; "" if it is valid

	// Of the current list member.
	gap     bool // white space followed its first word
	several bool // it has more than one word, so it is no known name
	params  bool // its parameters have begun
	quoted  bool // inside a quoted string of its parameters
	escaped bool // after a backslash in that string

	// Content-Length (RFC 9110 section 8.6).
	sized  bool   // the field is present
	length int64  // its value
	badCL  string // why it is invalid; "" if it is valid

	// Of the current number.
	digits bool // it has at least one digit
	ended  bool // white space followed its digits
	number int64
}

// takeLines is the fast path: it parses the complete, ordinary field lines at the
// start of b as name, value and endValue would, and returns how many octets they
// took. It stops at a line that is incomplete, malformed or perhaps folded.
func (f *fields) takeLines(b []byte) (n int) {
	for {
		line := b[n:]
		colon := tokenLen(line)
		if colon == 0 || colon == len(line) || line[colon] != ':' {
			return n
		}
		end := colon + 1 + textLen(line[colon+1:])
		if len(line)-end < 3 || line[end] != '\r' || line[end+1] != '\n' {
			return n
		}
		if next := line[end+2]; next != '\r' && !token[next] {
			return n
		}
		if f.field = fieldNamed(line[:colon]); f.field != otherField {
			f.coded = f.coded || f.field == transferEncoding
			f.value(line[colon+1 : end])
			f.endValue()
			f.field = otherField
		}
		n += end + 2
	}
}

// name takes octets of a field name; last means that they end it.
func (f *fields) name(b []byte, last bool) {
	if !last || f.word.n > 0 {
		f.word.add(b)
		b = f.word.bytes()
	}
	if last {
		f.field = fieldNamed(b)
		f.word.n = 0
		f.coded = f.coded || f.field == transferEncoding
	}
}

// value takes octets of the current field's value. The line breaks of a folded
// value are passed as white space (RFC 9112 section 5.2).
func (f *fields) value(b []byte) {
	switch f.field {
	case contentLength:
		f.lengthValue(b)
	case transferEncoding, connection:
		f.listValue(b)
	case keepAlive:
		f.keepAliveValue(b)
	}
}

// endValue ends the current field's value, if any.
func (f *fields) endValue() {
	switch f.field {
	case contentLength:
		f.endNumber()
	case transferEncoding, connection:
		f.endMember()
	case keepAlive:
		f.endParameter()
	}
}

// lengthValue reads a decimal number, or the same number several times separated
// by commas, which is what proxies make of repeated lines.
func (f *fields) lengthValue(b []byte) {
	for _, c := range b {
		switch {
		case f.badCL != "":
			return
		case '0' <= c && c <= '9' && !f.ended:
			f.digits = true
			d := int64(c - '0')
			if f.number > (math.MaxInt64-d)/10 {
				f.badCL = "Content-Length over 2^63-1"
				return
			}
			f.number = f.number*10 + d
		case c == ' ' || c == '\t':
			f.ended = f.digits
		case c == ',':
			f.endNumber()
		default:
			f.badCL = "Content-Length is not a number"
		}
	}
}

func (f *fields) endNumber() {
	switch {
	case f.badCL != "":
	case !f.digits:
		f.badCL = "Content-Length is not a number"
	case f.sized && f.number != f.length:
		f.badCL = "Content-Length has two values"
	}
	f.sized, f.length = true, f.number
	f.digits, f.ended, f.number = false, false, 0
}

// listValue reads a comma-separated list. Only a transfer coding has parameters,
// and only in their quoted strings does a comma not end the member.
func (f *fields) listValue(b []byte) {
	for i := 0; i < len(b); i++ {
		if !f.params {
			if k := tokenLen(b[i:]); k > 0 {
				f.word.add(b[i : i+k])
				f.several = f.several || f.gap
				if i += k; i == len(b) {
					return
				}
			}
		}
		switch c := b[i]; {
		case f.escaped:
			f.escaped = false
		case f.quoted:
			f.quoted, f.escaped = c != '"', c == '\\'
		case c == ',':
			f.endMember()
		case c == ' ' || c == '\t':
			f.gap = f.word.n > 0
		case f.params:
			f.quoted = c == '"'
		case c == ';' && f.field == transferEncoding:
			f.params = true
		default:
			f.several = true
		}
	}
}

func (f *fields) endMember() {
	name := f.word.bytes()
	if f.several {
		name = name[:0]
	}
	switch {
	case f.field == connection:
		f.close = f.close || equalFold(name, "close")
		f.keepAlive = f.keepAlive || equalFold(name, "keep-alive")
	case f.word.n > 0 || f.several || f.params: // an empty member is ignored
		f.chunked = equalFold(name, "chunked")
		switch {
		case f.chunked && f.params:
			f.badTE = "chunked has parameters"
		case f.chunked && f.once:
			f.badTE = "chunked is applied twice"
		}
		f.once = f.once || f.chunked
	}
	f.word.n = 0
	f.gap, f.several, f.params, f.quoted, f.escaped = false, false, false, false, false
}

// keepAliveValue reads a list such as "timeout=5, max=100". Anything else in it is
// ignored.
func (f *fields) keepAliveValue(b []byte) {
	for _, c := range b {
		switch {
		case c == ',':
			f.endParameter()
		case c == ' ' || c == '\t' || c == '"':
		case c == '=':
			f.params = true
		case !f.params:
			f.word.add([]byte{c})
		case '0' <= c && c <= '9' && f.number <= maxKeepAlive:
			f.digits = true
			f.number = f.number*10 + int64(c-'0')
		case c < '0' || c > '9':
			f.several = true
		}
	}
}

// maxKeepAlive bounds the numbers in a Keep-Alive field: nothing is idle for longer.
const maxKeepAlive = 1e8

func (f *fields) endParameter() {
	if name := f.word.bytes(); f.digits && !f.several {
		switch {
		case equalFold(name, "timeout"):
			f.bounded, f.timeout = true, f.number
		case equalFold(name, "max"):
			f.last = f.number == 0
		}
	}
	f.word.n = 0
	f.params, f.several, f.digits, f.number = false, false, false, 0
}

// idleLimit returns how long the connection may be idle and still be used. It is a
// little shorter than the server's timeout, which begins when the server has sent a
// response and must not end before the next request has reached it.
func (f *fields) idleLimit() time.Duration {
	switch {
	case f.last:
		return 0
	case !f.bounded:
		return NoLimit
	}
	timeout := time.Duration(f.timeout) * time.Second
	return timeout - min(timeout/5, time.Second)
}
