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

// A Phase is the part of an exchange in which an error occurred.
type Phase uint8

const (
	Dialing     Phase = iota // resolving and connecting
	Handshaking              // TLS, on a fresh connection
	Writing                  // the request
	Reading                  // the response
)

// Classify returns the kind of a network error, with the error as the cause. err
// may come from package net or crypto/tls, or be the [syscall.Errno] of a raw
// socket; a *record.Error is returned unchanged. Do not pass io.EOF, the end of the
// peer's side: [Parser.EOF] handles it.
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
	// Other read errors (no route, network down) end the connection as abruptly
	// as a reset does. The message gives the cause.
	return record.Reset
}

// errnoOf returns the kind of the system error in err, or NoError if there is none
// or its kind depends on the phase.
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

// isTimeout reports whether a deadline or a canceled context ended the operation:
// callers cancel a context only when the time is up.
func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.As(err, &t) && t.Timeout()
}

// isTLS reports whether err is a TLS alert, sent or received, or data that is not
// TLS. An alert may arrive with the first read, because a TLS 1.3 server checks the
// client's certificate after the client has finished the handshake.
func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var op *net.OpError
	return errors.As(err, &record) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
