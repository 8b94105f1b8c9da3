package load

import "time"

// gatherFor is how close to each other arrivals are sent together. Chosen: more
// than 10,000 wake-ups a second cost more processor than the requests, and half
// of it is well below what anybody can tell at such rates.
const gatherFor = 100 * time.Microsecond

// A gatherer says until when to sleep for the next arrival: until it is due,
// but at high rates no sooner than gatherFor after the last ones were released.
// The zero gatherer is ready.
type gatherer struct {
	gap  time.Duration // mean of the latest, from due to due
	due  time.Duration // of the latest arrival
	last time.Duration // when it was released
}

// released notes that the arrival due at the given offset was released.
func (g *gatherer) released(due, now time.Duration) {
	g.gap += (due - g.due - g.gap) / 16
	g.due, g.last = due, now
}

// gathers reports whether arrivals are so close that they are sent together:
// then it does not matter which of them are, and being awake on time is not
// worth a processor.
func (g *gatherer) gathers() bool { return g.gap < gatherFor }

// until returns when to wake for an arrival.
func (g *gatherer) until(due time.Duration) time.Duration {
	if !g.gathers() {
		return due
	}
	return max(due, min(g.last+gatherFor, due+gatherFor))
}
