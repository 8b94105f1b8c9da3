package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
)

// watchEvery is how often a Watch is told of progress.
const watchEvery = 100 * time.Millisecond

// leaveAfter is how long the server of a handler waits, at its end, for calls
// that do not heed their contexts. Chosen: short of what a test has left when
// its deadline ends a run.
const leaveAfter = time.Second

// A Watch is told how far a run has come, every 100 ms and once at its end, from
// one goroutine at a time.
type Watch func(Progress)

// Progress is how far a run has come.
type Progress struct {
	load.Progress
	Doing string // such as "pair 37 of at most 200" or "pausing before the repeat"; "" in a plain run
}

// Run makes the load that p describes and returns its report. Cancelling ctx
// issues nothing more and lets what is in flight finish within the grace
// period; cancelling cut ends it at once; the report is whole either way. An
// error means that the run could not be made, or its counts do not add up. It
// says what to do where that is known.
func (p *Plan) Run(ctx, cut context.Context, watch Watch) (*report.Report, error) {
	w, closeTarget, err := p.open(ctx)
	if err != nil {
		return nil, err
	}
	cfg, err := p.config(w)
	if err != nil {
		return nil, errors.Join(err, closeTarget())
	}
	if cfg.Sleeper != nil {
		defer cfg.Sleeper.Close()
	}

	sensors := host.Start(os.DirFS("/"))
	loop := load.New(cfg)
	watched := watching(loop, watch)
	outcome := loop.Run(ctx, cut)
	watched()
	r := p.report(outcome, sensors.Stop(), w)
	if err := closeTarget(); err != nil {
		r.Generator.Warnings = append(r.Generator.Warnings, report.Warning{Code: "abandoned", Text: err.Error()})
	}
	if err := report.CheckConservation(r); err != nil {
		return nil, fmt.Errorf("the counts of this run do not add up, which is a defect of load-tester: %w", err)
	}
	return r, nil
}

// open makes the target ready and checks that it can be reached. w is nil for a
// function. closeAll frees both; its error says what went on nevertheless.
func (p *Plan) open(ctx context.Context) (w *wire, closeAll func() error, err error) {
	if p.opts.Func != nil {
		return nil, func() error { return nil }, nil
	}
	w = &wire{request: p.request, timeout: p.opts.Timeout, dials: make(chan struct{}, dialsAtOnce)}
	closeAll = func() error { w.close(); return nil }
	config := p.opts.TLSConfig
	if p.opts.Handler != nil {
		server, err := target.Serve(p.opts.Handler, target.ServeOptions{
			TLS: p.opts.TLS, Grace: leaveAfter,
		})
		if err != nil {
			return nil, nil, err
		}
		closeAll = func() error { w.close(); return server.Close() }
		w.explain = server.Panic
		config = &tls.Config{RootCAs: server.CertPool()}
		if w.request, err = p.newRequest(server.URL + p.opts.Path); err != nil {
			closeAll()
			return nil, nil, err
		}
	}
	if w.request.TLS() {
		if config == nil {
			config = &tls.Config{}
		}
		w.dialer.TLS = config.Clone()
		if w.dialer.TLS.ServerName == "" {
			w.dialer.TLS.ServerName = w.request.Host()
		}
	}
	if err := p.preflight(ctx, w); err != nil {
		closeAll()
		return nil, nil, err
	}
	return w, closeAll, nil
}

// config is what the load needs to know of p.
func (p *Plan) config(w *wire) (load.Config, error) {
	o := &p.opts
	cfg := load.Config{
		Schedule:    p.schedule,
		Requests:    o.Requests,
		Duration:    o.Duration,
		Warmup:      o.Warmup,
		Concurrency: o.Concurrency,
		Timeout:     o.Timeout,
		Grace:       o.Grace,
		Ahead:       p.ahead,
		Thresholds:  p.thresholds(),
	}
	if o.endless() {
		cfg.Duration = time.Second
	}
	if o.Log != nil {
		cfg.OnFailed = p.logFailed
	}
	var err error
	if w != nil && !o.Portable {
		if cfg.Mux, err = w.newMux(cfg.Permits()); cfg.Mux != nil || err != nil {
			return cfg, err
		}
	}
	if w != nil {
		cfg.NewSender = func() load.Sender { return &wireSender{wire: w} }
	} else {
		cfg.NewSender = func() load.Sender {
			return &funcSender{call: o.Func, id: p.id, timeout: o.Timeout}
		}
	}
	cfg.Sleeper, err = load.NewSleeper()
	return cfg, err
}

// thresholds are the response times to count exactly, one for each limit that
// needs it, in their order.
func (p *Plan) thresholds() (ts []time.Duration) {
	for _, l := range p.opts.Limits {
		if t, ok := l.Threshold(); ok {
			ts = append(ts, t)
		}
	}
	return ts
}

// logFailed tells the log of one failed request, if it is one of those that are
// reported.
func (p *Plan) logFailed(s *load.Sample) {
	if s.Due < p.opts.Warmup {
		return
	}
	attrs := []any{
		slog.String("id", p.id(s.N)),
		slog.Duration("due", s.Due-p.opts.Warmup),
		slog.Duration("response_time", s.ResponseTime()),
	}
	if s.Kind == http1.NoError {
		attrs = append(attrs, slog.Int("status", s.Status))
	} else {
		attrs = append(attrs, slog.String("kind", s.Kind.String()), slog.Any("error", s.Err))
	}
	p.opts.Log.Warn("request failed", attrs...)
}

// watching tells watch of the loop's progress until the returned function is
// called.
func watching(loop *load.Loop, watch Watch) (end func()) {
	if watch == nil {
		return func() {}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		t := time.NewTicker(watchEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				watch(Progress{Progress: loop.Progress()})
			case <-stop:
				watch(Progress{Progress: loop.Progress()})
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}
