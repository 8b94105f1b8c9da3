// Package clock has the time by which everything is measured.
package clock

import "time"

// A Clock reads the time. The zero Clock is the most precise of the system. Only
// times of the same Clock may be compared.
type Clock uint8

const (
	System Clock = iota
	Bubble       // that of package time, which a bubble of testing/synctest sets
)

const (
	// tickSteps and tickTime bound the search for the tick: a precise clock is
	// known in microseconds, and the slowest ticks 64 times a second.
	tickSteps = 100
	tickTime  = 5 * time.Millisecond

	// leastTick is a tick that matters: any exchange takes ten shorter ones.
	leastTick = 100 * time.Nanosecond
)

// systemTick is found at the start: in a bubble time stands still.
var systemTick = tick(System.Now)

// Tick returns the time for which the [System] clock stands still before it moves on;
// 0 if that is too short to matter.
func Tick() time.Duration { return systemTick }

// tick returns the smallest step of a clock that was seen to stand still.
func tick(now func() time.Time) (least time.Duration) {
	began := now()
	still := false
	for last, steps := began, 0; steps < tickSteps && last.Sub(began) < tickTime; {
		t := now()
		step := t.Sub(last)
		if step == 0 {
			still = true
			continue
		}
		if least == 0 || step < least {
			least = step
		}
		last = t
		steps++
	}
	if !still || least <= leastTick {
		return 0
	}
	return least
}
