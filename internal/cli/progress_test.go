package cli

import (
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/load"
)

func TestProgressLine(t *testing.T) {
	requests := view{done: 312, total: 1000, rate: 1234.4, failed: 3, left: 2300 * time.Millisecond}
	timed := view{done: 70_000, duration: time.Minute, elapsed: 15 * time.Second, rate: 4567, left: 45 * time.Second}
	quick := timed
	quick.p50, quick.p99 = new(8840*time.Microsecond), new(13300*time.Microsecond)
	few := timed
	few.p50 = new(85 * time.Microsecond)
	pair := view{done: 12_345, elapsed: 3200 * time.Millisecond, rate: 4567, doing: "round 37: work burst tail", left: -1}
	pausing := view{done: 1000, total: 1000, doing: "pausing before the repeat", left: time.Second}
	large := view{done: 1_234_567, total: 2_000_000, rate: 123_456, failed: 98_765, left: 6 * time.Second}
	for _, c := range []struct {
		v     view
		width int
		want  string
		why   string
	}{
		{requests, 80, "[======>             ]   312/1000  1234 req/s  3 failed  2s left", "everything fits"},
		{requests, 120, "[=========>                    ]   312/1000  1234 req/s  3 failed  2s left", "the bar grows with the window"},
		{requests, 40, "[=>    ]  312/1000 1234/s 3 failed", "a short bar before no bar; the time left goes first"},
		{timed, 80, "[=====>              ]  15s/1m  4567 req/s  0 failed  45s left", "the time is the measure without a number of requests"},
		{large, 80, "[============>       ]  1234567/2000000  123456 req/s  98765 failed  6s left", "long numbers still fit"},
		{large, 45, "[===>  ] 1.23M/2.00M 123k/s 98.8k failed", "counts are shortened before anything goes"},
		{large, 40, "1.23M/2.00M 123k/s 98.8k failed", "the bar goes before any count"},
		{pair, 80, "3.2s  round 37: work burst tail  12345 requests  4567 req/s  0 failed", "its end is not known"},
		{pair, 68, "3.2s  round 37: work burst tail  12345 requests  4567/s  0 failed", "no bar to shorten"},
		{pair, 40, "3.2s 12.3k requests 4567/s 0 failed", "what it is doing goes before any count"},
		{pausing, 90, "[======================]  1000/1000  0 req/s  0 failed  pausing before the repeat", "in the place of the time left"},
		{quick, 80, "[==>       ]  15s/1m  4567/s  p50 8.84ms  p99 13.3ms  0 failed  45s left", "the times of the last second"},
		{quick, 120, "[=======>                      ]  15s/1m  4567 req/s  p50 8.84ms  p99 13.3ms  0 failed  45s left", "with room"},
		{quick, 40, "15s/1m 4567/s p99 13.3ms 0 failed", "the slow ones tell more than a bar"},
		{few, 40, "15s/1m 4567/s p50 85µs 0 failed", "too few for a p99"},
		{large, 20, "1.23M/2.00M 98.8k f", "nothing wraps, whatever the width"},
	} {
		assert.Equal(t, c.want, c.v.line(c.width, nil), c.why)
	}
}

// A terminal may wrap after its last column, so that stays free.
func TestProgressLineNeverWraps(t *testing.T) {
	for width := 40; width <= 200; width++ {
		for _, n := range []int64{0, 1, 999, 12_345, 9_999_999, 123_456_789_012} {
			for _, failed := range []int64{0, n / 2, n} {
				for _, d := range []time.Duration{0, 9 * time.Second, 30 * time.Hour} {
					v := view{
						done: n, total: n, failed: failed, rate: float64(n), duration: d, elapsed: d / 3,
						left: d, warming: d / 7, stopping: n == 999,
					}
					if failed > 0 {
						v.p50, v.p99 = new(102_700*time.Microsecond), new(d+999*time.Microsecond)
					}
					if n == 0 {
						v.duration = time.Minute
					}
					line := v.line(width, nil)
					assert.Less(t, utf8.RuneCountInString(line), width, line)
					assert.Contains(t, line, "failed", "at %d columns the failures still show", width)
					assert.Contains(t, line, "/", "and how far the run is")
				}
			}
		}
	}
}

func TestProgressLineColoursFailures(t *testing.T) {
	red := func(s string) string { return "<" + s + ">" }
	v := view{done: 5, total: 10, failed: 1, left: -1}
	assert.Contains(t, v.line(80, red), "  <1 failed>")
	v.failed = 0
	assert.NotContains(t, v.line(80, red), "<", "nothing has failed")
}

func TestRemaining(t *testing.T) {
	for _, c := range []struct {
		v    view
		want string
	}{
		{view{left: -1}, ""},
		{view{left: 300 * time.Millisecond}, "<1s left"},
		{view{left: 59900 * time.Millisecond}, "59s left"},
		{view{left: 90 * time.Second, warming: 1500 * time.Millisecond}, "warm-up 1.5s"},
		{view{left: 90 * time.Second, warming: time.Second, stopping: true}, "stopping"},
		{view{left: time.Second, total: 5, doing: "judging"}, "judging"},
		{view{left: -1, doing: "judging"}, ""}, // it stands elsewhere in the line
	} {
		assert.Equal(t, c.want, c.v.remaining(), "%+v", c.v)
	}
}

// at feeds m a run that completes perSecond requests a second until the instant
// end, and returns the last view.
func at(m *meter, from, end time.Duration, done *int64, perSecond int64) (v view) {
	const step = 100 * time.Millisecond
	for now := from + step; now <= end; now += step {
		*done += perSecond / 10
		v = m.view(engine.Progress{Tally: load.Tally{Elapsed: now, Succeeded: *done}})
	}
	return v
}

func TestMeterRateIsOfTheLastSecond(t *testing.T) {
	m := newMeter(&engine.RunOptions{Requests: 10_000})
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
	assert.Negative(t, v.left, "not known")
	assert.LessOrEqual(t, len(m.past), 52, "memory is bounded")
}

// The first of a few requests, a tenth of a second after the start, is not ten a second.
func TestMeterOfFewRequests(t *testing.T) {
	m := meter{}
	v := m.view(engine.Progress{Tally: load.Tally{Elapsed: 100 * time.Millisecond, Succeeded: 1}})
	assert.Equal(t, 1.0, v.rate)
	v = m.view(engine.Progress{Tally: load.Tally{Elapsed: 200 * time.Millisecond, Succeeded: 40}})
	assert.InDelta(t, 200, v.rate, 1e-9, "many are")
	slow := view{done: 1, elapsed: 3 * time.Second, rate: 1.0 / 3, left: -1}
	assert.Contains(t, slow.line(80, nil), "0.33 req/s")
	slow.rate = 9.96
	assert.Contains(t, slow.line(80, nil), "10 req/s")
}

func TestMeterTimesAreOfTheLastSecond(t *testing.T) {
	m := newMeter(&engine.RunOptions{Duration: time.Minute})
	all := load.Tally{}
	step := func(took time.Duration) view {
		h := hist.New(5)
		h.RecordN(int64(took), 10)
		all.Add(load.Tally{Elapsed: 100 * time.Millisecond, Response: h})
		return m.view(engine.Progress{Tally: all})
	}
	v := step(5 * time.Millisecond)
	assert.InEpsilon(t, 5*time.Millisecond, *v.p50, 0.04)
	assert.Nil(t, v.p99, "ten are too few")
	for range 20 {
		v = step(5 * time.Millisecond)
	}
	for range 10 {
		v = step(20 * time.Millisecond)
	}
	assert.InEpsilon(t, 20*time.Millisecond, *v.p50, 0.04, "all in the last second were slow")
	v = step(5 * time.Millisecond)
	assert.InEpsilon(t, 20*time.Millisecond, *v.p99, 0.04)
	v = newMeter(&engine.RunOptions{}).view(engine.Progress{})
	assert.Nil(t, v.p50, "before the start")
}

func TestMeterBounds(t *testing.T) {
	var done int64
	v := at(newMeter(&engine.RunOptions{Duration: 10 * time.Second}), 0, 4*time.Second, &done, 100)
	assert.Equal(t, 6*time.Second, v.left)
	assert.InDelta(t, 0.4, v.ratio(), 1e-9)

	done = 0
	v = at(newMeter(&engine.RunOptions{Duration: 10 * time.Second, Requests: 500}), 0, 4*time.Second, &done, 100)
	assert.InDelta(t, 1, v.left.Seconds(), 0.01, "whichever comes first")
	assert.InDelta(t, 0.8, v.ratio(), 1e-9)

	done = 0
	v = at(newMeter(&engine.RunOptions{Duration: time.Second}), 0, 4*time.Second, &done, 100)
	assert.Zero(t, v.left, "the rest drains")
	assert.InDelta(t, 1, v.ratio(), 0)

	of := func(duration, warmup time.Duration) time.Duration {
		var o engine.RunOptions
		o.Stages = []load.Stage{{For: 3 * time.Second, From: 1, To: 1}, {For: 7 * time.Second}}
		o.Duration, o.Warmup = duration, warmup
		return newMeter(&o).duration
	}
	assert.Equal(t, 10*time.Second, of(0, 0))
	assert.Equal(t, 2*time.Second, of(2*time.Second, 0))
	assert.Equal(t, 8*time.Second, of(0, 2*time.Second))
}

func TestMeterWarmUp(t *testing.T) {
	m := newMeter(&engine.RunOptions{Duration: 4 * time.Second, Settings: engine.Settings{Warmup: 2 * time.Second}})
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
	m := newMeter(&engine.RunOptions{Requests: 1000})
	var done int64
	at(m, 0, 3*time.Second, &done, 100)
	done = 0
	v := at(m, 0, 2500*time.Millisecond, &done, 200)
	assert.InDelta(t, 200, v.rate, 1e-9, "the first run is past")
	v = m.view(engine.Progress{Tally: load.Tally{Elapsed: 3 * time.Second, Succeeded: done}, Doing: "pausing"})
	assert.Equal(t, "pausing", v.remaining())
}

func TestLocale(t *testing.T) {
	check := func(utf8 bool, locale map[string]string) {
		t.Helper()
		s := &session{env: func(name string) string { return locale[name] }}
		assert.Equal(t, utf8, s.isUTF8(), "%v", locale)
	}
	check(true, nil) // as in a container
	check(true, map[string]string{"LANG": "en_US.UTF-8"})
	check(true, map[string]string{"LANG": "C.utf8"})
	check(false, map[string]string{"LANG": "C"})
	check(false, map[string]string{"LANG": "de_DE.ISO-8859-1"})
	check(false, map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"})
	check(true, map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8"})

	v := view{elapsed: time.Second, p50: new(85 * time.Microsecond)}
	s := &screen{}
	assert.Contains(t, s.lineOf(&v, 80), "p50 85µs")
	s.ascii = true
	assert.Contains(t, s.lineOf(&v, 80), "p50 85us")
}
