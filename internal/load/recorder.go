package load

import (
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A shard records what some of the permits see. There is one for each
// processor, not for each permit: its lock is hardly ever contended, and
// 10,000 permits do not mean 10,000 histograms.
type shard struct {
	mu   sync.Mutex
	seen *record.Record

	_ [64]byte // keeps a neighbour's lock off this cache line
}

// record counts a request that is over, its instants still offsets from the
// start of the loop. In steady state it allocates nothing.
func (h *shard) record(s *record.Sample, cfg *Config) {
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
func (c *Config) inCourse(s record.Sample) record.Sample {
	shift := c.shift()
	s.Due, s.Sent, s.Done = s.Due+shift, s.Sent+shift, s.Done+shift
	return s
}

// recorded is all that the shards hold.
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

// Peek is what is over so far: what is in flight, or waits to be sent, is in no
// count of it. It may be called from any goroutine once the loop is running.
func (l *Loop) Peek() *record.Record {
	r := l.recorded()
	r.From = l.start
	r.Offering = l.cfg.Origin + max(0, l.now()-l.cfg.Warmup)
	return r
}

// outcome adds to what was recorded what never ended, and returns it all.
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
	// Counted when they were issued, apart from what became of them, so that a
	// request that got lost in between is found.
	r.Warmup.Sent = l.warm.Load()
	r.Sent = l.issued.Load() - r.Warmup.Sent
	if l.cfg.Schedule == nil {
		r.Due, r.Warmup.Due = r.Sent, r.Warmup.Sent
		r.Offering = l.cfg.Origin + min(l.cfg.Duration, elapsed)
	} else {
		t := l.tables[0] // the only one
		r.Due, r.Warmup.Due = t.released, t.releasedWarm
		r.Offering = l.cfg.Origin + max(0, t.offered-l.cfg.Warmup)
	}
	return r
}

// Progress is how far a run has come, warm-up apart.
type Progress struct {
	Elapsed           time.Duration // since the start, warm-up included
	Succeeded, Failed int64
}
