package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// catchSignals delivers the signals that end a run until stop is called. One
// that was ignored from the start stays so, as nohup and background jobs of a
// shell want it.
func catchSignals() (signals <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 4)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(sig) {
			signal.Notify(c, sig)
		}
	}
	return c, func() { signal.Stop(c) }
}

// statusAfter is the exit status after a signal, as shells have it: 128 and its
// number.
func statusAfter(sig os.Signal) int {
	switch sig {
	case syscall.SIGTERM:
		return 143
	case syscall.SIGHUP:
		return 129
	}
	return 130
}

// An interrupter turns the first signal into the end of issuing and the second
// into a cut, and ends the session a moment later if it has not ended by then.
type interrupter struct {
	ctx, cut context.Context
	release  func() // stops honouring signals

	mu    sync.Mutex
	first os.Signal // nil if there was none
	over  bool      // there is nothing left to stop
}

// Times of people.
const (
	// blink is how long a drain may take before a message says so: less is not
	// seen. By then the load has long stopped issuing.
	blink = 50 * time.Millisecond
	// patience is how long something that takes no output is waited for, and how
	// long the signal that ends the session is waited on: with the rest a second.
	patience = 900 * time.Millisecond
)

// interruptible starts to honour signals. If the run has not ended a blink after
// the first, onFirst is called.
func (s *session) interruptible(onFirst func()) *interrupter {
	signals, stop := s.catch()
	ctx, cancel := context.WithCancel(context.Background())
	cut, cutOff := context.WithCancel(context.Background())
	released := make(chan struct{})
	i := &interrupter{ctx: ctx, cut: cut}
	i.release = func() { stop(); close(released); cancel(); cutOff() }
	go func() {
		var draining, late <-chan time.Time
		for {
			select {
			case sig := <-signals:
				switch last := i.add(sig); {
				case !last:
					draining = time.After(blink)
				case late == nil:
					late = time.After(patience)
					cutOff()
				}
				cancel()
			case <-draining:
				i.unlessOver(onFirst)
			case <-late:
				s.gaveUp <- i.end()
				return
			case <-released:
				return
			}
		}
	}()
	return i
}

// add adds a signal. It reports whether that is the last to be waited for.
func (i *interrupter) add(sig os.Signal) (last bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	last = i.over || i.first != nil
	if i.first == nil {
		i.first = sig
	}
	return last
}

// unlessOver calls do if there is still something to stop, and no second signal came.
func (i *interrupter) unlessOver(do func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.over && i.cut.Err() == nil {
		do()
	}
}

// end says that there is nothing left to stop, so that any signal ends the session.
// It returns the first so far, nil if there was none.
func (i *interrupter) end() os.Signal {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.over = true
	return i.first
}
