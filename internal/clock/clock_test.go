package clock

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

// ticking returns a clock that takes a time to be read and shows its ticks only.
func ticking(step, reading time.Duration) (now func() time.Time, reads *int) {
	reads = new(int)
	base := time.Unix(1, 0)
	return func() time.Time {
		*reads++
		return base.Add((time.Duration(*reads) * reading).Truncate(step))
	}, reads
}

func TestTick(t *testing.T) {
	check := func(want, step, reading time.Duration, most int, why string) {
		t.Helper()
		now, reads := ticking(step, reading)
		assert.Equal(t, want, tick(now), why)
		assert.LessOrEqual(t, *reads, most, why)
	}
	const ms, us, ns = time.Millisecond, time.Microsecond, time.Nanosecond
	check(0, ns, 25*ns, 101, "a clock that always moves on has the step of its reading")
	check(0, 42*ns, 25*ns, 201, "ticks that do not matter, of Apple silicon")
	check(0, 100*ns, 200*ns, 101, "the performance counter")
	check(88*us, 88*us, 10*ns, 600_000, "it is over after 5 ms")
	check(500*us, 500*us, 10*ns, 600_000, "likewise")
	check(15625*us, 15625*us, 100*ns, 160_000, "the usual of Windows")
}

func TestSystemClock(t *testing.T) {
	assert.Zero(t, Tick(), "no system that we claim has a coarse clock")
	began, last := System.Now(), time.Duration(0)
	for last < 5*time.Millisecond {
		d := System.Since(began)
		assert.GreaterOrEqual(t, d, last, "it never goes back")
		last = d
	}
	assert.WithinDuration(t, time.Now(), System.Now(), time.Minute, "the time of day is about right")
}

func TestBubbleClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := Bubble.Now()
		assert.Equal(t, time.Now(), began)
		time.Sleep(time.Hour)
		assert.Equal(t, time.Hour, Bubble.Since(began))
		assert.Equal(t, began.Add(time.Hour), Bubble.Now())
	})
}

func BenchmarkSince(b *testing.B) {
	began := System.Now()
	for b.Loop() {
		System.Since(began)
	}
}
