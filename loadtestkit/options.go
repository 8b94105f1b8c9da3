package loadtestkit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Target is what receives the load: made by [Handler], [TLSHandler], [URL] or
// [Func]. The zero Target is not valid.
type Target struct {
	url     string
	handler http.Handler
	tls     bool
	call    func(context.Context) error
}

// Handler serves h in this process, on loopback, for as long as the run takes.
// Requests reach it over real connections. A panic in h is a failed request of
// kind check that carries the panic's message; the test goes on.
func Handler(h http.Handler) Target { return Target{handler: h} }

// TLSHandler is [Handler] over https, with a certificate made for the run.
func TLSHandler(h http.Handler) Target { return Target{handler: h, tls: true} }

// URL is a server that runs already, http or https. Path and query go out
// exactly as given.
func URL(url string) Target { return Target{url: url} }

// Func calls f where other targets send a request, under the same permits, the
// same schedule and the same statistics. A call that returns an error or panics
// has failed, with the kind check; one that does so because ctx ended, with
// the kind timeout. A call that does not heed ctx cannot be cut off: at the end
// it is counted as unfinished and left behind.
func Func(f func(ctx context.Context) error) Target { return Target{call: f} }

// Options describes one run. Negative values are errors, never "unlimited".
type Options struct {
	Target Target // what receives the load; required

	Path   string      // of a Handler target, with its query; "" means "/"
	Method string      // "" means GET
	Header http.Header // a field that names one of ours replaces it; nil means none
	Body   []byte      // sent with every request; must not change during the run; nil means none

	Requests    int           // stop after this many; 0 means no bound
	Duration    time.Duration // stop after this long, warm-up apart; 0 means no bound
	Concurrency int           // permits: most requests in flight; 0 means 10, or 1000 in an open workload
	Timeout     time.Duration // per request, from when it is sent, connecting included; 0 means 10s
	Grace       time.Duration // how long what is in flight may go on when a run is stopped; 0 means the timeout
	Warmup      time.Duration // what is due before its end is not reported; 0 means none

	Rate             float64 // open workload: arrivals per second in all; 0 means a closed workload
	Stages           []Stage // open workload: a rate that changes; the run ends with the last stage; nil means none
	Poisson          bool    // open workload: arrivals at random instead of evenly spaced
	Seed             uint64  // of Poisson arrivals: the same seed, the same arrivals; 0 means a random one, which the report names
	ConnectionsAhead int     // open workload: connections opened before the start; 0 means what a service time of 100 ms keeps in flight at the first rate, at most 256

	NoKeepAlive bool        // a new connection for each request
	Traceparent bool        // send a W3C traceparent with each request
	TLSConfig   *tls.Config // for an https URL; nil means verify by the system's certificates

	Limits Limits // what must hold
}

// A Stage is a stretch of an open workload in which the arrival rate goes from
// From to To, linearly, in arrivals per second. Equal rates are a step, zeros a
// pause.
type Stage struct {
	For      time.Duration // how long; must be above 0
	From, To float64       // >= 0
}

// Limits are what a run is judged by. A time is the longest allowed response
// time, from when a request was due; a request that failed, was never sent or
// never finished misses every limit on time. 0 means no limit, but for
// ErrorRatio.
type Limits struct {
	P50, P90, P95, P99, P999, Mean, Max time.Duration

	// ErrorRatio is the highest allowed part of the requests due that did not
	// succeed, in [0, 1]. 0 means that none may fail.
	ErrorRatio float64
	Throughput float64 // least completed responses per second
	Goodput    float64 // least succeeded responses per second
}

// list returns the limits as the engine judges them. ErrorRatio comes last, so
// that a time missed because requests failed is explained by what follows.
func (l Limits) list() ([]verdict.Limit, error) {
	var limits []verdict.Limit
	var errs []error
	for _, t := range []struct {
		name   string
		metric verdict.Metric
		q      float64
		most   time.Duration
	}{
		{"P50", verdict.Quantile, 0.50, l.P50},
		{"P90", verdict.Quantile, 0.90, l.P90},
		{"P95", verdict.Quantile, 0.95, l.P95},
		{"P99", verdict.Quantile, 0.99, l.P99},
		{"P999", verdict.Quantile, 0.999, l.P999},
		{"Mean", verdict.Mean, 0, l.Mean},
		{"Max", verdict.Max, 0, l.Max},
	} {
		if t.most < 0 {
			errs = append(errs, fmt.Errorf("limits: %s: %v is negative, want a time such as 50ms", t.name, t.most))
		} else if t.most > 0 {
			limits = append(limits, verdict.Limit{Metric: t.metric, Q: t.q, Op: verdict.AtMost, Time: t.most})
		}
	}
	for _, r := range []struct {
		name   string
		metric verdict.Metric
		least  float64
	}{
		{"Throughput", verdict.Throughput, l.Throughput},
		{"Goodput", verdict.Goodput, l.Goodput},
	} {
		if !(r.least >= 0) || math.IsInf(r.least, 0) {
			errs = append(errs, fmt.Errorf("limits: %s: %v is out of range, want responses per second such as 500", r.name, r.least))
		} else if r.least > 0 {
			limits = append(limits, verdict.Limit{Metric: r.metric, Op: verdict.AtLeast, Value: r.least})
		}
	}
	if !(l.ErrorRatio >= 0 && l.ErrorRatio <= 1) {
		errs = append(errs, fmt.Errorf("limits: ErrorRatio: %v is out of range, want 0 to 1", l.ErrorRatio))
	}
	limits = append(limits, verdict.Limit{Metric: verdict.Errors, Op: verdict.AtMost, Value: l.ErrorRatio})
	return limits, errors.Join(errs...)
}

// plan checks o and fills in defaults.
func (o Options) plan() (*engine.Plan, error) {
	limits, limitErr := o.Limits.list()
	if o.ConnectionsAhead < 0 {
		limitErr = errors.Join(limitErr, fmt.Errorf("connections ahead: ConnectionsAhead %d is negative, want at least 1", o.ConnectionsAhead))
	}
	e := engine.Options{
		URL:              o.Target.url,
		Handler:          o.Target.handler,
		TLS:              o.Target.tls,
		Func:             o.Target.call,
		Path:             o.Path,
		Method:           o.Method,
		Body:             o.Body,
		Traceparent:      o.Traceparent,
		NoKeepAlive:      o.NoKeepAlive,
		TLSConfig:        o.TLSConfig,
		Requests:         int64(o.Requests),
		Duration:         o.Duration,
		Warmup:           o.Warmup,
		Concurrency:      o.Concurrency,
		Timeout:          o.Timeout,
		Grace:            o.Grace,
		Rate:             o.Rate,
		Poisson:          o.Poisson,
		Seed:             o.Seed,
		ConnectionsAhead: o.ConnectionsAhead,
		Limits:           limits,
		Waive:            waive(),
	}
	for _, s := range o.Stages {
		e.Stages = append(e.Stages, load.Stage(s))
	}
	for name, values := range o.Header {
		for _, v := range values {
			e.Header = append(e.Header, http1.Field{Name: name, Value: v})
		}
	}
	slices.SortStableFunc(e.Header, func(a, b http1.Field) int { return strings.Compare(a.Name, b.Name) })
	p, err := engine.NewPlan(e)
	if err := errors.Join(err, limitErr); err != nil {
		return nil, fmt.Errorf("options: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return p, nil
}
