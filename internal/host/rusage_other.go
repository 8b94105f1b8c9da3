//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package host

import (
	"fmt"
	"runtime"
)

func readRusage() rusage {
	return rusage{err: fmt.Errorf("no getrusage on %s", runtime.GOOS)}
}
