//go:build !windows

package http1

import (
	"syscall"

	"github.com/loadtestkit/load-tester/internal/record"
)

// errnoKinds maps system errors to their kinds, in any phase. On Linux, a
// connection that another process destroys fails with ECONNABORTED.
var errnoKinds = map[syscall.Errno]record.Kind{
	syscall.ECONNREFUSED:  record.ConnectRefused,
	syscall.EMFILE:        record.NoFDs,
	syscall.ENFILE:        record.NoFDs,
	syscall.EADDRNOTAVAIL: record.NoPorts,
	syscall.ECONNRESET:    record.Reset,
	syscall.ECONNABORTED:  record.Reset,
	syscall.ETIMEDOUT:     record.Timeout,
}
