package lock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// NoFollow refuses a symbolic link.
const NoFollow = 1 << 30

// system returns the flag for the system, which does not know NoFollow.
func system(flag int) int { return flag &^ NoFollow }

// try locks f, unless another process has. What is locked is an octet far beyond its
// end: nobody else may read or write a locked one.
func try(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
