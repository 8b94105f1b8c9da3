package target

import (
	"sync"
	"time"
)

// An Arrival is one request as the target saw it come in.
type Arrival struct {
	ID string        // its X-Request-Id, cut to 47 bytes; "" without one
	At time.Duration // when its head was complete, from the target's start
}

// A ledger counts and dates requests. It is safe for concurrent use.
type ledger struct {
	start time.Time // immutable; with its monotonic part

	mu    sync.Mutex
	seen  int64
	first time.Duration // when request 0 arrived
	log   []entry       // preallocated; full when len is cap
}

// An entry is an [Arrival] without a pointer, so that a log of millions costs
// the garbage collector nothing.
type entry struct {
	at   time.Duration
	size uint8
	id   [47]byte
}

// newLedger returns a ledger that keeps the first size arrivals.
func newLedger(size int) *ledger {
	return &ledger{start: time.Now(), log: make([]entry, 0, size)}
}

// arrive notes a request. It returns the request's number, counted from 0, the
// instant it came, and that instant's offset from the first request's.
func (l *ledger) arrive(id []byte) (n int64, now time.Time, since time.Duration) {
	now = time.Now()
	at := now.Sub(l.start)
	l.mu.Lock()
	defer l.mu.Unlock()
	n = l.seen
	l.seen++
	if n == 0 {
		l.first = at
	}
	if len(l.log) < cap(l.log) {
		l.log = l.log[:n+1]
		e := &l.log[n]
		e.at = at
		e.size = uint8(copy(e.id[:], id))
	}
	// A request that read its clock before request 0 did may come in after it.
	return n, now, max(at-l.first, 0)
}

func (l *ledger) count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// arrivals returns a copy of the log.
func (l *ledger) arrivals() []Arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Arrival, len(l.log))
	for i := range l.log {
		e := &l.log[i]
		out[i] = Arrival{ID: string(e.id[:e.size]), At: e.at}
	}
	return out
}
