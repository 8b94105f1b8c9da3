package load

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Config says what load to make. At least one of Requests, Duration and a
// Schedule with an end must be set.
type Config struct {
	Schedule    *Schedule     // open workload; nil means closed: an arrival is due when a permit takes it
	Requests    int64         // how many, after the warm-up; 0 means no bound
	Duration    time.Duration // how long, after the warm-up; 0 means no bound
	Warmup      time.Duration // what is due before its end is counted apart
	Concurrency int           // permits; >= 1
	Timeout     time.Duration // of one exchange, from sent; > 0
	Grace       time.Duration // how long requests may go on after the last has become due
	Ahead       int           // open workload: permits to connect before the start

	// A run may be made in stretches, each a Loop of its own whose outcomes
	// are merged. These say what came before this one, except the warm-up.
	First  int64         // the number of its first arrival
	Origin time.Duration // where in the course of the run it begins

	Thresholds []time.Duration      // response times to count exactly
	NewSender  func() Sender        // called once for each permit, never concurrently; not used with Muxes
	Muxes      []Mux                // perform all exchanges, each from one goroutine; the caller closes them; none means a Sender and a goroutine for each permit
	Sleeper    Sleeper              // wakes the pacer of an open workload; the caller closes it; not used with Muxes
	OnFailed   func(*record.Sample) // called for each failed request that counts, on the sending goroutine, with its instants in the course of the run; may be nil
}

// Permits is how many permits can be in use at once.
func (c *Config) Permits() int {
	if c.Schedule == nil && c.Requests > 0 && c.Warmup == 0 {
		return int(min(int64(c.Concurrency), c.Requests))
	}
	return c.Concurrency
}

// loops is how many Muxes send.
func (c *Config) loops() int { return min(len(c.Muxes), c.tables()) }

// tables is among how many tables the permits are shared. In an open workload
// arrivals wait in one line for all of them. In a closed one each event loop has
// a table of its own, or else each permit, so that goroutines never wait for
// each other.
func (c *Config) tables() int {
	switch {
	case c.Schedule != nil:
		return 1
	case len(c.Muxes) > 0:
		return min(len(c.Muxes), c.Permits())
	}
	return c.Permits()
}

// shift is what takes an offset from the start of the loop, warm-up included,
// to one in the course of the run.
func (c *Config) shift() time.Duration { return c.Origin - c.Warmup }

// maxShards bounds the memory of recording, about 2 MB a shard. With this many,
// permits hardly ever wait for each other.
const maxShards = 8

// A Loop is one run of a load. Make it with [New] and run it once.
type Loop struct {
	cfg     Config
	start   time.Time
	started atomic.Bool // start is set, for others to read
	shards  []*shard
	tables  []*table // among which the permits are shared; an open workload has one

	issued  atomic.Int64 // arrivals that permits have taken, warm-up included: the index of the next
	warm    atomic.Int64 // those of them that were due in the warm-up
	tickets atomic.Int64 // closed workload: how often one was asked for after the warm-up, to give out Requests

	ctx       context.Context // of Run: once it is cancelled nothing more is issued
	stopped   atomic.Int64    // nor once this is set, to the offset at which it was
	stopping  chan struct{}   // closed with it
	ended     atomic.Int64    // if above 0, the offset from which on nothing becomes due; see End
	serving   sync.WaitGroup  // goroutines that send
	abandoned int64           // exchanges that were cut off and did not end
}

// New prepares a run.
func New(cfg Config) *Loop {
	l := &Loop{cfg: cfg, stopping: make(chan struct{})}
	n := cfg.tables()
	for range min(n, max(cfg.loops(), min(runtime.GOMAXPROCS(0), maxShards))) {
		l.shards = append(l.shards, &shard{seen: l.newRecord()})
	}
	for i := range n {
		permits := (cfg.Permits() + i) / n // which add up to all
		l.tables = append(l.tables, newTable(l, permits, l.shards[i%len(l.shards)]))
	}
	return l
}

// Run makes the load and returns what was seen once all of it is over. When ctx
// is cancelled it issues nothing more and lets what is in flight finish within
// the grace period; when cut is cancelled it ends at once. The outcome is
// complete either way.
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

// stop makes nothing more be issued.
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
	l.start = time.Now()
	l.started.Store(true)
}

// Progress returns how far the run has come. It may be called from any goroutine.
func (l *Loop) Progress() Progress {
	if !l.started.Load() {
		return Progress{}
	}
	p := Progress{Elapsed: l.now()}
	for _, h := range l.shards {
		h.mu.Lock()
		p.Succeeded += h.seen.Succeeded
		p.Failed += h.seen.Failed
		h.mu.Unlock()
	}
	return p
}

// lookEvery is how often Reaches looks how far a loop has come.
const lookEvery = 100 * time.Millisecond

// Reaches waits until the loop has come to an offset from its start. It returns
// false if over is closed before. It may be called from any goroutine.
func (l *Loop) Reaches(at time.Duration, over <-chan struct{}) bool {
	for {
		left := at - l.Progress().Elapsed // which is 0 before the start
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

// now is the present as an offset from the start of the run.
func (l *Loop) now() time.Duration { return time.Since(l.start) }

// End makes nothing more become due from now on. Unlike a cancelled context it
// is no interruption: all that is due is still sent. It may be called from any
// goroutine once the loop runs.
func (l *Loop) End() {
	l.ended.CompareAndSwap(0, max(1, int64(l.now())))
	for _, m := range l.cfg.Muxes {
		m.Wake()
	}
	if l.cfg.Sleeper != nil {
		l.cfg.Sleeper.Wake()
	}
}

// end is when nothing more becomes due; ok is false if the clock does not
// decide that.
func (l *Loop) end() (at time.Duration, ok bool) {
	if ended := l.ended.Load(); ended > 0 {
		return time.Duration(ended), true
	}
	return l.cfg.Warmup + l.cfg.Duration, l.cfg.Duration > 0
}

// untilCutOff is how long it is until the grace period of a run that is not
// cancelled ends: forever if only its number of requests bounds it.
func (l *Loop) untilCutOff() time.Duration {
	end, ok := l.end()
	if s := l.cfg.Schedule; s != nil && !s.Endless && (!ok || s.Length() < end) {
		end, ok = s.Length(), true
	}
	if !ok {
		return forever
	}
	return end + l.cfg.Grace - l.now()
}

const forever = time.Duration(math.MaxInt64)

// issue gives out the next arrival of a closed workload, which is due now; ok
// is false if there are no more.
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
