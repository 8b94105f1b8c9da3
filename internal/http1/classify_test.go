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

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
)

func TestClassify(t *testing.T) {
	op := func(what string, err error) error {
		return &net.OpError{Op: what, Net: "tcp", Err: os.NewSyscallError("syscall", err)}
	}
	check := func(want record.Kind, during Phase, err error, why string) {
		t.Helper()
		got := Classify(err, during)
		assert.Equal(t, want.String(), got.Kind.String(), why)
		assert.Equal(t, err.Error(), got.Error(), "the cause is told as it is")
		assert.ErrorIs(t, got, err)
	}
	check(record.Resolve, Dialing, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "x"}}, "no address")
	check(record.Resolve, Dialing, &net.DNSError{Err: "i/o timeout", IsTimeout: true}, "a resolver that times out is no connect timeout")
	check(record.ConnectTimeout, Dialing, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "deadline")
	check(record.ConnectTimeout, Dialing, context.DeadlineExceeded, "deadline of a context")
	check(record.ConnectTimeout, Dialing, context.Canceled, "given up because the time is up")
	check(record.Timeout, Handshaking, context.Canceled, "given up because the time is up")
	check(record.Timeout, Handshaking, fmt.Errorf("TLS: %w", os.ErrDeadlineExceeded), "connected, then silence")
	check(record.Timeout, Writing, os.ErrDeadlineExceeded, "deadline")
	check(record.Timeout, Reading, os.ErrDeadlineExceeded, "deadline")
	check(record.TLS, Handshaking, errors.New("anything"), "what fails in the handshake is TLS")
	check(record.TLS, Handshaking, x509.UnknownAuthorityError{}, "certificate")
	check(record.TLS, Reading, &net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, "an alert after the handshake")
	check(record.TLS, Writing, &net.OpError{Op: "local error", Err: errors.New("tls: bad record MAC")}, "an alert of our own")
	check(record.TLS, Reading, tls.RecordHeaderError{Msg: "not a record"}, "garbage within TLS")
	check(record.Closed, Reading, net.ErrClosed, "Close was called")
	check(record.Closed, Writing, net.ErrClosed, "Close was called")
	check(record.Write, Writing, errors.New("anything"), "no other word for it")
	check(record.Reset, Reading, errors.New("anything"), "as abrupt as a reset")
	if runtime.GOOS == "windows" {
		t.Skip("the rest are Unix errors")
	}
	check(record.ConnectRefused, Dialing, syscall.ECONNREFUSED, "a bare errno, of a raw socket")
	check(record.ConnectRefused, Dialing, op("dial", syscall.ECONNREFUSED), "as package net wraps it")
	check(record.ConnectTimeout, Dialing, syscall.ETIMEDOUT, "the kernel gave up before us")
	check(record.NoFDs, Dialing, op("dial", syscall.EMFILE), "limit of the process")
	check(record.NoFDs, Dialing, syscall.ENFILE, "limit of the system")
	check(record.NoPorts, Dialing, syscall.EADDRNOTAVAIL, "no local port left")
	check(record.Connect, Dialing, syscall.EHOSTUNREACH, "no route")
	check(record.Connect, Dialing, syscall.ECONNRESET, "not a connection yet")
	check(record.TLS, Handshaking, syscall.ECONNRESET, "part of the handshake")
	check(record.Reset, Reading, op("read", syscall.ECONNRESET), "RST")
	check(record.Reset, Reading, syscall.ECONNABORTED, "RST from outside (ss -K)")
	check(record.Reset, Writing, syscall.ECONNRESET, "RST")
	check(record.Reset, Writing, syscall.ECONNABORTED, "RST from outside")
	check(record.Write, Writing, syscall.EPIPE, "the peer had closed")
	check(record.Timeout, Reading, syscall.ETIMEDOUT, "retransmission gave up")

	own := &record.Error{Kind: record.Truncated, Err: errors.New("short")}
	assert.Same(t, own, Classify(own, Reading), "what has a kind keeps it")
}
