package loadtestkit

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
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

// given reports whether t is not the zero Target.
func (t Target) given() bool { return t.url != "" || t.handler != nil || t.call != nil }

func (t Target) name() string {
	switch {
	case t.url != "":
		return t.url
	case t.handler != nil:
		return "a handler"
	case t.call != nil:
		return "a function"
	}
	return "no target"
}

// Handler serves h in this process for as long as the run takes. Requests go
// through net/http's own server and reach it over connections in memory, which
// behave like TCP sockets: its numbers are those of h and net/http, with no
// network in between. For TCP give the [URL] of an httptest.NewServer(h). [Compare]
// and [Limits.Relative] use TCP on loopback, where two handlers differ less by
// chance; so does whatever else calls h's server, at the address in
// [http.Request.Host]. A panic in h is a failed request of kind check that
// carries the panic's message; the test goes on.
func Handler(h http.Handler) Target { return Target{handler: h} }

// TLSHandler serves h as [Handler] does, over https with a certificate made for
// the run, and over TCP on loopback.
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

	// Budget is the longest time for a verdict, repeats apart: of a Run without
	// Requests, Duration, Stages and Limits.MinRate, which ends as soon as its
	// verdict is clear; 0 means 30s. Of a Compare, 20s; of a MaxRate, 150s.
	Budget         time.Duration
	OnInconclusive Action    // what a verdict does that is not clear; the zero value skips the test
	Tolerance      Tolerance // of Compare and of Baseline: by how much slower is too slow
	Baseline       string    // file of earlier runs that Run judges this one by, or adds it to with LOADTESTKIT_UPDATE=1 in the environment; "" means none

	pause time.Duration // before a repeat; 0 means what the engine takes
}

// A Stage is a stretch of an open workload in which the arrival rate goes from
// From to To, linearly, in arrivals per second. Equal rates are a step, zeros a
// pause.
type Stage struct {
	For      time.Duration // how long; must be above 0
	From, To float64       // >= 0
}

// minRateKept is the part of the offered rate that has to succeed for it to be
// kept up. Chosen: within 10 s, responses that take some 100 ms and a noisy
// machine leave a few percent open.
const minRateKept = 0.95

// minRateFor is for how long a rate is offered where nothing else is said.
// Chosen: it is the least time of load for a fail of any limit.
const minRateFor = 10 * time.Second

// plan checks o and fills in defaults. The plan of a test's run, unlike others,
// repeats a fail and knows what the machine did.
func (o Options) plan(test bool) (*engine.Plan, error) {
	e, err := o.engine(o.Target)
	e.Confirm, e.Control = test, test && o.Baseline != ""
	if o.Limits.MinRate > 0 && o.Requests == 0 && o.Duration == 0 {
		// A rate is kept up for some time, so that is given, not sought.
		e.Duration = cmp.Or(o.Budget, minRateFor)
	}
	p, planErr := engine.NewPlan(e)
	if err := errors.Join(planErr, err); err != nil {
		return nil, optionsError(err)
	}
	return p, nil
}

// engine returns what o asks of the engine, of a target.
func (o Options) engine(target Target) (engine.Options, error) {
	limits, err := o.Limits.list()
	if o.ConnectionsAhead < 0 {
		err = errors.Join(err, fmt.Errorf("connections ahead: ConnectionsAhead %d is negative, want at least 1", o.ConnectionsAhead))
	}
	if o.OnInconclusive > Fail {
		err = errors.Join(err, fmt.Errorf("OnInconclusive: %d is unknown, want Skip, Warn or Fail", o.OnInconclusive))
	}
	e := engine.Options{
		URL:              target.url,
		Handler:          target.handler,
		TLS:              target.tls,
		Func:             target.call,
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
		Confirm:          true,
		Pause:            o.pause,
		Budget:           o.Budget,
	}
	for _, s := range o.Stages {
		e.Stages = append(e.Stages, load.Stage(s))
	}
	for name, values := range o.Header {
		for _, v := range values {
			e.Header = append(e.Header, http1.Field{Name: name, Value: v})
		}
	}
	if r := o.Limits.MinRate; r != 0 {
		if !(r > 0) || o.Rate != 0 || len(o.Stages) > 0 {
			err = errors.Join(err, fmt.Errorf("limits: MinRate: %v, want arrivals per second such as 500, and neither Rate nor Stages beside it", r))
		}
		e.Rate = r
		e.Limits = append(e.Limits, verdict.Limit{Metric: verdict.Goodput, Op: verdict.AtLeast, Value: minRateKept * r})
	}
	slices.SortStableFunc(e.Header, func(a, b http1.Field) int { return strings.Compare(a.Name, b.Name) })
	return e, err
}
