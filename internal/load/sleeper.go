package load

import (
	"sync"
	"time"
)

// A Sleeper waits for the pacer. It belongs to one goroutine, but for Wake.
type Sleeper interface {
	// Sleep returns when d has passed, as soon after it as the Sleeper can.
	Sleep(d time.Duration)
	// Wake ends the Sleep under way, and every later one, at once.
	Wake()
	// Close frees what the Sleeper holds, after the last Sleep and Wake.
	Close()
}

// A timerSleeper sleeps on the runtime's timers: exact in a synctest bubble,
// up to about 1 ms late on Linux and Windows.
type timerSleeper struct {
	awake chan struct{}
	once  sync.Once
}

// NewTimerSleeper returns the Sleeper that works everywhere.
func NewTimerSleeper() Sleeper { return &timerSleeper{awake: make(chan struct{})} }

func (s *timerSleeper) Sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.awake:
	}
}

func (s *timerSleeper) Wake() { s.once.Do(func() { close(s.awake) }) }

func (s *timerSleeper) Close() {}
