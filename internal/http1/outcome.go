package http1

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// An outcome is what writing a request and reading its response met.
type outcome struct {
	sendErr error // nil if the request went out whole; a timeout if reading was over first
	atEnd   bool  // the connection ended before or with the response
	readErr error // nil if the response is complete
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
		return &Error{Truncated, fmt.Errorf("connection ended without the close_notify of TLS after %d octets of body", c.parser.Body())}
	}
	return nil
}

// failure returns how the exchange failed, nil if it gave a complete response.
// A complete response wins over any trouble with the request (RFC 9112 section
// 9.5), unless it is complete because the connection ended: a reset is no
// orderly end, and the system tells of it once, be it to the writer alone.
func (c *Conn) failure(o outcome) error {
	var sent Kind
	if o.sendErr != nil {
		sent = Classify(o.sendErr, Writing).Kind
	}
	wasReset := o.atEnd && sent == Reset
	if o.readErr == nil && !wasReset {
		return nil
	}
	if c.state.Load() == stateExpired {
		return &Error{Timeout, fmt.Errorf("%s: %w", c.doing(o), os.ErrDeadlineExceeded)}
	}
	if o.readErr == nil {
		return &Error{Reset, fmt.Errorf("%s: %w", c.doing(o), o.sendErr)}
	}
	read := Classify(o.readErr, Reading)
	ended := errors.Is(read, io.EOF) || errors.Is(read, io.ErrUnexpectedEOF)
	switch {
	case ended && wasReset:
		return &Error{Reset, fmt.Errorf("%s: %w", c.doing(o), o.sendErr)}
	case read.Kind == Closed && ended && sent == Write && !c.served:
		return &Error{Write, fmt.Errorf("%s: %w", c.doing(o), o.sendErr)}
	case read.Kind == Closed && ended && c.served:
		return &Error{Closed, fmt.Errorf("kept-alive connection ended before the first byte of the response: %w", io.EOF)}
	case read.Kind == Closed && ended:
		return &Error{Closed, fmt.Errorf("new connection ended before the first byte of the response: %w", io.EOF)}
	case o.readErr == error(read):
		return read // of the parser, which says where
	}
	return &Error{read.Kind, fmt.Errorf("%s: %w", c.doing(o), o.readErr)}
}

// doing says where the exchange was when its connection failed.
func (c *Conn) doing(o outcome) string {
	switch {
	case c.parser.Started():
		return "reading " + c.parser.where()
	case o.sendErr != nil:
		return "writing the request"
	}
	return "waiting for the response"
}
