package load

import "time"

// gatherFor is the span within which arrivals are sent together. More than 10,000
// wake-ups a second would cost more processor time than the requests do, and at
// such rates a delay of half of gatherFor goes unnoticed.
const gatherFor = 100 * time.Microsecond

// A gatherer decides until when to sleep for the next arrival: until it is due, but
// at high rates no sooner than gatherFor after the last ones were released. The
// zero gatherer is ready to use.
type gatherer struct {
	gap  time.Duration // moving average of the time between arrivals
	due  time.Duration // of the latest arrival
	last time.Duration // when it was released
}

// released notes that the arrival due at the given offset was released.
func (g *gatherer) released(due, now time.Duration) {
	g.gap += (due - g.due - g.gap) / 16
	g.due, g.last = due, now
}

// passed notes that n more arrivals, due by now, were released together.
func (g *gatherer) passed(n int64, now time.Duration) {
	g.gap = (now - g.due) / time.Duration(n)
	g.due, g.last = now, now
}

// gathers reports whether arrivals come so fast that they are sent together. It is
// then not worth spinning to be on time.
func (g *gatherer) gathers() bool { return g.gap < gatherFor }

// until returns when to wake for an arrival.
func (g *gatherer) until(due time.Duration) time.Duration {
	if !g.gathers() {
		return due
	}
	return max(due, min(g.last+gatherFor, due+gatherFor))
}

const (
	// maxSpin is the longest time to spin, and maxLead how early at most to ask to
	// be woken. Together they hide the time that a machine takes to wake up (50 to
	// 80 µs on a small virtual one, most of it for the idle processor), and cost 1
	// to 2 % of a processor at 1000 arrivals/s.
	maxSpin  = 30 * time.Microsecond
	maxLead  = 150 * time.Microsecond
	leadStep = time.Microsecond
	// minSleep is the shortest sleep worth its system calls.
	minSleep = 10 * time.Microsecond
)

// A lead is how early to ask to be woken, since waking up takes a while. It is
// learned from how late the last sleeps ended. The zero lead is ready to use.
type lead time.Duration

// ask returns how long to sleep when an arrival is due after d. If early is true,
// the caller is to learn from the sleep and to spend the rest of d awake. If d is
// too short for that, being a little late is better than spinning for many arrivals
// a second.
func (l lead) ask(d time.Duration) (sleep time.Duration, early bool) {
	if early := d - time.Duration(l); early > minSleep {
		return early, true
	}
	return d, false
}

// learn moves the lead towards the median of how late sleeps end.
func (l *lead) learn(late time.Duration) {
	if late > time.Duration(*l) {
		*l = min(*l+lead(leadStep), lead(maxLead))
	} else {
		*l = max(*l-lead(leadStep), 0)
	}
}
