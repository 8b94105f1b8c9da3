package target

import (
	"context"
	"time"
)

// Sleep returns nil after d, never earlier, or ctx's error when ctx ends first.
// On Linux it is late by some tens of microseconds on an idle machine, where
// time.Sleep is late by up to a millisecond: the runtime waits for its timers
// in epoll_wait, whose timeout counts whole milliseconds. Thousands of
// goroutines may sleep at once; they share one timer and no thread.
func Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	return sleepUntil(ctx, time.Now().Add(d))
}

// sleepTimer is sleepUntil by the timers of the runtime.
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
