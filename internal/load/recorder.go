package load

import (
	"sync"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A shard records the requests of some of the permits. There is one for each
// processor and not for each permit: its lock is hardly ever contended, and 10,000
// permits do not need 10,000 histograms.
type shard struct {
	mu   sync.Mutex
	seen *record.Record

	_ [64]byte // keeps a neighbour's lock off this cache line
}

// record counts a finished request, whose instants are offsets from the start of
// the loop. In steady state it does not allocate.
func (h *shard) record(s *record.Sample, cfg *Workload) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.Due < cfg.Warmup {
		if s.Succeeded() {
			h.seen.Warmup.Succeeded++
		} else {
			h.seen.Warmup.Failed++
		}
		return
	}
	in := cfg.inCourse(*s)
	h.seen.Add(&in)
}

// inCourse returns s with its instants in the course of the run.
func (c *Workload) inCourse(s record.Sample) record.Sample {
	shift := c.shift()
	s.Due, s.Sent, s.Done = s.Due+shift, s.Sent+shift, s.Done+shift
	return s
}

// recorded returns all that the shards hold.
func (l *Loop) recorded() *record.Record {
	total := l.newRecord()
	for _, h := range l.shards {
		h.mu.Lock()
		total.Merge(h.seen)
		h.mu.Unlock()
	}
	return total
}

func (l *Loop) newRecord() *record.Record {
	return record.New(l.cfg.Schedule != nil, l.cfg.Thresholds)
}

// Peek returns the record of the requests that have finished so far. Those in
// flight or waiting to be sent are not counted in it at all. It may be called from
// any goroutine once the loop is running.
func (l *Loop) Peek() *record.Record {
	r := l.recorded()
	r.From = l.start
	r.Until = l.cfg.Origin + max(0, l.now()-l.cfg.Warmup)
	r.Offering = r.Until
	return r
}

// outcome returns the whole record, including the requests that never ended.
func (l *Loop) outcome(interrupted bool) *record.Record {
	r := l.recorded()
	r.From = l.start
	r.Interrupted = interrupted
	r.Abandoned = l.abandoned
	r.Loops = l.cfg.loops()
	for _, t := range l.tables {
		t.addTo(r)
	}
	elapsed := max(0, l.now()-l.cfg.Warmup)
	if r.Unfinished > 0 || r.Unsent > 0 {
		r.Elapsed = max(r.Elapsed, l.cfg.Origin+elapsed)
	}
	// These were counted when requests were issued, not when they ended, so that
	// Record.Check finds a request that was lost in between.
	r.Warmup.Sent = l.warm.Load()
	r.Sent = l.issued.Load() - r.Warmup.Sent
	if l.cfg.Schedule == nil {
		r.Due, r.Warmup.Due = r.Sent, r.Warmup.Sent
		r.Until = l.cfg.Origin + min(l.cfg.Duration, elapsed)
		r.Offering = r.Until
	} else {
		t := l.tables[0] // the only one
		r.Due, r.Warmup.Due = t.released, t.releasedWarm
		r.Until = l.cfg.Origin + max(0, t.offered-l.cfg.Warmup)
		r.Offering = l.cfg.Before + l.cfg.Schedule.gaps(t.released, l.cfg.Warmup, t.offered)
	}
	return r
}
