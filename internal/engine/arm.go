package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// leaveAfter is how long the server of a handler waits, at its end, for calls
// that do not heed their contexts. Chosen: short of what a test has left when
// its deadline ends a run.
const leaveAfter = time.Second

// An arm is a target made ready: what a plan sends to, over connections that
// last from one stretch of load to the next.
type arm struct {
	plan   *Plan
	pool   *wire.Pool     // nil for a function
	server *target.Server // of a handler
	muxes  []load.Mux     // made when first needed; none where goroutines send
	next   int64          // number of the next arrival: each has its own, whatever stretch it is in
}

// A stretch is load without a break.
type stretch struct {
	schedule *load.Schedule // nil for a closed workload
	origin   time.Duration  // where in the run's course it begins, its warm-up left out
	warmup   time.Duration
	duration time.Duration // warm-up apart; 0 means no bound
	requests int64         // warm-up apart; 0 means no bound
	grace    time.Duration
	alone    bool // one request at a time, whatever the concurrency

	watched func(loop *load.Loop, over <-chan struct{}) // runs beside it, until it is over; nil for nothing
}

// merged is all of before, nil for nothing, and of the stretch that followed.
func merged(before, o *record.Record) *record.Record {
	if before == nil {
		return o
	}
	before.Merge(o)
	return before
}

// course is where the stretch after o begins; o is nil before the first.
func course(o *record.Record) time.Duration {
	if o == nil {
		return 0
	}
	return o.Course()
}

// whole is all that p asks for, in one stretch.
func (p *Plan) whole() stretch {
	o := &p.opts
	return stretch{
		schedule: p.schedule, warmup: o.Warmup, duration: o.Duration, requests: o.Requests, grace: o.Grace,
	}
}

// later is s for the stretch after so many others: where arrivals are random
// they must not come at the same times again.
func later(s *load.Schedule, stretches int) *load.Schedule {
	if s == nil || stretches == 0 {
		return s
	}
	l := *s
	l.Seed += uint64(stretches)
	return &l
}

// open makes the target ready and checks that it can be reached.
func (p *Plan) open(ctx context.Context) (*arm, error) {
	a := &arm{plan: p}
	if p.opts.Func != nil {
		return a, nil
	}
	if err := a.connect(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// connect serves a handler and opens the first connection.
func (a *arm) connect(ctx context.Context) (err error) {
	p := a.plan
	cfg := wire.Config{Request: p.request, Timeout: p.opts.Timeout}
	config := p.opts.TLSConfig
	if p.opts.Handler != nil {
		a.server, err = target.Serve(p.opts.Handler, target.ServeOptions{TLS: p.opts.TLS, Grace: leaveAfter})
		if err != nil {
			return err
		}
		cfg.Explain = a.server.Panic
		if p.opts.inMemory() {
			cfg.Dialer.Connect = a.server.Dial
		}
		config = &tls.Config{RootCAs: a.server.CertPool()}
		if cfg.Request, err = p.newRequest(a.server.URL + p.opts.Path); err != nil {
			return err
		}
	}
	if cfg.Request.TLS() {
		if config == nil {
			config = &tls.Config{}
		}
		cfg.Dialer.TLS = config.Clone()
		if cfg.Dialer.TLS.ServerName == "" {
			cfg.Dialer.TLS.ServerName = cfg.Request.Host()
		}
	}
	if !p.opts.inMemory() { // whose connections need no descriptors
		if err := wire.CheckFiles(p.permits(), p.opts.Handler != nil); err != nil {
			return err
		}
	}
	a.pool = wire.New(cfg)
	return a.pool.Open(ctx)
}

// close frees the target. Its error says what went on nevertheless.
func (a *arm) close() error {
	if a.alone() {
		// The system takes its time for thousands of connections, and nobody
		// here has to wait for it.
		go a.hangUp()
		return nil
	}
	a.hangUp()
	if a.server != nil {
		return a.server.Close()
	}
	return nil
}

// alone reports whether nothing else in this process works while load is made.
func (a *arm) alone() bool { return a.plan.opts.Alone && a.server == nil }

// hangUp closes every connection.
func (a *arm) hangUp() {
	a.closeMuxes()
	if a.pool != nil {
		a.pool.Close()
	}
}

// openMuxes makes the event loops, if they can send what is asked for.
func (a *arm) openMuxes() error {
	loops := a.plan.loops(a.pool.Loopback(), ownProcessors())
	for len(a.muxes) < loops {
		m, err := a.pool.NewMux(a.plan.opts.Concurrency, loops, a.alone())
		if m == nil || err != nil {
			return err
		}
		a.muxes = append(a.muxes, m)
	}
	return nil
}

func (a *arm) closeMuxes() {
	for _, m := range a.muxes {
		m.Close()
	}
	a.muxes = nil
}

// run makes a stretch of load. See [Plan.Run] for ctx and cut.
func (a *arm) run(ctx, cut context.Context, s stretch, m *monitor) (*record.Record, error) {
	cfg, err := a.config(s)
	if err != nil {
		return nil, err
	}
	if cfg.Sleeper != nil {
		defer cfg.Sleeper.Close()
	}
	loop := load.New(cfg)
	defer m.follows(loop)()
	o := a.describe(s.run(loop, ctx, cut))
	o.Load = s.workload(o)
	a.next += o.Due + o.Warmup.Due
	if o.Unfinished+o.Warmup.Unfinished > 0 {
		a.closeMuxes() // with what it still had under way
	}
	return o, nil
}

// workload says in a few words what the target was offered in s, of which o is
// the record.
func (s *stretch) workload(o *record.Record) string {
	switch {
	case s.schedule == nil:
		return fmt.Sprintf("closed, %d at a time", o.Concurrency)
	case s.schedule.Endless:
		return fmt.Sprintf("open, %.4g/s", s.schedule.Peak())
	}
	return fmt.Sprintf("open, %.4g/s on average", float64(o.Due)/o.Course().Seconds())
}

// run runs loop, which makes s, under the eyes of whoever watches.
func (s *stretch) run(loop *load.Loop, ctx, cut context.Context) *record.Record {
	if s.watched == nil {
		return loop.Run(ctx, cut)
	}
	over, left := make(chan struct{}), make(chan struct{})
	go func() { s.watched(loop, over); close(left) }()
	defer func() { close(over); <-left }()
	return loop.Run(ctx, cut)
}

// config is what the load needs to know of a stretch.
func (a *arm) config(s stretch) (load.Config, error) {
	o := &a.plan.opts
	cfg := load.Config{
		Schedule:    s.schedule,
		Requests:    s.requests,
		Duration:    s.duration,
		Warmup:      s.warmup,
		Concurrency: o.Concurrency,
		Timeout:     o.Timeout,
		Grace:       s.grace,
		Ahead:       a.plan.ahead,
		First:       a.next,
		Origin:      s.origin,
		Thresholds:  verdict.Thresholds(a.plan.opts.Limits),
	}
	if o.Log != nil {
		cfg.OnFailed = a.plan.logFailed
	}
	if s.alone {
		cfg.Concurrency = 1
	}
	var err error
	if a.pool != nil && !o.Portable {
		err = a.openMuxes()
		if cfg.Muxes = a.muxes; len(cfg.Muxes) > 0 || err != nil {
			return cfg, err
		}
	}
	if a.pool != nil {
		cfg.NewSender = a.pool.NewSender
	} else {
		cfg.NewSender = func() load.Sender {
			return wire.NewFunc(o.Func, a.plan.id, o.Timeout)
		}
	}
	cfg.Sleeper, err = load.NewSleeper()
	return cfg, err
}

// nothing is the record of no load at all.
func (a *arm) nothing() *record.Record {
	return a.describe(record.New(a.plan.schedule != nil, verdict.Thresholds(a.plan.opts.Limits)))
}

// describe adds to o where its load came from and went to.
func (a *arm) describe(o *record.Record) *record.Record {
	o.Concurrency, o.Processors = a.plan.opts.Concurrency, processors(o)
	switch {
	case a.plan.opts.URL == "":
		o.Place = record.InProcess
	case a.pool.Loopback():
		o.Place = record.Loopback
	}
	return o
}

// logFailed writes one failed request to the log.
func (p *Plan) logFailed(f *record.Sample) {
	attrs := []any{
		slog.String("id", p.id(f.N)),
		slog.Duration("due", f.Due),
		slog.Duration("response_time", f.ResponseTime()),
	}
	if f.Kind == record.NoError {
		attrs = append(attrs, slog.Int("status", f.Status))
	} else {
		attrs = append(attrs, slog.String("kind", f.Kind.String()), slog.Any("error", f.Err))
	}
	p.opts.Log.Warn("request failed", attrs...)
}
