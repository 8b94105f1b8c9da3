package load

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// spinMost is the longest wait that the processor is kept busy for, and
	// leadMost the earliest that waking is asked for: between them they hide
	// how long this machine takes to wake up (here 50 to 80 µs, most of it the
	// idle processor's) at 1 to 2 % of a processor at 1000 arrivals/s. Chosen.
	spinMost = 30 * time.Microsecond
	leadMost = 150 * time.Microsecond
	leadStep = time.Microsecond
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
	lead  time.Duration
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
	switch {
	case d > s.lead+spinMost:
		asked := d - s.lead
		s.wait(asked)
		s.learn(time.Since(start) - asked)
	case d > spinMost:
		s.wait(d)
		return
	}
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

// learn follows the median of how late waking up is.
func (s *timerfdSleeper) learn(late time.Duration) {
	if late > s.lead {
		s.lead = min(s.lead+leadStep, leadMost)
	} else {
		s.lead = max(s.lead-leadStep, 0)
	}
}

func (s *timerfdSleeper) Wake() {
	s.woken.Store(true)
	s.file.SetReadDeadline(time.Unix(1, 0)) // long past
}

func (s *timerfdSleeper) Close() { s.file.Close() }
