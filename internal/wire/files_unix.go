//go:build unix

package wire

import (
	"math"

	"golang.org/x/sys/unix"
)

// fileLimit returns how many file descriptors the process may have open; ok is
// false if that is not known. The Go runtime has already raised the soft limit to
// the hard one.
func fileLimit() (n int64, ok bool) {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil {
		return 0, false
	}
	return int64(min(uint64(r.Cur), math.MaxInt64)), true
}
