//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package lock

import (
	"errors"
	"os"
)

// NoFollow refuses a symbolic link.
const NoFollow = 1 << 30

// system returns the flag for the system, which may not know NoFollow.
func system(flag int) int { return flag &^ NoFollow }

// try says that this system locks no files.
func try(*os.File) (bool, error) { return false, errors.ErrUnsupported }
