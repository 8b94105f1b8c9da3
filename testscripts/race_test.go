//go:build race

package testscripts

// raceEnabled reports that programs run under the race detector, which needs much more
// memory and time.
const raceEnabled = true
