package http1

import "math"

// A field is a header field, as far as framing and persistence need to tell
// them apart.
type field uint8

const (
	noField    field = iota // a status line: nothing can be folded onto it
	otherField              // one that decides nothing here
	contentLength
	transferEncoding
	connection
)

// fieldNamed returns which field a name means.
func fieldNamed(name []byte) field {
	switch string(name) { // as most servers write them
	case "Connection":
		return connection
	case "Content-Length":
		return contentLength
	case "Transfer-Encoding":
		return transferEncoding
	}
	switch len(name) {
	case len("connection"):
		if equalFold(name, "connection") {
			return connection
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

// A word keeps the octets of a name or list member that may come in pieces.
// One more than the longest that matters is enough to tell it from them.
type word struct {
	n uint8
	b [len("transfer-encoding") + 1]byte
}

func (w *word) add(b []byte)  { w.n += uint8(copy(w.b[w.n:], b)) }
func (w *word) bytes() []byte { return w.b[:w.n] }

// fields is what the fields of one section say of the message and the
// connection. Values are read as they stream by, a field's over all its lines.
// Whether a bad value matters depends on the status, so it is noted, not acted
// on.
type fields struct {
	field field // the one whose value is being read, or was last
	word  word  // its name, or the list member at hand

	// Connection (RFC 9110 section 7.6.1).
	close, keepAlive bool

	// Transfer-Encoding (RFC 9112 section 6.1).
	coded   bool   // the field is there
	chunked bool   // its last member is chunked
	once    bool   // one of its members is chunked
	badTE   string // why it cannot be decoded, "" if it can

	// Of the list member at hand.
	gap     bool // white space followed its first word
	several bool // it is more than one word, so no name we know
	params  bool // its parameters have begun
	quoted  bool // in a quoted string of theirs
	escaped bool // after a backslash in that

	// Content-Length (RFC 9110 section 8.6).
	sized  bool   // the field is there
	length int64  // what it says
	badCL  string // why it says nothing, "" if it does

	// Of the number at hand.
	digits bool // it has some
	ended  bool // white space followed them
	number int64
}

// whole takes the usual fields at the start of b at once, as name, value and
// endValue would, and returns how many octets they were. It leaves to them all
// that is unusual: what did not arrive whole, is wrong, or may be folded.
func (f *fields) whole(b []byte) (n int) {
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

// name takes octets of a field name; whole says that they end it.
func (f *fields) name(b []byte, whole bool) {
	if !whole || f.word.n > 0 {
		f.word.add(b)
		b = f.word.bytes()
	}
	if whole {
		f.field = fieldNamed(b)
		f.word.n = 0
		f.coded = f.coded || f.field == transferEncoding
	}
}

// value takes octets of the current field's value. White space stands for the
// line breaks of a folded one (RFC 9112 section 5.2).
func (f *fields) value(b []byte) {
	switch f.field {
	case contentLength:
		f.lengthValue(b)
	case transferEncoding, connection:
		f.listValue(b)
	}
}

// endValue ends the current field's value, if there is one.
func (f *fields) endValue() {
	switch f.field {
	case contentLength:
		f.endNumber()
	case transferEncoding, connection:
		f.endMember()
	}
}

// lengthValue reads a decimal number, or the same one several times with
// commas between, as lists of equal lines get joined on their way.
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

// listValue reads a comma-separated list. Only a transfer coding has
// parameters, and only in their quoted strings is a comma not the end.
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
	case f.word.n > 0 || f.several || f.params: // an empty member says nothing
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
