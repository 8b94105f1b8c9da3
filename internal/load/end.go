package load

import (
	"math"
	"time"
)

// End ends the schedule: from now on nothing more becomes due. Unlike cancelling
// the context it does not interrupt the run: all that is due is still sent. It may
// be called from any goroutine once the loop is running.
func (l *Loop) End() {
	l.ended.CompareAndSwap(0, max(1, int64(l.now())))
	for _, m := range l.cfg.Muxes {
		m.Wake()
	}
	if l.cfg.Sleeper != nil {
		l.cfg.Sleeper.Wake()
	}
}

// Halt ends the loop: from now on nothing more is sent, and the rest of what is due
// stays unsent. Unlike cancelling the context it does not make the run an interrupted
// one. It may be called from any goroutine once the loop is running.
func (l *Loop) Halt() {
	l.stop()
	for _, m := range l.cfg.Muxes {
		m.Wake()
	}
}

// end returns the offset from which nothing more becomes due; ok is false if no
// time bounds the loop.
func (l *Loop) end() (at time.Duration, ok bool) {
	if ended := l.ended.Load(); ended > 0 {
		return time.Duration(ended), true
	}
	return l.cfg.Warmup + l.cfg.Duration, l.cfg.Duration > 0
}

// untilCutOff returns the time left until the grace period ends, if the run is not
// cancelled: forever if only the number of requests bounds it.
func (l *Loop) untilCutOff() time.Duration {
	end, ok := l.end()
	if s := l.cfg.Schedule; s != nil && !s.Endless && (!ok || s.Length() < end) {
		end, ok = s.Length(), true
	}
	if !ok {
		return forever
	}
	return end + l.cfg.Grace - l.now()
}

const forever = time.Duration(math.MaxInt64)
