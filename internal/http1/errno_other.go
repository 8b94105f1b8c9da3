//go:build !windows

package http1

import "syscall"

// errnoKinds are the system's errors that tell their kind. Linux aborts the
// local side of a connection killed from outside with ECONNABORTED.
var errnoKinds = map[syscall.Errno]Kind{
	syscall.ECONNREFUSED:  ConnectRefused,
	syscall.EMFILE:        NoFDs,
	syscall.ENFILE:        NoFDs,
	syscall.EADDRNOTAVAIL: NoPorts,
	syscall.ECONNRESET:    Reset,
	syscall.ECONNABORTED:  Reset,
	syscall.ETIMEDOUT:     Timeout,
}
