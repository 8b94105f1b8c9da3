package load

import (
	"sync"
	"time"
)

// A Sleeper waits for the pacer. It belongs to one goroutine, except that Wake may be
// called from any.
type Sleeper interface {
	// Sleep returns when d has passed, and as little later as possible.
	Sleep(d time.Duration)
	// Wake ends the current Sleep and every later one at once.
	Wake()
	// Close releases what the Sleeper holds, after the last Sleep and Wake.
	Close()
}

// A timerSleeper uses the runtime's timers, which are exact in a synctest bubble and
// up to about 1 ms late on Linux and Windows.
type timerSleeper struct {
	awake chan struct{}
	once  sync.Once
}

// NewTimerSleeper returns a Sleeper that works on every system.
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
