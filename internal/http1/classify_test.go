package http1

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestClassify(t *testing.T) {
	op := func(what string, err error) error {
		return &net.OpError{Op: what, Net: "tcp", Err: os.NewSyscallError("syscall", err)}
	}
	check := func(want Kind, during Phase, err error, why string) {
		t.Helper()
		got := Classify(err, during)
		assert.Equal(t, want.String(), got.Kind.String(), why)
		assert.Equal(t, err.Error(), got.Error(), "the cause is told as it is")
		assert.ErrorIs(t, got, err)
	}
	check(Resolve, Dialing, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x"}}, "no address")
	check(Resolve, Dialing, &net.DNSError{Err: "i/o timeout", IsTimeout: true}, "a resolver that times out is no connect timeout")
	check(ConnectTimeout, Dialing, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "deadline")
	check(ConnectTimeout, Dialing, context.DeadlineExceeded, "deadline of a context")
	check(ConnectTimeout, Dialing, context.Canceled, "given up because the time is up")
	check(Timeout, Handshaking, context.Canceled, "given up because the time is up")
	check(Timeout, Handshaking, fmt.Errorf("TLS: %w", os.ErrDeadlineExceeded), "connected, then silence")
	check(Timeout, Writing, os.ErrDeadlineExceeded, "deadline")
	check(Timeout, Reading, os.ErrDeadlineExceeded, "deadline")
	check(TLS, Handshaking, errors.New("anything"), "what fails in the handshake is TLS")
	check(TLS, Handshaking, x509.UnknownAuthorityError{}, "certificate")
	check(TLS, Reading, &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, "an alert after the handshake")
	check(TLS, Writing, &net.OpError{Op: "local error", Err: errors.New("tls: bad record MAC")}, "an alert of our own")
	check(TLS, Reading, tls.RecordHeaderError{Msg: "not a record"}, "garbage within TLS")
	check(Closed, Reading, net.ErrClosed, "Close was called")
	check(Closed, Writing, net.ErrClosed, "Close was called")
	check(Write, Writing, errors.New("anything"), "no other word for it")
	check(Reset, Reading, errors.New("anything"), "as abrupt as a reset")
	if runtime.GOOS == "windows" {
		t.Skip("the rest are Unix errors")
	}
	check(ConnectRefused, Dialing, syscall.ECONNREFUSED, "a bare errno, of a raw socket")
	check(ConnectRefused, Dialing, op("dial", syscall.ECONNREFUSED), "as package net wraps it")
	check(ConnectTimeout, Dialing, syscall.ETIMEDOUT, "the kernel gave up before us")
	check(NoFDs, Dialing, op("dial", syscall.EMFILE), "limit of the process")
	check(NoFDs, Dialing, syscall.ENFILE, "limit of the system")
	check(NoPorts, Dialing, syscall.EADDRNOTAVAIL, "no local port left")
	check(Connect, Dialing, syscall.EHOSTUNREACH, "no route")
	check(Connect, Dialing, syscall.ECONNRESET, "not a connection yet")
	check(TLS, Handshaking, syscall.ECONNRESET, "part of the handshake")
	check(Reset, Reading, op("read", syscall.ECONNRESET), "RST")
	check(Reset, Reading, syscall.ECONNABORTED, "RST from outside (ss -K)")
	check(Reset, Writing, syscall.ECONNRESET, "RST")
	check(Reset, Writing, syscall.ECONNABORTED, "RST from outside")
	check(Write, Writing, syscall.EPIPE, "the peer had closed")
	check(Timeout, Reading, syscall.ETIMEDOUT, "retransmission gave up")

	own := &Error{Truncated, errors.New("short")}
	assert.Same(t, own, Classify(own, Reading), "what has a kind keeps it")
}
