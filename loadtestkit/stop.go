package loadtestkit

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errInterrupt = errors.New("by Ctrl+C")
	errDeadline  = errors.New("by the test's deadline (go test -timeout)")
	errContext   = errors.New("by the end of the test's context")
)

// interrupted is set by the first Ctrl+C during a run: no other run starts.
var interrupted atomic.Bool

// marginMost is how long before the test's deadline a run stops; half of the
// time left if that is less. Half of it is for requests to finish, the other half
// for giving up calls and handlers that do not, a second each, and for the
// report.
const marginMost = 5 * time.Second

// A stop is what ends a run of a test early: Ctrl+C, the test's deadline, the
// end of its context. The first of them ends ctx, a second Ctrl+C or half the
// deadline's margin cut.
type stop struct {
	ctx, cut context.Context
	end      func()
}

func newStop(parent context.Context, deadline time.Time) (*stop, error) {
	if interrupted.Load() {
		return nil, errors.New("not started: the tests were interrupted by Ctrl+C")
	}
	ctx, cancel := context.WithCancelCause(parent)
	cut, cancelCut := context.WithCancel(context.Background())
	ends := []func(){func() { cancel(nil) }, cancelCut}

	if !deadline.IsZero() {
		margin := min(time.Until(deadline)/2, marginMost)
		for _, t := range []*time.Timer{
			time.AfterFunc(time.Until(deadline)-margin, func() { cancel(errDeadline) }),
			time.AfterFunc(time.Until(deadline)-margin/2, cancelCut),
		} {
			ends = append(ends, func() { t.Stop() })
		}
	}
	if !signal.Ignored(os.Interrupt) {
		signals := make(chan os.Signal, 2)
		done := make(chan struct{})
		signal.Notify(signals, os.Interrupt)
		go func() {
			for end := func() { cancel(errInterrupt) }; ; end = cancelCut {
				select {
				case <-signals:
					interrupted.Store(true)
					end()
				case <-done:
					return
				}
			}
		}()
		ends = append(ends, func() { signal.Stop(signals); close(done) })
	}
	return &stop{ctx: ctx, cut: cut, end: sync.OnceFunc(func() {
		for _, end := range ends {
			end()
		}
	})}, nil
}

// cause says what ended the run.
func (s *stop) cause() error {
	switch err := context.Cause(s.ctx); err {
	case errInterrupt, errDeadline:
		return err
	}
	return errContext
}
