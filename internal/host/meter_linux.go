package host

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns the processor time of this process.
func processorTime() (time.Duration, error) { return readClock(unix.CLOCK_PROCESS_CPUTIME_ID) }

// timeOf returns the processor time of any process of this machine, which needs no
// privilege.
func timeOf(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED, in ns
	t, err := readClock(int32(^pid<<3 | sched))
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ESRCH) {
		return 0, errEnded
	}
	return t, err
}

func readClock(id int32) (time.Duration, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(id, &t); err != nil {
		return 0, os.NewSyscallError("clock_gettime", err)
	}
	return time.Duration(t.Nano()), nil
}
