package load

import (
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A Tally is how far a loop has come. Its counts leave the warm-up out.
type Tally struct {
	Elapsed           time.Duration // since the start, warm-up included
	Succeeded, Failed int64
	Response          *hist.Histogram // response times of the succeeded, in two digits; nil before the start
}

// tallyBits is the precision of the times in a Tally: 3 %, so that it is small enough
// to keep one for each of the last moments.
const tallyBits = 5

// Add adds o, which was at the same time or before.
func (t *Tally) Add(o Tally) {
	t.Elapsed += o.Elapsed
	t.Succeeded += o.Succeeded
	t.Failed += o.Failed
	sum := hist.New(tallyBits)
	for _, h := range []*hist.Histogram{t.Response, o.Response} {
		if h != nil {
			sum.Merge(h)
		}
	}
	t.Response = sum
}

// Progress returns how far the run has come. It may be called from any goroutine.
func (l *Loop) Progress() Tally {
	if !l.started.Load() {
		return Tally{}
	}
	p := Tally{Elapsed: l.elapsed(), Response: hist.New(tallyBits)}
	for _, h := range l.shards {
		h.mu.Lock()
		p.count(h.seen)
		h.mu.Unlock()
	}
	return p
}

// count adds the requests of a record.
func (t *Tally) count(r *record.Record) {
	t.Succeeded += r.Succeeded
	t.Failed += r.Failed
	for v, n := range r.Response.Buckets() {
		t.Response.RecordN(v, n)
	}
}

// lookEvery is how often Reaches looks how far a loop has come.
const lookEvery = 100 * time.Millisecond

// Reaches waits until the loop has come to an offset from its start. It returns
// false if over is closed before. It may be called from any goroutine.
func (l *Loop) Reaches(at time.Duration, over <-chan struct{}) bool {
	for {
		left := at - l.elapsed()
		if left <= 0 {
			return true
		}
		t := time.NewTimer(min(left, lookEvery))
		select {
		case <-t.C:
		case <-over:
			t.Stop()
			return false
		}
	}
}

// elapsed returns the time since the start; 0 before it. It may be called from any
// goroutine.
func (l *Loop) elapsed() time.Duration {
	if !l.started.Load() {
		return 0
	}
	return l.now()
}
