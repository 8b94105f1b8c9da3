package load

import (
	"maps"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/http1"
)

// Totals are exact counts of requests: Due = Sent + Unsent, and Sent =
// Succeeded + Failed + Unfinished.
type Totals struct {
	Due, Sent, Succeeded, Failed, Unsent, Unfinished int64
}

// Progress is how far a run has come, warm-up apart.
type Progress struct {
	Elapsed           time.Duration // since the start, warm-up included
	Succeeded, Failed int64
}

// An Outcome is what a run has seen. Times are in nanoseconds; a distribution
// of a closed workload that says nothing there is empty.
type Outcome struct {
	Totals
	Warmup      Totals // what was due in the warm-up, reported apart
	Loops       int    // Muxes that sent; 0 where goroutines did
	Interrupted bool   // the run was cancelled before its end
	Abandoned   int64  // of all unfinished: still running when the run gave up on them

	Start   time.Time     // of the run, warm-up included
	Elapsed time.Duration // from the end of the warm-up to the last request's end

	// From the end of the warm-up: how long arrivals were being released, the
	// gap after the last included, or in a closed workload until when permits
	// could take them, 0 without a Duration.
	Offering time.Duration
	LastSent time.Duration // open workload: when the last was sent, likewise

	Response, Service *hist.Histogram // of succeeded requests
	FailedResponse    *hist.Histogram // of failed requests
	Lateness, Waited  *hist.Histogram // of all sent and ended
	Series            *hist.Series
	Within            []int64 // succeeded within Config.Thresholds[i]

	Statuses map[int]int64
	Kinds    [http1.Kinds]int64
	Failures [http1.Kinds][]Failure // the first few of each kind
	Slowest  []Sample               // complete responses, slowest first; their instants are offsets in the course of the run

	BytesSent, BytesReceived, BytesBody, BytesSurplus int64

	PeakInFlight     int
	PermitsExhausted time.Duration // how long arrivals waited because every permit was out

	shard *shard // everything recorded, to be merged
}

// Merge adds the outcome of the stretch that followed o.
func (o *Outcome) Merge(next *Outcome) {
	before := *o
	o.shard.merge(next.shard)
	*o = *o.shard.outcome()
	o.Totals = before.Totals.plus(next.Totals)
	o.Warmup = before.Warmup.plus(next.Warmup)
	o.Start, o.Loops = before.Start, max(before.Loops, next.Loops)
	o.Interrupted = before.Interrupted || next.Interrupted
	o.Abandoned = before.Abandoned + next.Abandoned
	o.Elapsed = before.Course() + next.Elapsed
	o.LastSent = before.Course() + next.LastSent
	o.Offering = before.Course() + next.Offering
	o.PeakInFlight = max(before.PeakInFlight, next.PeakInFlight)
	o.PermitsExhausted = before.PermitsExhausted + next.PermitsExhausted
}

// Course is how far in the course of the run o comes, and the next stretch
// begins: in an open workload where its schedule left off, in a closed one
// where its last request did, or its time if that was over later: the permits
// may have rested at its end.
func (o *Outcome) Course() time.Duration {
	if o.shard.open {
		return o.Offering
	}
	return max(o.Offering, o.Elapsed)
}

func (t Totals) plus(o Totals) Totals {
	return Totals{
		Due: t.Due + o.Due, Sent: t.Sent + o.Sent,
		Succeeded: t.Succeeded + o.Succeeded, Failed: t.Failed + o.Failed,
		Unsent: t.Unsent + o.Unsent, Unfinished: t.Unfinished + o.Unfinished,
	}
}

// outcome reads a merged shard.
func (h *shard) outcome() *Outcome {
	o := &Outcome{
		Response:       h.response,
		Service:        h.service,
		FailedResponse: h.failed,
		Lateness:       h.lateness,
		Waited:         h.waited,
		Series:         h.series,
		Within:         h.within,
		Statuses:       maps.Clone(h.others),
		Kinds:          h.kinds,
		Failures:       h.failures,
		Slowest:        h.slowest,
		BytesSent:      h.bytesSent,
		BytesReceived:  h.bytesReceived,
		BytesBody:      h.bytesBody,
		BytesSurplus:   h.bytesSurplus,
		Warmup:         h.warm,
		shard:          h,
	}
	o.Succeeded, o.Failed = h.done.Succeeded, h.done.Failed
	o.Elapsed = max(0, h.last-h.warmup)
	o.LastSent = max(0, h.lastSent-h.warmup)
	for status, n := range h.statuses {
		if n > 0 && status > 0 {
			o.Statuses[status] = n
		}
	}
	if !h.open {
		o.Service = o.Response
	}
	return o
}

// recorded is all that the shards hold.
func (l *Loop) recorded() *shard {
	total := newShard(&l.cfg)
	for _, h := range l.shards {
		h.mu.Lock()
		total.merge(h)
		h.mu.Unlock()
	}
	return total
}

// Peek is what is over so far: what is in flight, or waits to be sent, is in no
// count of it. It may be called from any goroutine once the loop is under way.
func (l *Loop) Peek() *Outcome {
	o := l.recorded().outcome()
	o.Start = l.start
	o.Sent = o.Succeeded + o.Failed
	o.Due = o.Sent
	o.Offering = max(0, l.now()-l.cfg.Warmup)
	return o
}

// Nothing is the outcome of a loop that never ran.
func (l *Loop) Nothing() *Outcome { return l.outcome(false) }

// outcome adds up the shards and what never reached one.
func (l *Loop) outcome(interrupted bool) *Outcome {
	total := l.recorded()
	for i := range total.slowest {
		s := &total.slowest[i]
		s.Due, s.Sent, s.Done = s.Due+total.shift, s.Sent+total.shift, s.Done+total.shift
	}
	o := total.outcome()
	o.Start = l.start
	o.Interrupted = interrupted
	o.Loops = l.cfg.loops()

	o.Abandoned = l.abandoned
	o.Warmup.Sent = l.warm.Load()
	o.Sent = l.issued.Load() - o.Warmup.Sent
	for _, t := range l.tables {
		t.addTo(o)
	}
	if o.Unfinished > 0 || o.Unsent > 0 {
		o.Elapsed = max(o.Elapsed, l.now()-l.cfg.Warmup)
	}
	if l.cfg.Schedule == nil {
		o.Due, o.Warmup.Due = o.Sent, o.Warmup.Sent
		o.Offering = max(0, min(l.cfg.Duration, l.now()-l.cfg.Warmup))
	}
	return o
}

// miss counts a request that was due and has no end, and reports whether that
// was after the warm-up.
func (l *Loop) miss(o *Outcome, due time.Duration, warm, measured *int64) bool {
	if due < l.cfg.Warmup {
		*warm++
		return false
	}
	*measured++
	o.Series.Due(due + l.cfg.shift())
	o.Series.Missed(due + l.cfg.shift())
	return true
}
