package wire

const (
	// permitsPerLoop is how many permits an event loop has at least, where
	// there is more than one: fewer do not keep a processor busy. loopsMost
	// bounds the memory of loops, some 3 MB each.
	permitsPerLoop = 32
	loopsMost      = 16
)

// Loops is how many event loops a closed workload is worth: one for each
// processor, but half of them if the target needs some too.
func (w *Pool) Loops(permits, processors int) int {
	if w.Loopback() {
		processors /= 2
	}
	return max(1, min(processors, permits/permitsPerLoop, loopsMost))
}
