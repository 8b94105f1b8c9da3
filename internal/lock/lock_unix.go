//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package lock

import (
	"errors"
	"os"
	"syscall"
)

// NoFollow refuses a symbolic link.
const NoFollow = syscall.O_NOFOLLOW

// system returns the flag for the system: opening a FIFO must not wait for its other
// end.
func system(flag int) int { return flag | syscall.O_NONBLOCK }

// try locks f, unless another process has.
func try(f *os.File) (bool, error) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
