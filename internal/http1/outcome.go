package http1

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/loadtestkit/load-tester/internal/record"
)

// An Outcome is what writing a request and reading its response met, on a
// connection of any kind.
type Outcome struct {
	SendErr error // nil if the request went out whole; a timeout if reading was over first
	ReadErr error // nil if the response is complete
	AtEnd   bool  // the connection ended before or with the response
	Expired bool  // the exchange was told to end
	Kept    bool  // the connection had served an exchange before
}

// ended returns what a failed Read makes of the response: nil if it is complete
// because the connection ended in order.
func (c *Conn) ended(err error) error {
	cut := err == io.ErrUnexpectedEOF || err == io.EOF && c.tls != nil && c.tls.cut()
	if err != io.EOF && !cut {
		return err
	}
	if err := c.parser.EOF(); err != nil {
		return err
	}
	if cut {
		return &record.Error{Kind: record.Truncated, Err: fmt.Errorf("connection ended without the close_notify of TLS after %d octets of body", c.parser.Body())}
	}
	return nil
}

// Failure returns how the exchange failed whose response went to p, as an
// *Error; nil if it gave a complete response. Such a response wins over any
// trouble with the request (RFC 9112 section 9.5), unless it is complete because
// the connection ended: a reset is no orderly end, and the system tells of it
// once, be it to the writer alone.
func (o *Outcome) Failure(p *Parser) error {
	var sent record.Kind
	if o.SendErr != nil {
		sent = Classify(o.SendErr, Writing).Kind
	}
	wasReset := o.AtEnd && sent == record.Reset
	if o.ReadErr == nil && !wasReset {
		return nil
	}
	if o.Expired {
		return &record.Error{Kind: record.Timeout, Err: fmt.Errorf("%s: %w", o.doing(p), os.ErrDeadlineExceeded)}
	}
	if o.ReadErr == nil {
		return &record.Error{Kind: record.Reset, Err: fmt.Errorf("%s: %w", o.doing(p), o.SendErr)}
	}
	read := Classify(o.ReadErr, Reading)
	ended := errors.Is(read, io.EOF) || errors.Is(read, io.ErrUnexpectedEOF)
	switch {
	case ended && wasReset:
		return &record.Error{Kind: record.Reset, Err: fmt.Errorf("%s: %w", o.doing(p), o.SendErr)}
	case read.Kind == record.Closed && ended && sent == record.Write && !o.Kept:
		return &record.Error{Kind: record.Write, Err: fmt.Errorf("%s: %w", o.doing(p), o.SendErr)}
	case read.Kind == record.Closed && ended && o.Kept:
		return &record.Error{Kind: record.Closed, Err: fmt.Errorf("kept-alive connection ended before the first byte of the response: %w", io.EOF)}
	case read.Kind == record.Closed && ended:
		return &record.Error{Kind: record.Closed, Err: fmt.Errorf("new connection ended before the first byte of the response: %w", io.EOF)}
	case o.ReadErr == error(read):
		return read // of the parser, which says where
	}
	return &record.Error{Kind: read.Kind, Err: fmt.Errorf("%s: %w", o.doing(p), o.ReadErr)}
}

// Reusable reports whether a connection whose exchange did not fail may serve
// another. surplus is how many octets came after the response.
func (o *Outcome) Reusable(r *Request, p *Parser, surplus int64) bool {
	return o.SendErr == nil && !o.AtEnd && surplus == 0 && r.KeepAlive() && p.Reusable()
}

// doing says where the exchange was when its connection failed.
func (o *Outcome) doing(p *Parser) string {
	switch {
	case p.Started():
		return "reading " + p.where()
	case o.SendErr != nil:
		return "writing the request"
	}
	return "waiting for the response"
}
