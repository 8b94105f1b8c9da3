package target

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func constant(d time.Duration) Latency {
	return Latency{steps: true, points: []point{{1, d}}}
}

func TestTimingDelay(t *testing.T) {
	frozen := []Freeze{{At: 5 * time.Second, For: time.Second}}
	twice := []Freeze{{At: 100 * ms, For: 50 * ms}, {At: 20 * ms, For: 10 * ms}}
	for _, c := range []struct {
		timing   Timing
		at, want time.Duration
		why      string
	}{
		{Timing{}, 3 * ms, 0, "the zero value answers at once"},
		{Timing{Latency: constant(2 * ms)}, 0, 2 * ms, "the latency alone"},
		{Timing{Latency: constant(2 * ms)}, -ms, 2 * ms, "an offset before the first request counts as 0"},

		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 4998*ms - 1, 2 * ms, "answered 1 ns before the freeze"},
		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 4998 * ms, 1002 * ms, "due as the freeze begins: leaves as it ends"},
		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 4999 * ms, 1001 * ms, "due within the freeze: leaves as it ends"},
		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 5000 * ms, 1002 * ms, "arrives with the freeze: taken up as it ends"},
		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 5500 * ms, 502 * ms, "arrives within the freeze"},
		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 6000*ms - 1, 2*ms + 1, "arrives 1 ns before its end"},
		{Timing{Latency: constant(2 * ms), Freezes: frozen}, 6000 * ms, 2 * ms, "arrives at its end"},
		{Timing{Freezes: frozen}, 5250 * ms, 750 * ms, "without a latency"},
		{Timing{Freezes: []Freeze{{At: ms}}}, ms, 0, "a freeze of nothing"},

		{Timing{Latency: constant(90 * ms), Freezes: twice}, 10 * ms, 140 * ms, "due at 100 ms, in the second freeze"},
		{Timing{Latency: constant(90 * ms), Freezes: twice}, 25 * ms, 125 * ms, "taken up at 30, due at 120, leaves at 150"},
		{Timing{Freezes: []Freeze{{50 * ms, 20 * ms}, {30 * ms, 20 * ms}, {10 * ms, 20 * ms}}}, 10 * ms, 60 * ms, "freezes that touch are one"},
		{Timing{Freezes: []Freeze{{10 * ms, 20 * ms}, {20 * ms, 20 * ms}}}, 10 * ms, 30 * ms, "freezes that overlap are one"},

		{Timing{Latency: constant(10 * ms), SlowStart: time.Second}, 0, 30 * ms, "three times at first"},
		{Timing{Latency: constant(10 * ms), SlowStart: time.Second}, 500 * ms, 20 * ms, "twice half way"},
		{Timing{Latency: constant(10 * ms), SlowStart: time.Second}, 750 * ms, 15 * ms, "straight"},
		{Timing{Latency: constant(10 * ms), SlowStart: time.Second}, time.Second, 10 * ms, "once at its end"},
		{Timing{Latency: constant(10 * ms), SlowStart: time.Second, Freezes: []Freeze{{0, 500 * ms}}}, 0, 520 * ms, "as slow as when it is taken up"},
	} {
		assert.Equal(t, c.want, c.timing.Delay(c.at, 0), "at %v: %s", c.at, c.why)
	}
}

// With 1000 arrivals/s for 5 s and a freeze of 1 s, the 1000 arrivals of that
// second wait 1000, 999 ... 1 ms, so 250 wait longer than the p95.
func TestTimingGivesTheTruthOfAFreeze(t *testing.T) {
	timing := Timing{Freezes: []Freeze{{At: 2 * time.Second, For: time.Second}}}
	var waits [1001]int
	for n := range int64(5000) {
		d := timing.Delay(time.Duration(n)*ms, n)
		require.Zero(t, d%ms)
		waits[d/ms]++
	}
	assert.Equal(t, 4000, waits[0])
	longer := 0
	for _, k := range waits[751:] {
		longer += k
	}
	assert.Equal(t, 250, longer)
}

func TestParseFreeze(t *testing.T) {
	f, err := ParseFreeze("1s@5s")
	require.NoError(t, err)
	assert.Equal(t, Freeze{At: 5 * time.Second, For: time.Second}, f)
	assert.Equal(t, "1s@5s", f.String())
	for text, want := range map[string]string{
		"1s":     `parsing freeze "1s": want FOR@AT, for example 1s@5s`,
		"1@5s":   `parsing freeze "1@5s": duration "1" needs a unit, for example 1ms`,
		"1s@5":   `duration "5" needs a unit`,
		"1s@-5s": `duration "-5s" must not be negative`,
		"@":      `"" is not a duration`,
	} {
		_, err := ParseFreeze(text)
		assert.ErrorContains(t, err, want)
	}
}
