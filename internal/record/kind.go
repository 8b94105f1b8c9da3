// Package record holds the measurements of a run's requests: the result of each, and
// all of them together as a record that can be merged with others, saved and read
// back.
package record

import "github.com/loadtestkit/load-tester/internal/unit"

// A Kind is the way in which a request failed to get a complete response. Every such
// request has exactly one.
type Kind uint8

const (
	NoError        Kind = iota // a complete response arrived, whatever its status, and passed its checks
	Resolve                    // the host name has no address
	ConnectRefused             // the peer refused the connection
	ConnectTimeout             // the connection was not made within the request's timeout
	Connect                    // any other failure to connect
	NoFDs                      // no file descriptor left for a connection
	NoPorts                    // no local port left for a connection
	TLS                        // the TLS handshake failed, or a certificate was refused
	Write                      // the request could not be written
	Closed                     // the connection ended before the response's first byte
	Reset                      // the peer reset the connection
	Truncated                  // the connection ended within the response
	Malformed                  // the response is not HTTP/1.x
	TooLarge                   // the response exceeds a limit on its framing, not on its body
	Timeout                    // the response was not complete within the request's timeout
	Check                      // a check of the response failed, or Go code under test returned an error or panicked
	Redirect                   // a redirect that was to be followed leads nowhere
	Kinds                      // number of kinds
)

var kindNames = [Kinds]string{
	"", "resolve", "connect_refused", "connect_timeout", "connect", "no_fds",
	"no_ports", "tls", "write", "closed", "reset", "truncated", "malformed",
	"too_large", "timeout", "check", "redirect",
}

// String returns the kind's name in reports, "" for NoError.
func (k Kind) String() string { return kindNames[k] }

// An Error describes how an exchange failed.
type Error struct {
	Kind Kind
	Err  error // the cause; never nil
}

// Error returns the message of the cause, as a clause: reports go on after it.
func (e *Error) Error() string { return unit.Clause(e.Err.Error()) }

func (e *Error) Unwrap() error { return e.Err }
