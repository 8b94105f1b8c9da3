package http1

import (
	"syscall"

	"github.com/loadtestkit/load-tester/internal/record"
)

// errnoKinds maps system errors to their kinds, in any phase: those of Winsock
// (winsock2.h), those of the overlapped calls that package net makes (winerror.h),
// and those that Go defines itself.
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
