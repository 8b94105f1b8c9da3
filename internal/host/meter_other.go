//go:build !linux

package host

import (
	"errors"
	"runtime"
	"time"
)

// processorTime returns the processor time of this process.
func processorTime() (time.Duration, error) {
	r := readRusage()
	return r.user + r.system, r.err
}

// timeOf returns an error: only Linux is read for other processes.
func timeOf(int) (time.Duration, error) {
	return 0, errors.New("the processor time of another process is not known on " + runtime.GOOS)
}
