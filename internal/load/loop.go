package load

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A Config says what load to make. Some end must be set: Requests, Duration or
// a Schedule that has one.
type Config struct {
	Schedule    *Schedule     // open workload; nil means closed: an arrival is due when a permit takes it
	Requests    int64         // how many, after the warm-up; 0 means no bound
	Duration    time.Duration // how long, after the warm-up; 0 means no bound
	Warmup      time.Duration // what is due before its end is counted apart
	Concurrency int           // permits; >= 1
	Timeout     time.Duration // of one exchange, from sent; > 0
	Grace       time.Duration // how long requests may go on when no more become due
	Ahead       int           // permits to connect before the start

	// A run may be made in stretches, each a Loop of its own whose outcomes
	// are merged: what came before this one, warm-up apart.
	First  int64         // the number of its first arrival
	Origin time.Duration // where in the run's course it begins

	Thresholds []time.Duration      // response times to count exactly
	NewSender  func() Sender        // called once a permit, never concurrently; not used with Muxes
	Muxes      []Mux                // perform all exchanges, each from one goroutine; closing them is the caller's; none means a Sender and a goroutine for each permit
	Sleeper    Sleeper              // wakes the pacer of an open workload; closing it is the caller's
	OnFailed   func(*record.Sample) // called for each failed request, by whose goroutine sends; nil means nobody asks
}

// Permits is how many permits can be out at once.
func (c *Config) Permits() int {
	if c.Schedule == nil && c.Requests > 0 && c.Warmup == 0 {
		return int(min(int64(c.Concurrency), c.Requests))
	}
	return c.Concurrency
}

// loops is how many Muxes send: one an open workload, whose arrivals wait in one
// line for all permits; in a closed one all that get a permit.
func (c *Config) loops() int {
	if c.Schedule != nil {
		return min(len(c.Muxes), 1)
	}
	return min(len(c.Muxes), c.Permits())
}

// cursor returns a cursor at the first arrival.
func (c *Config) cursor() Cursor {
	cursor := c.Schedule.Cursor()
	cursor.first = c.First
	return cursor
}

// shift is what takes an offset from the start of the loop, warm-up included,
// to one in the course of the run.
func (c *Config) shift() time.Duration { return c.Origin - c.Warmup }

var (
	// errTimeout is the cause of a request that its Sender ended too late.
	errTimeout = errors.New("no complete response within the timeout")
	// errEnded is the cause of one that ended the goroutine it was made on.
	errEnded = errors.New("the function ended its goroutine, as t.Fatal and t.FailNow do; return an error instead")
)

// maxShards bounds the memory of recording, about 2 MB a shard. Chosen: so many
// processors recording at once hardly ever meet.
const maxShards = 8

// A Loop is one run of a load. Make it with [New] and run it once.
type Loop struct {
	cfg     Config
	start   time.Time
	started atomic.Bool // start is set, for others to read
	permits permits
	shards  []*shard

	issued  atomic.Int64 // arrivals that permits have taken, warm-up included: the next one's index
	warm    atomic.Int64 // those that were due in the warm-up
	tickets atomic.Int64 // closed: asked for after the warm-up, to give out Requests of them

	// Arrivals that the pacer has released, warm-up apart, and until when it
	// has done so. It alone writes them, and it has ended before they are read.
	released, releasedWarm int64
	offered                time.Duration

	ctx      context.Context // of Run: once it is cancelled nothing more is issued
	stopped  atomic.Bool     // nor once this is set
	ended    atomic.Int64    // if above 0, the offset from which on nothing becomes due; see End
	stopping chan struct{}   // closed with it
	stuck    chan struct{}   // closed when nothing is left but what heeds no timeout
	serving  sync.WaitGroup
}

// New prepares a run.
func New(cfg Config) *Loop {
	l := &Loop{cfg: cfg, stopping: make(chan struct{}), stuck: make(chan struct{})}
	l.permits.max = cfg.Concurrency
	shards := min(runtime.GOMAXPROCS(0), maxShards)
	if loops := cfg.loops(); loops > 0 {
		shards = loops
	}
	for range shards {
		l.shards = append(l.shards, &shard{seen: l.newRecord()})
	}
	return l
}

// Run makes the load and returns what was seen once all of it is over. When ctx
// is cancelled it issues nothing more and lets what is in flight finish within
// the grace period; when cut is cancelled it ends at once. The outcome is whole
// either way.
func (l *Loop) Run(ctx, cut context.Context) *record.Record {
	l.ctx = ctx
	if len(l.cfg.Muxes) > 0 {
		return l.finish(l.runMuxes(ctx, cut))
	}
	l.connectAhead(ctx)
	l.begin()
	if l.cfg.Schedule == nil {
		l.startClosed()
	} else {
		l.startOpen()
	}
	served := make(chan struct{})
	go func() { l.serving.Wait(); close(served) }()
	over := make(chan struct{})
	defer close(over)
	go l.sweep(over)
	return l.finish(l.await(ctx, cut, served))
}

// halted reports whether nothing more may be issued. It looks at the context
// itself: who has cancelled it need not wait for that to be noticed.
func (l *Loop) halted() bool { return l.stopped.Load() || l.ctx.Err() != nil }

// begin starts the clock.
func (l *Loop) begin() {
	l.start = time.Now()
	l.started.Store(true)
}

// Progress says how far the run has come. It may be called from any goroutine.
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

// now is the present as an offset from the start of the run.
func (l *Loop) now() time.Duration { return time.Since(l.start) }

// End makes nothing more become due from now on. Unlike a cancelled context it
// is no interruption: all that is due is still sent. It may be called from any
// goroutine once the loop is under way.
func (l *Loop) End() {
	l.ended.CompareAndSwap(0, max(1, int64(l.now())))
	for _, m := range l.cfg.Muxes {
		m.Wake()
	}
	if l.cfg.Sleeper != nil {
		l.cfg.Sleeper.Wake()
	}
}

// end is when nothing more becomes due; ok is false if the clock does not say.
func (l *Loop) end() (at time.Duration, ok bool) {
	if ended := l.ended.Load(); ended > 0 {
		return time.Duration(ended), true
	}
	return l.cfg.Warmup + l.cfg.Duration, l.cfg.Duration > 0
}

// newPermit makes a permit; permits.mu must be held.
func (l *Loop) newPermit() *permit {
	return &permit{
		sender: l.cfg.NewSender(),
		shard:  l.shards[len(l.permits.opened)%len(l.shards)],
		hand:   make(chan Arrival, 1),
	}
}

// startClosed starts as many permits as the requests can use.
func (l *Loop) startClosed() {
	l.permits.mu.Lock()
	defer l.permits.mu.Unlock()
	for range l.cfg.Permits() {
		p, _ := l.permits.acquire(l.newPermit)
		l.serving.Go(func() { l.serveClosed(p) })
	}
}

// serveClosed makes p take arrivals until there are no more.
func (l *Loop) serveClosed(p *permit) {
	defer l.leave(p, func() { l.serveClosed(p) })
	for {
		now := l.now()
		n, ok := l.take(now)
		if !ok {
			return
		}
		l.exchange(p, Arrival{n, now}, now, 0)
	}
}

// leave is the last that the goroutine which serves p does. That is too early
// if Go code under test has ended the goroutine: then its request has failed,
// and goOn serves p from another one.
func (l *Loop) leave(p *permit, goOn func()) {
	if p.began.Load() != 0 {
		l.over(p, record.Result{Kind: record.Check, Err: errEnded})
		l.serving.Go(goOn)
		return
	}
	p.sender.Close()
	p.left.Store(true)
}

// take gives out the next arrival of a closed workload, which is due now.
func (l *Loop) take(now time.Duration) (n int64, ok bool) {
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

// exchange sends arrival a, at the present offset sent, and records it.
func (l *Loop) exchange(p *permit, a Arrival, sent, waited time.Duration) {
	var idled time.Duration
	if p.done > 0 {
		idled = sent - p.done
	}
	p.begin(a, sent, waited)
	l.over(p, p.sender.Send(a.N, idled))
}

// over ends the exchange that p has under way, with what came of it.
func (l *Loop) over(p *permit, r record.Result) {
	s := p.sample()
	s.Result, s.Done = r, l.now()
	p.done = s.Done
	began := p.end()
	if began == cutOff {
		return
	}
	l.record(p.shard, &s, began == timedOut)
	if rest := s.Pause - s.ServiceTime(); rest > 0 {
		l.pause(rest)
	}
}

// record counts a request that is over in h; expired says that it was told to
// end.
func (l *Loop) record(h *shard, s *record.Sample, expired bool) {
	if s.Kind != record.Timeout && s.Kind != record.ConnectTimeout && (expired || s.ServiceTime() > l.cfg.Timeout) {
		s.Status, s.Kind, s.Err = 0, record.Timeout, errTimeout
	}
	h.record(s, &l.cfg)
	if l.cfg.OnFailed != nil && s.Due >= l.cfg.Warmup && !s.Succeeded() {
		failed := l.cfg.inCourse(*s) // which may escape: s itself must not cost an allocation
		l.cfg.OnFailed(&failed)
	}
}

// pause rests for d, or until nothing more is issued.
func (l *Loop) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.stopping:
	}
}
