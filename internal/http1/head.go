package http1

import (
	"encoding/binary"
	"math/bits"
)

// section consumes octets of a status line and header section, or of a trailer
// section, from b and returns how many. A line ends with CRLF or, as RFC 9112
// section 2.2 allows, with LF alone; not so the empty line that ends a chunked
// body.
func (p *Parser) section(b []byte) int {
	i := 0
	for i < len(b) {
		c := b[i]
		switch p.state {
		case atStart, atStartLF:
			if !p.startOctet(c) {
				return p.unexpected(b, i)
			}
			switch {
			case p.state != inStatus:
				i++
			case p.statusAtOnce(b[i:]):
				i += statusLen
			}

		case inStatus:
			if !p.statusOctet(c) {
				return p.unexpected(b, i)
			}
			i++

		case afterCode:
			if c != ' ' && c != '\r' && c != '\n' {
				return p.unexpected(b, i)
			}
			if !p.codeKnown() {
				return i
			}
			p.state = inText // the reason phrase, or the line's end

		case atLine:
			switch {
			case token[c]:
				p.fields.endValue()
				if k := p.fields.whole(b[i:]); k > 0 {
					i += k
				} else {
					p.state = inName
				}
			case c == '\r':
				p.state = atEndLF
				i++
			case c == '\n' && !p.trailer:
				return p.endSection(i)
			case (c == ' ' || c == '\t') && p.fields.field != noField:
				p.state = inText // obs-fold: white space within the value
			default:
				return p.unexpected(b, i)
			}

		case inName:
			k := tokenLen(b[i:])
			whole := k < len(b)-i
			if whole && b[i+k] != ':' {
				return p.unexpected(b, i+k)
			}
			p.fields.name(b[i:i+k], whole)
			i += k
			if whole {
				p.state = inText
				i++
			}

		case inText:
			k := textLen(b[i:])
			if p.fields.field > otherField {
				p.fields.value(b[i : i+k])
			}
			i += k
			switch {
			case i == len(b):
			case b[i] == '\n':
				p.state = atLine
				i++
			case b[i] == '\r':
				p.state = atTextLF
				i++
				if i < len(b) && b[i] == '\n' { // the usual end, without a round
					p.state = atLine
					i++
				}
			case b[i] != 0 && p.fields.field == noField:
				i++ // net/http takes any other control character in a reason phrase
			default:
				return p.unexpected(b, i)
			}

		case atTextLF:
			if c != '\n' {
				return p.unexpected(b, i)
			}
			p.state = atLine
			i++

		case atEndLF:
			if c != '\n' {
				return p.unexpected(b, i)
			}
			return p.endSection(i)
		}
	}
	return i
}

// endSection ends a section with the LF at b[i].
func (p *Parser) endSection(i int) int {
	p.state = headEnd
	if p.trailer {
		p.state = isDone
	} else {
		p.fields.endValue()
	}
	return i + 1
}

// startOctet takes an octet of the empty lines before a status line, where RFC
// 9112 section 2.2 asks servers to be tolerant and some servers need it of
// clients. Another octet is left to the status line. It returns false if c does
// not fit.
func (p *Parser) startOctet(c byte) bool {
	switch {
	case c == '\n' && p.empty < maxEmpty:
		p.state = atStart
		p.empty++
	case p.state == atStartLF:
		return false
	case c == '\r' && p.empty < maxEmpty:
		p.state = atStartLF
	default:
		p.state = inStatus
	}
	return true
}

const (
	statusStart = "HTTP/1."
	statusLen   = len("HTTP/1.1 200")
)

// statusAtOnce does what statusOctet does for the usual case of a status line
// that arrives in one piece: it takes statusLen octets at the start of b, or
// none and returns false.
func (p *Parser) statusAtOnce(b []byte) bool {
	if len(b) < statusLen || string(b[:len(statusStart)]) != statusStart || b[8] != ' ' {
		return false
	}
	minor, x, y, z := b[7]-'0', b[9]-'0', b[10]-'0', b[11]-'0'
	if minor > 9 || x > 9 || y > 9 || z > 9 {
		return false
	}
	p.minor, p.code = minor, 100*int(x)+10*int(y)+int(z)
	p.state = afterCode
	return true
}

// statusOctet takes an octet of a status line up to its code and returns false
// if it does not fit (RFC 9112 section 4). Another major version is another
// syntax. More than one space before the code is taken, as net/http does.
func (p *Parser) statusOctet(c byte) bool {
	const minor, space, code = len(statusStart), len(statusStart) + 1, len(statusStart) + 2
	isDigit := '0' <= c && c <= '9'
	switch pos := int(p.pos); {
	case pos < minor:
		if c != statusStart[pos] {
			return false
		}
	case pos == minor:
		if !isDigit {
			return false
		}
		p.minor = c - '0'
	case pos == space:
		if c != ' ' {
			return false
		}
	case pos == code && c == ' ':
		return true
	default:
		if !isDigit {
			return false
		}
		p.code = p.code*10 + int(c-'0')
		if pos == code+2 {
			p.state = afterCode
		}
	}
	p.pos++
	return true
}

// token holds the octets of a token (RFC 9110 section 5.6.2).
var token = func() (t [256]bool) {
	for c := range t {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		t[c] = letter || '0' <= c && c <= '9'
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] = true
	}
	return t
}()

// tokenLen returns how many octets at the start of b belong to a token.
func tokenLen(b []byte) int {
	for i, c := range b {
		if !token[c] {
			return i
		}
	}
	return len(b)
}

// textLen returns how many octets at the start of b may stand in a field value:
// all but control characters other than HTAB. It reads eight at a time.
func textLen(b []byte) int {
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	i := 0
	for ; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		// A byte of below has its high bit set where that of x is less than
		// 0x20, of del where it is 0x7f. A borrow can set more, but only after
		// a true one, and the first is what counts.
		below := (x - 0x20*ones) &^ x
		del := x ^ 0x7f*ones
		del = (del - ones) &^ del
		for hit := (below | del) & high; hit != 0; hit &= hit - 1 {
			at := i + bits.TrailingZeros64(hit)/8
			if c := b[at]; c != '\t' && isControl(c) {
				return at
			}
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c != '\t' && isControl(c) {
			return i
		}
	}
	return i
}

func isControl(c byte) bool { return c < 0x20 || c == 0x7f }
