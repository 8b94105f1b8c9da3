package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/load"
)

// at feeds m a run that completes perSecond requests a second until the instant
// end, and returns the last view.
func at(m *meter, from, end time.Duration, done *int64, perSecond int64) (v view) {
	const step = 100 * time.Millisecond
	for now := from + step; now <= end; now += step {
		*done += perSecond / 10
		v = m.view(engine.Progress{Progress: load.Progress{Elapsed: now, Succeeded: *done}})
	}
	return v
}

func TestMeterRateIsOfTheLastSecond(t *testing.T) {
	m := newMeter(engine.Options{Requests: 10_000})
	var done int64
	v := at(m, 0, 3*time.Second, &done, 100)
	assert.InDelta(t, 100, v.rate, 1e-9)
	assert.Equal(t, int64(300), v.done)
	assert.InDelta(t, 97, v.left.Seconds(), 0.1, "9,700 left at 100 a second")

	v = at(m, 3*time.Second, 3500*time.Millisecond, &done, 1000)
	assert.InDelta(t, 550, v.rate, 1e-9, "half a second of each")
	v = at(m, 3500*time.Millisecond, 5*time.Second, &done, 1000)
	assert.InDelta(t, 1000, v.rate, 1e-9)
	v = at(m, 5*time.Second, 6*time.Second, &done, 0)
	assert.Zero(t, v.rate, "the server stands still")
	assert.Positive(t, v.left, "estimated from the last 5 seconds")
	v = at(m, 6*time.Second, 12*time.Second, &done, 0)
	assert.Negative(t, v.left, "nobody knows")
	assert.LessOrEqual(t, len(m.past), 52, "memory is bounded")
}

func TestMeterBounds(t *testing.T) {
	var done int64
	v := at(newMeter(engine.Options{Duration: 10 * time.Second}), 0, 4*time.Second, &done, 100)
	assert.Equal(t, 6*time.Second, v.left)
	assert.InDelta(t, 0.4, v.ratio(), 1e-9)

	done = 0
	v = at(newMeter(engine.Options{Duration: 10 * time.Second, Requests: 500}), 0, 4*time.Second, &done, 100)
	assert.InDelta(t, 1, v.left.Seconds(), 0.01, "whichever comes first")
	assert.InDelta(t, 0.8, v.ratio(), 1e-9)

	done = 0
	v = at(newMeter(engine.Options{Duration: time.Second}), 0, 4*time.Second, &done, 100)
	assert.Zero(t, v.left, "the rest drains")
	assert.InDelta(t, 1, v.ratio(), 0)

	stages := []load.Stage{{For: 3 * time.Second, From: 1, To: 1}, {For: 7 * time.Second}}
	assert.Equal(t, 10*time.Second, newMeter(engine.Options{Stages: stages}).duration)
	assert.Equal(t, 2*time.Second, newMeter(engine.Options{Stages: stages, Duration: 2 * time.Second}).duration)
	assert.Equal(t, 8*time.Second, newMeter(engine.Options{Stages: stages, Warmup: 2 * time.Second}).duration)
}

func TestMeterWarmUp(t *testing.T) {
	m := newMeter(engine.Options{Duration: 4 * time.Second, Warmup: 2 * time.Second})
	var done int64
	v := at(m, 0, 1500*time.Millisecond, &done, 0)
	assert.Equal(t, 500*time.Millisecond, v.warming)
	assert.Zero(t, v.elapsed)
	assert.Zero(t, v.rate, "nothing counts yet")
	v = at(m, 2*time.Second, 2500*time.Millisecond, &done, 100)
	assert.InDelta(t, 100, v.rate, 1e-9, "the warm-up does not dilute it")
	assert.Zero(t, v.warming)
	assert.Equal(t, 500*time.Millisecond, v.elapsed)
	assert.Equal(t, 3500*time.Millisecond, v.left)
}

func TestMeterOfARepeat(t *testing.T) {
	m := newMeter(engine.Options{Requests: 1000})
	var done int64
	at(m, 0, 3*time.Second, &done, 100)
	done = 0
	v := at(m, 0, 2500*time.Millisecond, &done, 200)
	assert.InDelta(t, 200, v.rate, 1e-9, "the first run is past")
	v = m.view(engine.Progress{Progress: load.Progress{Elapsed: 3 * time.Second, Succeeded: done}, Doing: "pausing"})
	assert.Equal(t, "pausing", v.remaining())
}
