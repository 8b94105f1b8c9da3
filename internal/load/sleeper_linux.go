package load

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A timerfdSleeper sleeps on a timerfd in the runtime's own poller. That is as
// precise as a thread of its own in nanosleep, since both wait for the same
// kernel timer, and unlike that thread it holds no processor of the scheduler:
// an in-process handler, and whoever the pacer hands over to, run at once.
//
// It asks to be woken early by what waking usually takes, learning that as it
// goes, and spins for what is left.
type timerfdSleeper struct {
	file  *os.File
	fd    int
	woken atomic.Bool
	lead  lead
	buf   [8]byte
}

// NewSleeper returns the most precise Sleeper of this system.
func NewSleeper() (Sleeper, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("creating the pacer's timer: %w", err)
	}
	return &timerfdSleeper{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd}, nil
}

func (s *timerfdSleeper) Sleep(d time.Duration) {
	start := time.Now()
	asked, early := s.lead.ask(d)
	s.wait(asked)
	if !early {
		return
	}
	s.lead.learn(time.Since(start) - asked)
	for left := d - time.Since(start); left > 0 && left <= spinMost && !s.woken.Load(); {
		left = d - time.Since(start)
	}
}

// wait sleeps for d > 0, and however long waking up takes.
func (s *timerfdSleeper) wait(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if s.woken.Load() || unix.TimerfdSettime(s.fd, 0, &spec, nil) != nil {
		return
	}
	s.file.Read(s.buf[:]) // fails only once woken
}

func (s *timerfdSleeper) Wake() {
	s.woken.Store(true)
	s.file.SetReadDeadline(time.Unix(1, 0)) // long past
}

func (s *timerfdSleeper) Close() { s.file.Close() }
