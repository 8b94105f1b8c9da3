//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package host

import (
	"os"
	"runtime"
	"syscall"
	"time"
)

func readRusage() rusage {
	var ru syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
		return rusage{err: os.NewSyscallError("getrusage", err)}
	}
	rss := int64(ru.Maxrss) // the type differs between systems
	if runtime.GOOS != "darwin" {
		rss *= 1024 // KiB, but bytes on macOS (getrusage(2) of each)
	}
	return rusage{
		user:   time.Duration(ru.Utime.Nano()),
		system: time.Duration(ru.Stime.Nano()),
		maxRSS: rss,
	}
}
