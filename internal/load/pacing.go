package load

import "time"

// gatherFor is how close to each other arrivals are sent together. More than
// 10,000 wake-ups a second cost more processor time than the requests, and half
// of it is too little to notice at such rates.
const gatherFor = 100 * time.Microsecond

// A gatherer says until when to sleep for the next arrival: until it is due,
// but at high rates no sooner than gatherFor after the last ones were released.
// The zero gatherer is ready to use.
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
// then it is not worth a processor to be awake on time.
func (g *gatherer) gathers() bool { return g.gap < gatherFor }

// until returns when to wake for an arrival.
func (g *gatherer) until(due time.Duration) time.Duration {
	if !g.gathers() {
		return due
	}
	return max(due, min(g.last+gatherFor, due+gatherFor))
}

const (
	// spinMost is the longest wait that keeps the processor busy, and leadMost
	// the earliest that waking is asked for. Together they hide how long a
	// machine takes to wake up (50 to 80 µs on a small virtual one, most of it
	// the idle processor's), for 1 to 2 % of a processor at 1000 arrivals/s.
	spinMost = 30 * time.Microsecond
	leadMost = 150 * time.Microsecond
	leadStep = time.Microsecond
	// sleepLeast is the shortest sleep that is worth its system calls.
	sleepLeast = 10 * time.Microsecond
)

// A lead is how early to ask to be woken, since waking up takes a while. It is
// learned from how late the last sleeps ended. The zero lead is ready to use.
type lead time.Duration

// ask returns how long to sleep when d is left. A sleep that ends early is to
// be learned from, and the rest is spent awake. If d is too short for that, it
// is better to be a little late than to spend a processor on many arrivals a
// second.
func (l lead) ask(d time.Duration) (sleep time.Duration, early bool) {
	if early := d - time.Duration(l); early > sleepLeast {
		return early, true
	}
	return d, false
}

// learn moves the lead towards the median of how late waking up is.
func (l *lead) learn(late time.Duration) {
	if late > time.Duration(*l) {
		*l = min(*l+lead(leadStep), lead(leadMost))
	} else {
		*l = max(*l-lead(leadStep), 0)
	}
}
