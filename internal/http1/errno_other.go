//go:build !windows

package http1

import (
	"syscall"

	"github.com/loadtestkit/load-tester/internal/record"
)

// errnoKinds are the system's errors that tell their kind. Linux aborts the
// local side of a connection killed from outside with ECONNABORTED.
var errnoKinds = map[syscall.Errno]record.Kind{
	syscall.ECONNREFUSED:  record.ConnectRefused,
	syscall.EMFILE:        record.NoFDs,
	syscall.ENFILE:        record.NoFDs,
	syscall.EADDRNOTAVAIL: record.NoPorts,
	syscall.ECONNRESET:    record.Reset,
	syscall.ECONNABORTED:  record.Reset,
	syscall.ETIMEDOUT:     record.Timeout,
}
