package http1

import (
	"fmt"

	"github.com/loadtestkit/load-tester/internal/record"
)

// unexpected fails p because octet i of b is invalid. It returns i, the number of
// octets that this step consumed.
func (p *Parser) unexpected(b []byte, i int) int {
	p.fail(record.Malformed, fmt.Errorf("reading %s: unexpected %q at octet %d", p.where(), b[i:i+1], p.octets+int64(i)))
	return i
}

// tooLong returns the error for the limit that was exceeded.
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

// where names, for messages, the part that p is reading.
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
