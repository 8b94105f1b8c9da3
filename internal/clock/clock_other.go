//go:build !windows

package clock

import "time"

// Now returns the current time.
func (Clock) Now() time.Time { return time.Now() }

// Since returns the time since t, which is one of c.
func (Clock) Since(t time.Time) time.Duration { return time.Since(t) }
