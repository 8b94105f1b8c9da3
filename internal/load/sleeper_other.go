//go:build !linux

package load

// NewSleeper returns the most precise Sleeper on this system.
func NewSleeper() Sleeper { return NewTimerSleeper() }
