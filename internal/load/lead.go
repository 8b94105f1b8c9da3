package load

import "time"

const (
	// spinMost is the longest wait that the processor is kept busy for, and
	// leadMost the earliest that waking is asked for. Between them they hide
	// how long a machine takes to wake up (50 to 80 µs on a small virtual one,
	// most of it the idle processor's), at 1 to 2 % of a processor at 1000
	// arrivals/s. Chosen.
	spinMost = 30 * time.Microsecond
	leadMost = 150 * time.Microsecond
	leadStep = time.Microsecond
	// sleepLeast is the shortest sleep that is worth its system calls. Chosen.
	sleepLeast = 10 * time.Microsecond
)

// A lead is how early to ask to be woken so that waking up, which takes its
// time, is over when the time has come. It learns that as it goes. The zero
// lead is ready.
type lead time.Duration

// ask returns how long to sleep when d is left. A sleep that ends early is one
// to learn from, and to spend the rest awake after. When the time is too near
// for that, it is better to be a little late than to spend a processor on many
// arrivals a second.
func (l lead) ask(d time.Duration) (sleep time.Duration, early bool) {
	if early := d - time.Duration(l); early > sleepLeast {
		return early, true
	}
	return d, false
}

// learn follows the median of how late waking up is.
func (l *lead) learn(late time.Duration) {
	if late > time.Duration(*l) {
		*l = min(*l+lead(leadStep), lead(leadMost))
	} else {
		*l = max(*l-lead(leadStep), 0)
	}
}
