package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Phase is what was being done when an error came.
type Phase uint8

const (
	Dialing     Phase = iota // resolving and connecting
	Handshaking              // TLS, on a fresh connection
	Writing                  // the request
	Reading                  // the response
)

// Classify gives an error of the network its kind. err may be what package net
// or crypto/tls returned, or a bare [syscall.Errno] of a raw socket; an *Error
// is returned as it is. The end of the peer's side, io.EOF, is not for Classify
// but for [Parser.EOF].
func Classify(err error, during Phase) *record.Error {
	if known, ok := err.(*record.Error); ok {
		return known
	}
	return &record.Error{Kind: kindOf(err, during), Err: err}
}

func kindOf(err error, during Phase) record.Kind {
	k := errnoOf(err)
	switch {
	case during == Dialing && isResolve(err):
		return record.Resolve
	case k == record.NoFDs, k == record.NoPorts:
		return k
	case k == record.Timeout, isTimeout(err):
		if during == Dialing {
			return record.ConnectTimeout
		}
		return record.Timeout
	}
	switch during {
	case Dialing:
		if k == record.ConnectRefused {
			return k
		}
		return record.Connect
	case Handshaking:
		return record.TLS
	}
	switch {
	case isTLS(err):
		return record.TLS
	case errors.Is(err, net.ErrClosed):
		return record.Closed
	case k == record.Reset:
		return record.Reset
	case during == Writing:
		return record.Write
	}
	// What else breaks a read (no route, network down) ends the connection as
	// abruptly as a reset does; the message has the cause.
	return record.Reset
}

// errnoOf returns the kind of the system's error in err, NoError when there is
// none or it tells nothing without its phase.
func errnoOf(err error) record.Kind {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return record.NoError
	}
	return errnoKinds[errno]
}

func isResolve(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

// isTimeout reports whether a deadline ended it, or the caller's patience: who
// cancels a context does it because the time is up.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &t) && t.Timeout()
}

// isTLS reports whether err is an alert, sent or received, or a record that is
// not TLS. An alert may come with the first read: a TLS 1.3 server judges the
// client's certificate after the handshake is over for the client.
func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var op *net.OpError
	return errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
