package http1

import (
	"fmt"
	"io"

	"github.com/loadtestkit/load-tester/internal/record"
)

// Limits on what frames a response. A response over one of them is TooLarge.
// Its body has none: it is counted and dropped, and no declared number sizes
// anything. Clients differ widely: Go takes 10 MiB of header sections, curl
// 300 KiB, fasthttp 4 KiB; Python and Ruby take 100 interim responses.
const (
	maxHead      = 64 << 10 // octets of one status line and header section
	maxHeads     = 1 << 20  // octets of all of them in one exchange, interim ones too
	maxInterim   = 100      // interim (1xx) responses before the final one
	maxChunkLine = 16 << 10 // octets of one chunk-size, its extensions and CRLF
	maxTrailers  = 64 << 10 // octets of the trailer section
	maxEmpty     = 8        // empty lines before a status line; chosen: one is seen in the wild
)

// A state is where in a response the next octet stands.
type state uint8

const (
	// Within a header or trailer section.
	atStart   state = iota // before the status line, where empty lines may stand
	atStartLF              // after the CR of such an empty line
	inStatus               // from "HTTP/1." to the status code
	afterCode              // after the status code
	atLine                 // at the first octet of a line
	inName                 // in a field name
	inText                 // in the rest of a line
	atTextLF               // after the CR that ends a line
	atEndLF                // after the CR of the empty line that ends the section
	// Within a chunk line.
	atSize   // before the first digit of a chunk size
	inSize   // after it
	afterBWS // after the size and white space
	inExt    // in the chunk extensions
	atSizeLF // after the CR that ends a chunk line
	// Elsewhere: states from here on have no limit on their octets.
	inLength  // in a body of known length
	inClose   // in a body that ends with the connection
	inChunk   // in a chunk's data
	atChunkCR // after it
	atChunkLF // after it and CR
	headEnd   // a header section has just ended
	isDone    // the response is complete
	isFailed  // it cannot become so
)

// A Parser reads one response, and the interim ones before it, from whatever
// bytes arrive: it is fed, and says "more", "done, n bytes used" or an error.
// It does no I/O, holds no clock, never looks back at bytes it has consumed and
// keeps none of them, so its memory does not depend on the response. The zero
// value is not ready: call Reset. Not safe for concurrent use.
type Parser struct {
	state   state
	head    bool  // the request was HEAD
	started bool  // see Started
	trailer bool  // the section is a trailer section
	pos     uint8 // octets seen of "HTTP/1.x NNN"
	empty   uint8 // empty lines before the status line
	interim uint8 // interim responses before this header section
	minor   uint8 // x of HTTP/1.x
	reuse   bool  // see Reusable

	code   int   // status code of this header section
	status int   // see Status
	octets int64 // octets consumed
	limit  int64 // value of octets at which the section or line is too large
	remain int64 // octets still to come of the body or chunk
	body   int64 // see Body
	err    *record.Error

	fields fields // what this header section's fields say
}

// Reset prepares p for the next response. head says that the request was HEAD,
// whose response has no body whatever its fields declare.
func (p *Parser) Reset(head bool) { *p = Parser{head: head, limit: maxHead} }

// Feed consumes the bytes that arrived. It returns how many of them belong to
// this response and whether it is complete: then b[n:] is surplus. While it is
// neither complete nor wrong, n is len(b). An error is an *Error of the kind
// Malformed, with n octets before the first one that cannot fit, or TooLarge;
// the connection must then be closed. Calls after the end return the same end.
func (p *Parser) Feed(b []byte) (n int, done bool, err error) {
	p.started = p.started || len(b) > 0
	for n < len(b) && p.state < isDone {
		k := p.step(b[n:])
		n += k
		p.octets += int64(k)
		switch {
		case p.state == headEnd:
			p.frame()
		case p.state < inLength && p.octets >= p.limit:
			p.fail(record.TooLarge, p.tooLong())
		}
	}
	if p.err != nil {
		return n, false, p.err
	}
	return n, p.state == isDone, nil
}

// step consumes octets from b, which is not empty, up to a change of state that
// Feed must see, and returns how many.
func (p *Parser) step(b []byte) int {
	switch s := p.state; {
	case s < inLength:
		b = b[:min(int64(len(b)), p.limit-p.octets)]
		if s < atSize {
			return p.section(b)
		}
		return p.chunkLine(b)
	case s == inClose:
		p.body += int64(len(b))
		return len(b)
	case s == inLength, s == inChunk:
		return p.data(b)
	default:
		return p.chunkEnd(b)
	}
}

// EOF tells p that the peer has ended its side in order. It returns nil if that
// completes the response or it was complete, else an *Error: Closed before its
// first byte, Truncated after, or what Feed returned.
func (p *Parser) EOF() error {
	switch {
	case p.state == inClose:
		p.state = isDone
	case p.state == isDone:
	case !p.started:
		p.fail(record.Closed, fmt.Errorf("reading response: connection ended before its first byte: %w", io.EOF))
	case p.state == inLength:
		p.fail(record.Truncated, fmt.Errorf("reading body: %d octets short: %w", p.remain, io.ErrUnexpectedEOF))
	default:
		p.fail(record.Truncated, fmt.Errorf("reading %s: %w", p.where(), io.ErrUnexpectedEOF))
	}
	if p.err != nil {
		return p.err
	}
	return nil
}

// Started reports whether any byte of this response was seen, be it only an
// empty line before its status line.
func (p *Parser) Started() bool { return p.started }

// Status returns the status code of the final response, 0 before it is known.
// A code outside 100..599 is returned as it came.
func (p *Parser) Status() int { return p.status }

// Body returns how many octets of body have arrived, without their chunked
// framing.
func (p *Parser) Body() int64 { return p.body }

// Reusable reports, once the response is complete, whether its framing and
// fields allow another exchange on the connection (RFC 9112 section 9.3).
func (p *Parser) Reusable() bool { return p.state == isDone && p.reuse }

// fail ends the response with an error, unless it has one.
func (p *Parser) fail(k record.Kind, err error) {
	if p.err == nil {
		p.state, p.err = isFailed, &record.Error{Kind: k, Err: err}
	}
}

// unexpected fails p because octet i of b, in this step, cannot stand there.
// It returns i, what the step consumed.
func (p *Parser) unexpected(b []byte, i int) int {
	p.fail(record.Malformed, fmt.Errorf("reading %s: unexpected %q at octet %d", p.where(), b[i:i+1], p.octets+int64(i)))
	return i
}

// tooLong says which limit is exceeded.
func (p *Parser) tooLong() error {
	limit := maxHead
	switch {
	case p.state >= atSize:
		limit = maxChunkLine
	case p.trailer:
		limit = maxTrailers
	case p.limit == maxHeads:
		return fmt.Errorf("reading %s: longer than the limit of %d octets for all of them", p.where(), maxHeads)
	}
	return fmt.Errorf("reading %s: longer than its limit of %d octets", p.where(), limit)
}

// where names what p is reading, for messages.
func (p *Parser) where() string {
	switch s := p.state; {
	case s <= afterCode:
		return "status line"
	case s < atSize && p.trailer:
		return "trailer section"
	case s < atSize:
		return "header section"
	case s < inLength:
		return "chunk line"
	default:
		return "body"
	}
}
