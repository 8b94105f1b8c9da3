package http1

import (
	"syscall"

	"github.com/loadtestkit/load-tester/internal/record"
)

// errnoKinds are the system's errors that tell their kind: Winsock's own
// (winsock2.h), those of the overlapped calls package net makes (winerror.h), and
// Go's own for connections that the system knows nothing of.
var errnoKinds = map[syscall.Errno]record.Kind{
	10061: record.ConnectRefused, // WSAECONNREFUSED
	1225:  record.ConnectRefused, // ERROR_CONNECTION_REFUSED
	10024: record.NoFDs,          // WSAEMFILE
	10048: record.NoPorts,        // WSAEADDRINUSE: no ephemeral port left
	10049: record.NoPorts,        // WSAEADDRNOTAVAIL
	10053: record.Reset,          // WSAECONNABORTED
	10054: record.Reset,          // WSAECONNRESET
	64:    record.Reset,          // ERROR_NETNAME_DELETED
	1236:  record.Reset,          // ERROR_CONNECTION_ABORTED
	10060: record.Timeout,        // WSAETIMEDOUT
	121:   record.Timeout,        // ERROR_SEM_TIMEOUT

	syscall.ECONNREFUSED: record.ConnectRefused,
	syscall.ECONNRESET:   record.Reset,
}
