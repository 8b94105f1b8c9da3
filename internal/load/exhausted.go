package load

import "time"

// rest begins the time in which a permit sends nothing because connecting failed.
func (t *table) rest(now time.Duration) {
	t.countExhausted(now)
	t.resting++
}

// endRest ends it.
func (t *table) endRest(now time.Duration) {
	t.countExhausted(now)
	t.resting--
}

// relieve ends the time in which arrivals wait for a permit, if they do: either they
// were taken, or nothing more will be sent.
func (t *table) relieve(now time.Duration) {
	t.countExhausted(now)
	t.exhausted = false
}

// countExhausted counts the time until now in which arrivals waited for a permit.
func (t *table) countExhausted(now time.Duration) {
	if !t.exhausted || now <= t.exhaustedSince {
		return
	}
	d := now - t.exhaustedSince
	t.exhaustedFor, t.exhaustedSince = t.exhaustedFor+d, now
	if t.resting > 0 {
		t.restedFor += d
	}
}
