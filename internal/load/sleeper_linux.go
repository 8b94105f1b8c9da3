package load

import (
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/clock"
)

// A timerfdSleeper waits for a timerfd in the runtime's poller. That is as precise
// as nanosleep in a thread of its own, since both wait for the same kernel timer,
// but it does not occupy a processor of the scheduler, so that in-process handlers
// and the goroutines that the pacer wakes run at once.
//
// It asks to be woken early by the time that waking up usually takes, which it
// learns as it goes, and spins for the rest.
type timerfdSleeper struct {
	file  *os.File
	fd    int
	woken atomic.Bool
	lead  lead
	buf   [8]byte
}

// NewSleeper returns the most precise Sleeper on this system. A sandbox may refuse to
// make a timerfd or to set it; the pacer is then as late as elsewhere.
func NewSleeper() Sleeper {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return NewTimerSleeper()
	}
	if unix.TimerfdSettime(fd, 0, new(unix.ItimerSpec), nil) != nil {
		unix.Close(fd)
		return NewTimerSleeper()
	}
	return &timerfdSleeper{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd}
}

func (s *timerfdSleeper) Sleep(d time.Duration) {
	start := clock.System.Now()
	asked, early := s.lead.ask(d)
	s.wait(asked)
	if !early {
		return
	}
	s.lead.learn(clock.System.Since(start) - asked)
	for left := d - clock.System.Since(start); left > 0 && left <= maxSpin && !s.woken.Load(); {
		left = d - clock.System.Since(start)
	}
}

// wait sleeps for d > 0, plus the time it takes to wake up.
func (s *timerfdSleeper) wait(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if s.woken.Load() || unix.TimerfdSettime(s.fd, 0, &spec, nil) != nil {
		return
	}
	s.file.Read(s.buf[:]) // fails only after Wake
}

func (s *timerfdSleeper) Wake() {
	s.woken.Store(true)
	s.file.SetReadDeadline(time.Unix(1, 0)) // long past
}

func (s *timerfdSleeper) Close() { s.file.Close() }
