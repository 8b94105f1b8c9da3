package http1

import "syscall"

// errnoKinds are the system's errors that tell their kind: Winsock's own
// (winsock2.h), those of the overlapped calls package net makes (winerror.h), and
// Go's own for connections that the system knows nothing of.
var errnoKinds = map[syscall.Errno]Kind{
	10061: ConnectRefused, // WSAECONNREFUSED
	1225:  ConnectRefused, // ERROR_CONNECTION_REFUSED
	10024: NoFDs,          // WSAEMFILE
	10048: NoPorts,        // WSAEADDRINUSE: no ephemeral port left
	10049: NoPorts,        // WSAEADDRNOTAVAIL
	10053: Reset,          // WSAECONNABORTED
	10054: Reset,          // WSAECONNRESET
	64:    Reset,          // ERROR_NETNAME_DELETED
	1236:  Reset,          // ERROR_CONNECTION_ABORTED
	10060: Timeout,        // WSAETIMEDOUT
	121:   Timeout,        // ERROR_SEM_TIMEOUT

	syscall.ECONNREFUSED: ConnectRefused,
	syscall.ECONNRESET:   Reset,
}
