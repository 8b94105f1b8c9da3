package http1

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/loadtestkit/load-tester/internal/record"
)

// An Outcome is how writing a request and reading its response went, on any kind
// of connection.
type Outcome struct {
	SendErr error // nil if all of the request was sent; a timeout if the response ended first
	ReadErr error // nil if the response is complete
	AtEnd   bool  // the connection ended before or with the response
	Expired bool  // the exchange was ended by its timeout
	Kept    bool  // the connection had served an exchange before
}

// ended returns the error of a response whose Read failed with err: nil if the
// end of the connection completes it.
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

// Failure returns a *record.Error if the exchange whose response p has parsed
// failed, nil if the response is complete. A complete response counts even if
// sending the request failed (RFC 9112 section 9.5), unless the end of the
// connection is what completed it and the connection was reset: the kernel reports
// a reset only once, possibly only to the writer.
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
		return &record.Error{Kind: record.Timeout, Err: fmt.Errorf("%s: %w", o.stage(p), os.ErrDeadlineExceeded)}
	}
	if o.ReadErr == nil {
		return &record.Error{Kind: record.Reset, Err: fmt.Errorf("%s: %w", o.stage(p), o.SendErr)}
	}
	read := Classify(o.ReadErr, Reading)
	ended := errors.Is(read, io.EOF) || errors.Is(read, io.ErrUnexpectedEOF)
	switch {
	case ended && wasReset:
		return &record.Error{Kind: record.Reset, Err: fmt.Errorf("%s: %w", o.stage(p), o.SendErr)}
	case read.Kind == record.Closed && ended && sent == record.Write && !o.Kept:
		return &record.Error{Kind: record.Write, Err: fmt.Errorf("%s: %w", o.stage(p), o.SendErr)}
	case read.Kind == record.Closed && ended && o.Kept:
		return &record.Error{Kind: record.Closed, Err: fmt.Errorf("kept-alive connection ended before the first byte of the response: %w", io.EOF)}
	case read.Kind == record.Closed && ended:
		return &record.Error{Kind: record.Closed, Err: fmt.Errorf("new connection ended before the first byte of the response: %w", io.EOF)}
	case o.ReadErr == error(read):
		return read // of the parser: it already names the place
	}
	err := o.ReadErr
	if CauseOf(err) == ClientCertificate {
		err = wantsCertificate(err)
	}
	return &record.Error{Kind: read.Kind, Err: fmt.Errorf("%s: %w", o.stage(p), err)}
}

// Reusable reports whether a connection may serve another exchange after one
// that did not fail. surplus is how many octets came after the response.
func (o *Outcome) Reusable(r *Request, p *Parser, surplus int64) bool {
	return o.SendErr == nil && !o.AtEnd && surplus == 0 && r.KeepAlive() && p.Reusable()
}

// Unprocessed reports whether an exchange that failed with err provably was not
// processed, as the server was closing its connection, which it had kept for a while:
// the connection ended before one octet of the response (RFC 9112 section 9.3.1). The
// end of a new one may be the answer.
func (o *Outcome) Unprocessed(p *Parser, err error) bool {
	if !o.Kept || !o.AtEnd || p.Started() {
		return false
	}
	switch Classify(err, Reading).Kind {
	case record.Closed, record.Reset, record.Write:
		return true
	}
	return false
}

// stage describes, for messages, what the exchange was doing when it failed.
func (o *Outcome) stage(p *Parser) string {
	switch {
	case p.Started():
		return "reading " + p.where()
	case o.SendErr != nil:
		return "writing the request"
	}
	return "waiting for the response"
}
