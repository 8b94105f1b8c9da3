package engine

import (
	"context"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// A stretch is load without a break.
type stretch struct {
	schedule *load.Schedule // nil for a closed workload
	warmup   time.Duration
	duration time.Duration // warm-up apart; 0 means no bound
	requests int64         // warm-up apart; 0 means no bound
	grace    time.Duration
	spread   time.Duration // over how long the permits of a closed workload begin

	watches []func(loop *load.Loop, over <-chan struct{}) // run beside it, until over is closed
}

// whole is all that p asks for, in one stretch.
func (p *armPlan) whole() stretch {
	return stretch{schedule: p.schedule, warmup: p.Warmup, duration: p.duration, requests: p.requests, grace: p.Grace}
}

// reseeded is s for the stretch after n others: where arrivals are random they
// must not come at the same times again.
func reseeded(s *load.Schedule, n uint64) *load.Schedule {
	if s == nil {
		return nil
	}
	l := *s
	l.Seed += n
	return &l
}

// send makes a stretch of load and returns what was seen of it alone. See
// [Plan] for ctx and cut.
func (a *arm) send(ctx, cut context.Context, s stretch, m *monitor) (*record.Record, error) {
	cfg, err := a.loadConfig(s)
	if err != nil {
		return nil, err
	}
	if cfg.Sleeper != nil {
		defer cfg.Sleeper.Close()
	}
	loop := load.New(cfg)
	defer m.follow(loop)()
	r := s.run(loop, ctx, cut)
	a.next += r.Due + r.Warmup.Due
	if r.Unfinished+r.Warmup.Unfinished > 0 {
		a.closeMuxes() // with what was still in flight
	}
	a.addAnswers(r)
	return r, nil
}

// addAnswers adds to r the first response of each status that made requests fail.
// It may be one of the warm-up.
func (a *arm) addAnswers(r *record.Record) {
	if a.pool == nil || len(r.Rejected) == 0 {
		return
	}
	for status, answer := range a.pool.Answers() {
		if r.Rejected[status] > 0 {
			r.AddAnswer(status, answer)
		}
	}
}

// add makes a stretch of load that counts.
func (a *arm) add(ctx, cut context.Context, s stretch, m *monitor) (*record.Record, error) {
	r, err := a.send(ctx, cut, s, m)
	if err == nil {
		a.seen.Merge(r)
	}
	return r, err
}

// run runs loop, which makes s, and what watches it.
func (s *stretch) run(loop *load.Loop, ctx, cut context.Context) *record.Record {
	over := make(chan struct{})
	var watching sync.WaitGroup
	for _, watch := range s.watches {
		watching.Go(func() { watch(loop, over) })
	}
	defer func() { close(over); watching.Wait() }()
	return loop.Run(ctx, cut)
}

// loadConfig is what the load needs to know of a stretch.
func (a *arm) loadConfig(s stretch) (load.Workload, error) {
	cfg := a.workloadOf(s)
	if err := a.addMuxes(&cfg); len(cfg.Muxes) > 0 || err != nil {
		return cfg, err
	}
	cfg.NewSender = a.newSender()
	if a.Virtual {
		cfg.Sleeper = load.NewTimerSleeper()
		return cfg, nil
	}
	cfg.Sleeper = load.NewSleeper()
	return cfg, nil
}

// workloadOf is a stretch as the load sees it, whoever sends.
func (a *arm) workloadOf(s stretch) load.Workload {
	cfg := load.Workload{
		Schedule:    s.schedule,
		Requests:    s.requests,
		Duration:    s.duration,
		Warmup:      s.warmup,
		Concurrency: a.Concurrency,
		Spread:      s.spread,
		Timeout:     a.Timeout,
		Grace:       s.grace,
		Ahead:       a.ahead(),
		First:       a.next,
		Origin:      a.seen.Course(),
		Before:      a.seen.Offering,
		Thresholds:  a.seen.Thresholds,
		Clock:       a.clock(),
	}
	if a.Log != nil {
		cfg.OnFailed = a.logFailed
	}
	return cfg
}

// addMuxes makes event loops send, if they can send what is asked for.
func (a *arm) addMuxes(cfg *load.Workload) (err error) {
	if a.pool != nil && !a.Portable && !a.Virtual {
		err = a.openMuxes()
		cfg.Muxes = a.muxes
	}
	return err
}

// newSender returns the function that makes a permit's Sender.
func (a *arm) newSender() func() load.Sender {
	if a.pool != nil {
		return a.pool.NewSender
	}
	return func() load.Sender { return wire.NewFunc(a.target.Func, a.id, a.Timeout) }
}
