package engine

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// leaveAfter is how long the server of a handler waits, at its end, for calls
// that ignore their contexts: less than what a test has left when its deadline
// ends a run.
const leaveAfter = time.Second

// An arm is a target made ready: what a plan sends to, over connections that
// last from one stretch of load to the next.
type arm struct {
	*armPlan
	pool   *wire.Pool      // nil for a function
	server *target.Server  // of a handler
	child  *target.Command // the server of a command
	muxes  []load.Mux      // made when first needed; none where goroutines send
	next   int64           // number of the next arrival: each has its own, whatever stretch it is in
	seen   *record.Record  // of all stretches that count
}

// open makes the target ready and checks that it can be reached.
func (p *armPlan) open(ctx context.Context) (*arm, error) {
	a := &arm{armPlan: p, seen: p.newRecord()}
	if p.target.Func != nil {
		return a, nil
	}
	if err := a.connect(ctx); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (p *armPlan) newRecord() *record.Record {
	return record.New(p.schedule != nil, verdict.Thresholds(p.limits))
}

// connect serves a handler and opens the first connection.
func (a *arm) connect(ctx context.Context) (err error) {
	t := &a.target
	cfg := wire.Options{Request: a.request, Timeout: a.Timeout, First: t.Address == FirstAddress, Check: t.Check, Follow: t.FollowRedirects, TLS: t.TLSConfig, NoRetry: t.NoRetry}
	cfg.Dialer.Clock = a.clock()
	config := &tls.Config{}
	if t.TLSConfig != nil {
		config = t.TLSConfig.Clone()
	}
	if t.Handler != nil {
		serve := target.ServeOptions{Grace: leaveAfter}
		var more []http1.Field
		if !a.inMemory() {
			serve.TCP, serve.TLS, serve.Token = true, t.TLS, rand.Text()
			more = append(more, http1.Field{Name: target.TokenHeader, Value: serve.Token})
		}
		a.server, err = target.Serve(t.Handler, serve)
		if err != nil {
			return err
		}
		cfg.Explain = a.server.Panic
		cfg.Alone = true
		cfg.NoRetry = true // our server closes no idle connection: it was the handler
		if a.inMemory() {
			cfg.Dialer.Connect = a.server.Dial
		}
		config.RootCAs = a.server.CertPool()
		cfg.Request = a.newRequest(http1.WithPath(a.server.URL, t.Path), more...)
	}
	if t.Command != nil {
		if a.child, err = target.StartCommand(ctx, t.Command); err != nil {
			return err
		}
		cfg.Request = a.newRequest(http1.WithPath(a.child.URL, t.Path))
	}
	if cfg.Request.TLS() {
		cfg.Dialer.TLS = config
		if config.ServerName == "" {
			config.ServerName = cfg.Request.Host()
		}
	}
	if a.usesFiles() {
		permits := load.Workload{Schedule: a.schedule, Requests: a.requests, Warmup: a.Warmup, Concurrency: a.Concurrency}
		if err := wire.CheckFiles(permits.Permits(), a.ends()); err != nil {
			return err
		}
	}
	a.pool = wire.New(cfg)
	return a.pool.Open(ctx)
}

// close frees the target. Its error says what went on nevertheless.
func (a *arm) close() error {
	if a.nothingElse() {
		// The system takes its time for thousands of connections, and the
		// process need not wait for it.
		go a.hangUp()
	} else {
		a.hangUp()
	}
	switch {
	case a.server != nil:
		return a.server.Close()
	case a.child != nil:
		return a.child.Close()
	}
	return nil
}

// lost returns an error if the server of a command has ended.
func (a *arm) lost() error {
	if a.child == nil {
		return nil
	}
	return a.child.Check()
}

// nothingElse reports whether nothing else in this process works while load is
// made.
func (a *arm) nothingElse() bool { return a.Alone && a.server == nil }

// hangUp closes every connection.
func (a *arm) hangUp() {
	a.closeMuxes()
	if a.pool != nil {
		a.pool.Close()
	}
}

// openMuxes makes the event loops, if they can send what is asked for.
func (a *arm) openMuxes() error {
	loops := 1 // an open workload has one, see [load.Workload]
	if a.schedule == nil {
		loops = a.pool.Loops(a.Concurrency, host.Processors())
	}
	for len(a.muxes) < loops {
		m, err := a.pool.NewMux(a.Concurrency, loops, a.nothingElse())
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

// openDriver returns a Driver on the arm's own connections, with the given number of
// permits or the load's concurrency, whichever is less.
func (a *arm) openDriver(ctx, cut context.Context, permits int) (*load.Driver, error) {
	cfg := a.workloadOf(stretch{schedule: a.schedule, grace: a.Grace})
	cfg.Concurrency = min(permits, a.Concurrency)
	if err := a.addMuxes(&cfg); err != nil {
		return nil, err
	}
	switch loops := len(a.muxes); {
	case loops == 0:
		a.muxes = []load.Mux{load.NewSenderMux(cfg.Concurrency, a.newSender(), a.clock())}
	case loops > 1: // among which the permits are shared
		cfg.Concurrency = min(cfg.Concurrency, a.Concurrency/loops)
	}
	return load.NewDriver(ctx, cut, cfg, a.muxes[0]), nil
}

// closeDriver ends d and counts what it sent. The connections of an event loop are
// kept for the next stretch.
func (a *arm) closeDriver(d *load.Driver) {
	d.Close()
	r := d.Record()
	a.addAnswers(r)
	a.seen.Merge(r)
	a.next = d.Next()
	if r.Loops == 0 || r.Unfinished+r.Warmup.Unfinished > 0 {
		a.closeMuxes()
	}
}

// clock returns the clock by which p's requests are measured.
func (p *armPlan) clock() clock.Clock {
	if p.Virtual {
		return clock.Bubble
	}
	return clock.System
}

// logFailed writes one failed request to the log, if that is enabled.
func (p *armPlan) logFailed(s record.Sample) {
	ctx := context.Background()
	if !p.Log.Enabled(ctx, slog.LevelWarn) {
		return
	}
	line := slog.NewRecord(time.Now(), slog.LevelWarn, "request failed", 0)
	line.AddAttrs(
		slog.String("id", p.id(s.N)),
		slog.Duration("due", s.Due),
		slog.Duration("response_time", s.ResponseTime()),
	)
	if s.Kind == record.NoError {
		line.AddAttrs(slog.String("status", unit.Status(s.Status)))
	} else {
		line.AddAttrs(slog.String("kind", s.Kind.String()), slog.String("error", unit.Line(s.Err.Error())))
	}
	_ = p.Log.Handle(ctx, line) // there is nowhere to say it
}

// describe adds to a record of a's requests what was asked for and how the
// machine did.
func (a *arm) describe(r *record.Record, machine host.Usage) {
	r.Load = a.workload(r)
	r.Concurrency = a.Concurrency
	r.Machine = machine
	switch {
	case !a.target.isOutside():
		r.Place = record.InProcess
	case a.pool.Loopback():
		r.Place = record.Loopback
	}
	// An event loop can use only one processor.
	if r.Processors = r.Loops; r.Processors == 0 {
		r.Processors = host.Processors()
	}
}

// complete describes all that was seen, once nothing more is sent.
func (a *arm) complete(machine host.Usage) *record.Record {
	a.describe(a.seen, machine)
	if a.pool != nil {
		a.seen.Connections = a.pool.Opened()
		a.seen.Addresses = a.pool.Addresses()
		a.seen.Connecting, a.seen.Handshakes = a.pool.Times()
		a.seen.Octets.Surplus += a.pool.Stray()
	}
	return a.seen
}

// facts are what a document says besides what was seen.
func (a *arm) facts(kind report.Procedure) report.Facts {
	name, _, _ := a.name()
	f := report.Facts{
		Kind: kind, Tool: report.Tool{Name: "load-tester", Version: report.Version()}, RunID: a.run,
		Config: a.config(), Target: name, Host: a.asciiHost(), ID: a.id, Limits: a.limits, Words: a.Words,
	}
	if kind == report.Run {
		f.Warmup = a.Warmup // else each block or trial has its own
	}
	return f
}
