package http1

// A Parser reads one response, and the interim ones before it, from whatever
// bytes arrive: it is fed, and says "more", "done, n bytes used" or an error.
// It does no I/O, holds no clock and never looks back at bytes it has consumed.
// The zero value is not ready: call Reset. Not safe for concurrent use.
type Parser struct {
	head    bool
	started bool
}

// Reset prepares p for the next response. head says that the request was HEAD,
// whose response has no body whatever its fields declare.
func (p *Parser) Reset(head bool) { *p = Parser{head: head} }

// Feed consumes the bytes that arrived. It returns how many of them belong to
// this response and whether it is complete: then b[n:] is surplus. While it is
// neither complete nor wrong, n is len(b). An error is an *Error of the kind
// Malformed or TooLarge, and the connection must be closed.
func (p *Parser) Feed(b []byte) (n int, done bool, err error) {
	p.started = p.started || len(b) > 0
	return len(b), false, nil
}

// EOF tells p that the peer has ended its side in order. It returns nil if that
// completes the response or it was complete, else an *Error: Closed before its
// first byte, Truncated after.
func (p *Parser) EOF() error { return nil }

// Started reports whether any byte of this response was seen.
func (p *Parser) Started() bool { return p.started }

// Status returns the status code of the final response, 0 before it is known.
// A code outside 100..599 is returned as it came.
func (p *Parser) Status() int { return 0 }

// Body returns how many octets of body have arrived, without their chunked
// framing.
func (p *Parser) Body() int64 { return 0 }

// Reusable reports, once the response is complete, whether its framing and
// fields allow another exchange on the connection.
func (p *Parser) Reusable() bool { return false }
