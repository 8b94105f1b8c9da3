package load

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/assert"
)

// At high rates arrivals are sent a few at a time, at most gatherFor late; at low
// rates each is sent when it is due.
func TestHighRatesAreGathered(t *testing.T) {
	check := func(perSecond float64, most time.Duration, why string) {
		t.Helper()
		inBoth(t, func(t *testing.T, mux bool) {
			p := &peer{mux: mux}
			o := run(t, p, Workload{Schedule: rate(perSecond), Duration: time.Second, Concurrency: 1000})
			assert.Equal(t, int64(perSecond), o.Succeeded)
			assert.LessOrEqual(t, time.Duration(o.Lateness.Max()), most, why)
			if most > 0 {
				median, _ := o.Lateness.Quantile(0.5)
				assert.Positive(t, median, "nothing was gathered")
			}
		})
	}
	check(1000, 0, "1 ms apart")
	check(10_000, 0, "100 µs apart")
	check(50_000, gatherFor, "20 µs apart")
}

// A loop that is woken a little early spins until an arrival is due, unless arrivals
// are sent together.
func TestGatheredArrivalsAreNotSpunFor(t *testing.T) {
	check := func(gap time.Duration, spins bool) {
		t.Helper()
		mux := &waitingMux{}
		l := inVirtualTime(Workload{Schedule: rate(1000), Concurrency: 1, Muxes: []Mux{mux}})
		l.begin()
		m := newMuxLoop(l.tables[0], mux)
		m.awake, m.cutAt, m.sweepAt = true, forever, forever
		now := l.now()
		m.gather = gatherer{gap: gap, last: now - gatherFor}
		m.coming.Due = now + maxSpin/2
		m.wait(now)
		assert.Equal(t, spins, mux.asked == 0, "gap %v, asked to wait %v", gap, mux.asked)
	}
	check(time.Millisecond, true)
	check(gatherFor/2, false)
}

// Being awake for one arrival does not mean being awake for the next.
func TestAwakeForOneArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := inVirtualTime(Workload{Schedule: rate(1000), Concurrency: 3, Muxes: []Mux{&waitingMux{}}})
		l.ctx = t.Context()
		l.begin()
		m := newMuxLoop(l.tables[0], l.cfg.Muxes[0])
		m.advance()
		m.issueDue(m.now())
		m.awake = true
		time.Sleep(time.Millisecond - 1)
		m.issueDue(m.now())
		assert.True(t, m.awake, "it is not due yet")
		time.Sleep(time.Nanosecond)
		m.issueDue(m.now())
		assert.False(t, m.awake)
	})
}

// A waitingMux records how long it was asked to wait.
type waitingMux struct {
	instantMux
	asked time.Duration
}

func (m *waitingMux) Wait(d time.Duration, _ func(int, *record.Result)) (expired bool) {
	m.asked = d
	return true
}

func TestGathererForgetsABurst(t *testing.T) {
	var g gatherer
	for n := range time.Duration(100) {
		g.released(n*time.Microsecond, n*time.Microsecond)
	}
	assert.Equal(t, 199*time.Microsecond, g.until(150*time.Microsecond), "gathered in the burst")
	assert.Equal(t, time.Millisecond, g.until(time.Millisecond), "but not after it")
}

func TestLeadFollowsTheMedian(t *testing.T) {
	var l lead
	late := []time.Duration{40, 60, 80, 60, 60, 90, 50} // µs; their median is 60
	for range 100 {
		for _, d := range late {
			l.learn(d * time.Microsecond)
		}
	}
	assert.InDelta(t, 60*time.Microsecond, time.Duration(l), float64(3*time.Microsecond))
	asked, early := l.ask(time.Millisecond)
	assert.True(t, early)
	assert.Equal(t, time.Millisecond-time.Duration(l), asked)
	asked, early = l.ask(50 * time.Microsecond)
	assert.False(t, early, "too near to wake up early")
	assert.Equal(t, 50*time.Microsecond, asked)
	for range 1000 {
		l.learn(time.Second)
	}
	assert.Equal(t, maxLead, time.Duration(l), "the lead stays bounded on a machine that hangs")
}
