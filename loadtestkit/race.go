//go:build race

package loadtestkit

const raceEnabled = true
