package http1

import (
	"errors"

	"github.com/loadtestkit/load-tester/internal/record"
)

// section consumes octets of a status line and header section, or of a trailer
// section, from b and returns how many. A line ends with CRLF or, as RFC 9112
// section 2.2 allows, with LF alone, except the empty line that ends a chunked
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
				if k := p.fields.takeLines(b[i:]); k > 0 {
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
			last := k < len(b)-i
			if last && b[i+k] != ':' {
				return p.unexpected(b, i+k)
			}
			p.fields.name(b[i:i+k], last)
			i += k
			if last {
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
				if i < len(b) && b[i] == '\n' { // the usual case, without another turn
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

// startOctet takes an octet of the empty lines before a status line. RFC 9112
// section 2.2 asks servers to ignore such lines, and some servers send them, too.
// Any other octet is left to the status line. It returns false if c cannot stand
// there.
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

// statusAtOnce is the fast path for a status line that arrives in one piece: it
// does what statusOctet does with statusLen octets at the start of b, or takes
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
// if it cannot stand there (RFC 9112 section 4). Another major version has
// another syntax. Several spaces before the code are accepted, as by net/http.
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

// codeKnown is called when the status code is complete. It returns false if
// that ends the response: there are too many interim ones.
func (p *Parser) codeKnown() bool {
	switch {
	case !isInterim(p.code):
		p.status = p.code
		p.keeps = p.content != nil && p.content.r.wants(p.code)
	case p.interim == maxInterim:
		p.fail(record.TooLarge, errors.New("reading status line: more than 100 interim responses"))
		return false
	}
	return true
}

// isInterim reports whether another response follows one with this code. None
// follows 101, though it was not asked for: the server speaks another protocol
// now.
func isInterim(code int) bool { return 100 <= code && code < 200 && code != 101 }
