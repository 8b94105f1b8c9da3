package cli

import (
	"context"
	"os"
	"os/signal"
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
// into a cut.
type interrupter struct {
	ctx, cut context.Context
	first    os.Signal // nil if there was none; to be read once stopped
	stop     chan struct{}
	stopped  chan struct{}
}

// blink is how long a drain may take before a message says so: less is not seen.
// By then the load has long stopped issuing.
const blink = 50 * time.Millisecond

// interruptible starts to honour signals. If the run has not ended a blink after
// the first, onFirst is called.
func interruptible(signals <-chan os.Signal, onFirst func()) *interrupter {
	ctx, cancel := context.WithCancel(context.Background())
	cut, cutOff := context.WithCancel(context.Background())
	i := &interrupter{ctx: ctx, cut: cut, stop: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(i.stopped)
		defer cancel()
		defer cutOff()
		var draining <-chan time.Time
		for {
			select {
			case sig := <-signals:
				if i.first == nil {
					i.first = sig
					cancel()
					draining = time.After(blink)
				} else {
					cutOff()
					draining = nil
				}
			case <-draining:
				onFirst()
			case <-i.stop:
				return
			}
		}
	}()
	return i
}

// end stops honouring signals and returns the first, nil if there was none.
func (i *interrupter) end() os.Signal {
	close(i.stop)
	<-i.stopped
	return i.first
}
