package target

import (
	"context"
	"time"
)

// Sleep returns nil after d, never earlier, or ctx's error if ctx ends first.
// On Linux, on an idle machine, it is late by some tens of microseconds, while
// time.Sleep is late by up to a millisecond: the runtime waits for its timers
// in epoll_wait, whose timeout is in milliseconds. Thousands of goroutines may
// sleep at once; they share one timer and need no thread. Sleep and what uses it,
// such as [Known], do not work in a testing/synctest bubble.
func Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	return sleepUntil(ctx, time.Now().Add(d))
}

// sleepTimer does what sleepUntil does, with a timer of the runtime.
func sleepTimer(ctx context.Context, at time.Time) error {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
