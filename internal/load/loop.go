// Package load decides when requests are sent and records what became of them: the
// schedule determines when arrivals are due, permits bound how many are in flight, the
// pacer wakes on time, and the shards of a record count. How a request is sent is up
// to the Sender or the Mux it is given.
package load

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A Workload describes the load to make. At least one of Requests, Duration and a
// Schedule with an end must be set.
type Workload struct {
	Schedule    *Schedule     // open workload; nil means closed: an arrival is due when a permit takes it
	Requests    int64         // how many, after the warm-up; 0 means no bound
	Duration    time.Duration // how long, after the warm-up; 0 means no bound
	Warmup      time.Duration // what is due before its end is counted apart
	Concurrency int           // permits; >= 1
	Spread      time.Duration // closed workload: over how long the permits begin, so that requests that take equally long are not in step; 0 means at once
	Timeout     time.Duration // of one exchange, from when it is sent; > 0
	Grace       time.Duration // how long requests may go on after the last has become due
	Ahead       int           // open workload: permits to connect before the start

	// A run may be made in stretches, each a Loop of its own, whose records are
	// merged. These fields place the stretch in the run, warm-up left out.
	First  int64         // the number of its first arrival
	Origin time.Duration // where in the course of the run the stretch begins
	Before time.Duration // the Offering of the stretches before

	Thresholds []time.Duration     // response times to count exactly
	NewSender  func() Sender       // called once for each permit, never concurrently; not used with Muxes
	Muxes      []Mux               // perform all exchanges, each from one goroutine; the caller closes them; none means a Sender and a goroutine for each permit
	Clock      clock.Clock         // by which everything is measured
	Sleeper    Sleeper             // wakes the pacer of an open workload; the caller closes it; not used with Muxes
	OnFailed   func(record.Sample) // called for each failed request that counts, on the sending goroutine, with its instants in the course of the run; may be nil
}

// Permits returns how many permits can be in use at once.
func (c *Workload) Permits() int {
	if c.Schedule == nil && c.Requests > 0 && c.Warmup == 0 {
		return int(min(int64(c.Concurrency), c.Requests))
	}
	return c.Concurrency
}

// loops returns how many Muxes send.
func (c *Workload) loops() int { return min(len(c.Muxes), c.tables()) }

// tables returns the number of tables that the permits are shared among. An open
// workload has one, because arrivals wait in one line for all permits. In a closed
// workload each event loop has its own, or if there are none each permit, so that
// goroutines never wait for each other.
func (c *Workload) tables() int {
	switch {
	case c.Schedule != nil:
		return 1
	case len(c.Muxes) > 0:
		return min(len(c.Muxes), c.Permits())
	}
	return c.Permits()
}

// shift returns the difference between an offset in the course of the run and one
// from the start of the loop, warm-up included.
func (c *Workload) shift() time.Duration { return c.Origin - c.Warmup }

// maxShards bounds the memory of recording, about 2 MB per shard. With 8 shards,
// permits hardly ever wait for each other.
const maxShards = 8

// A Loop makes load once. Create it with [New].
type Loop struct {
	cfg     Workload
	start   time.Time
	started atomic.Bool // start is set, and may be read by other goroutines
	shards  []*shard
	tables  []*table // the permits; an open workload has one

	issued  atomic.Int64 // arrivals that permits have taken, warm-up included
	warm    atomic.Int64 // those that were due in the warm-up
	tickets atomic.Int64 // closed workload: attempts to take an arrival after the warm-up, compared with Requests

	ctx       context.Context // of Run: once it is cancelled, nothing more is issued
	stopped   atomic.Int64    // if above 0, the offset at which issuing was stopped
	stopping  chan struct{}   // closed when stopped is set
	ended     atomic.Int64    // if above 0, the offset from which nothing more becomes due; see End
	serving   sync.WaitGroup  // goroutines that send
	abandoned int64           // exchanges that were cut off and are still running
}

// New returns a Loop that has yet to run.
func New(cfg Workload) *Loop {
	l := &Loop{cfg: cfg, stopping: make(chan struct{})}
	n := cfg.tables()
	for range min(n, max(cfg.loops(), min(runtime.GOMAXPROCS(0), maxShards))) {
		l.shards = append(l.shards, &shard{seen: l.newRecord()})
	}
	for i := range n {
		permits := (cfg.Permits() + i) / n // which add up to all
		l.tables = append(l.tables, newTable(l, i, permits, l.shards[i%len(l.shards)]))
	}
	return l
}

// Run makes the load and returns the record of it. When ctx is cancelled, it issues
// nothing more and lets what is in flight finish within the grace period; when cut
// is cancelled, it ends at once. The record is complete either way.
func (l *Loop) Run(ctx, cut context.Context) *record.Record {
	l.ctx = ctx
	if len(l.cfg.Muxes) > 0 {
		return l.outcome(l.runMuxes(ctx, cut))
	}
	return l.outcome(l.runSenders(ctx, cut))
}

// halted reports whether nothing more may be issued. It checks the context
// itself, so that cancelling it takes effect at once.
func (l *Loop) halted() bool { return l.stopped.Load() > 0 || l.ctx.Err() != nil }

// stop ends the issuing of arrivals.
func (l *Loop) stop() {
	if l.stopped.CompareAndSwap(0, max(1, int64(l.now()))) {
		close(l.stopping)
		if l.cfg.Sleeper != nil {
			l.cfg.Sleeper.Wake()
		}
	}
}

// begin starts the clock.
func (l *Loop) begin() {
	l.start = l.cfg.Clock.Now()
	l.started.Store(true)
}

// now returns the current time as an offset from the start of the loop.
func (l *Loop) now() time.Duration { return l.cfg.Clock.Since(l.start) }

// issue returns the number of the next arrival of a closed workload, which is due
// now; ok is false if there are no more.
func (l *Loop) issue(now time.Duration) (n int64, ok bool) {
	if l.halted() {
		return 0, false
	}
	if now < l.cfg.Warmup {
		l.warm.Add(1)
	} else if end, ok := l.end(); ok && now >= end {
		return 0, false
	} else if l.cfg.Requests > 0 && l.tickets.Add(1) > l.cfg.Requests {
		return 0, false
	}
	return l.cfg.First + l.issued.Add(1) - 1, true
}
