package http1

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// Limits on the framing of a response. A response that exceeds one is TooLarge.
// The body has no limit: it is counted and dropped, and no declared size is ever
// allocated. Clients differ widely: Go accepts 10 MiB of header sections, curl
// 300 KiB, fasthttp 4 KiB; Python and Ruby accept 100 interim responses.
const (
	maxHead      = 64 << 10 // octets of one status line and header section
	maxHeads     = 1 << 20  // octets of all of them in one exchange, including interim ones
	maxInterim   = 100      // interim (1xx) responses before the final one
	maxChunkLine = 16 << 10 // octets of one chunk-size, its extensions and CRLF
	maxTrailers  = 64 << 10 // octets of the trailer section
	maxEmpty     = 8        // empty lines before a status line; real servers send one
)

// A state is the place of the next octet in a response.
type state uint8

const (
	// Within a header or trailer section.
	atStart   state = iota // before the status line, where there may be empty lines
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
	// Elsewhere. From here on the number of octets is not limited.
	inLength  // in a body of known length
	inClose   // in a body that ends with the connection
	inChunk   // in a chunk's data
	atChunkCR // after it
	atChunkLF // after it and CR
	headEnd   // a header section has just ended
	isDone    // the response is complete
	isFailed  // the response has failed
)

// A Parser parses one response, and the interim ones before it, from bytes in
// pieces of any size. It does no I/O, has no clock and keeps only what is
// asked for of the bytes it has consumed, so its memory does not depend on the
// response. The zero value is
// not ready: call Reset. It is not safe for concurrent use.
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
	keeps   bool  // the content of this response is wanted

	idleLimit time.Duration // see IdleLimit

	code   int   // status code of this header section
	status int   // see Status
	octets int64 // octets consumed
	limit  int64 // value of octets at which the section or line is too large
	remain int64 // octets still to come of the body or chunk
	body   int64 // see Body
	err    *record.Error

	fields fields // of this section

	content *content // what is kept of the response; nil keeps nothing
}

// NewParser returns a Parser of responses to r, which keeps of them what r expects
// to be kept. It is not ready before Reset.
func NewParser(r *Request) Parser { return Parser{content: &content{r: r}} }

// Reset prepares p for the next response. head means that the request was HEAD,
// whose response has no body, whatever its fields declare.
func (p *Parser) Reset(head bool) {
	if p.keeps {
		p.content.reset()
	}
	*p = Parser{head: head, limit: maxHead, content: p.content}
}

// Feed consumes bytes that arrived. It returns how many of them belong to this
// response, and whether the response is complete: then b[n:] is surplus. While it
// is incomplete, n is len(b). The error is a *record.Error of the kind Malformed,
// with n octets before the first invalid one, or TooLarge; the connection must
// then be closed. Further calls return the same result.
func (p *Parser) Feed(b []byte) (n int, done bool, err error) {
	p.started = p.started || len(b) > 0
	for n < len(b) && p.state < isDone {
		inHead := p.state < atSize && !p.trailer
		k := p.step(b[n:])
		if p.keeps && inHead {
			p.content.addHead(p.status, b[n:n+k])
		}
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

// step consumes octets from b, which is not empty, at most up to a change of
// state that Feed must see, and returns how many.
func (p *Parser) step(b []byte) int {
	switch s := p.state; {
	case s < inLength:
		b = b[:min(int64(len(b)), p.limit-p.octets)]
		if s < atSize {
			return p.section(b)
		}
		return p.chunkLine(b)
	case s == inClose:
		p.take(b)
		return len(b)
	case s == inLength, s == inChunk:
		return p.data(b)
	default:
		return p.chunkEnd(b)
	}
}

// take counts octets of the body, and keeps them where that is wanted.
func (p *Parser) take(b []byte) {
	p.body += int64(len(b))
	if p.keeps {
		p.content.addBody(b)
	}
}

// EOF is called when the peer has closed its side without a reset. It returns nil
// if the response is complete now, else a *record.Error: Closed before its first
// byte, Truncated after it, or the error that Feed returned.
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

// Started reports whether any byte of this response has arrived, even if only an
// empty line before its status line.
func (p *Parser) Started() bool { return p.started }

// Status returns the status code of the final response, 0 before it is known.
// A code outside 100..599 is returned unchanged.
func (p *Parser) Status() int { return p.status }

// Body returns how many octets of body have arrived, without chunked framing.
func (p *Parser) Body() int64 { return p.body }

// Reusable reports, once the response is complete, whether its framing and
// fields allow another exchange on the connection (RFC 9112 section 9.3).
func (p *Parser) Reusable() bool { return p.state == isDone && p.reuse }

// NoLimit is the time for which a connection may be idle if the server has not said
// when it closes idle ones.
const NoLimit = time.Duration(math.MaxInt64)

// IdleLimit returns, once the response is complete, how long the connection may be
// idle and still be used, by the Keep-Alive field of the response: 0 if it must not
// be used again, else a little less than the server's timeout.
func (p *Parser) IdleLimit() time.Duration { return p.idleLimit }

// fail ends the response with an error, unless it already has one.
func (p *Parser) fail(k record.Kind, err error) {
	if p.err == nil {
		p.state, p.err = isFailed, &record.Error{Kind: k, Err: err}
	}
}
