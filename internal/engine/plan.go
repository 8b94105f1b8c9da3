package engine

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
)

const (
	defaultConcurrency     = 10
	defaultOpenConcurrency = 1000
	defaultTimeout         = 10 * time.Second

	// maxConcurrency is what a 64-bit process could hold at some 20 KB a
	// permit. Chosen, to refuse a slip of the finger.
	maxConcurrency = 1_000_000
	// maxRate is beyond what any machine sends, and keeps due times exact to
	// the nanosecond. Chosen.
	maxRate = 1e9
	// aheadMost bounds the connections that an open workload opens ahead on
	// its own. Chosen.
	aheadMost = 256
)

// A Plan is a run that has been checked and has its defaults filled in. It does
// not change.
type Plan struct {
	opts     Options
	run      string         // run id
	request  *http1.Request // nil without a URL
	schedule *load.Schedule // nil for a closed workload
	ahead    int
}

// NewPlan checks opts and fills in defaults. Its error joins a *[Fault] for
// each option that is wrong.
func NewPlan(opts Options) (*Plan, error) {
	p := &Plan{opts: opts, run: fmt.Sprintf("%08x", rand.Uint32())}
	o := &p.opts
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, &Fault{field, fmt.Sprintf(format, args...)})
	}

	targets := 0
	for _, set := range []bool{o.URL != "", o.Handler != nil, o.Func != nil} {
		if set {
			targets++
		}
	}
	if targets != 1 {
		fault("Target", "want exactly one: a handler, a URL or a function")
	}
	if o.URL != "" {
		r, err := p.newRequest(o.URL)
		if err != nil {
			fault(fieldOf(err), "%v", err)
		}
		p.request = r
	} else if o.Handler != nil {
		// The port is not known yet, and nothing else can be wrong with it.
		if _, err := p.newRequest("http://127.0.0.1" + o.Path); err != nil {
			fault(fieldOf(err), "%v", err)
		}
		if o.Path != "" && o.Path[0] != '/' {
			fault("Path", "%q, want a path such as /api/items?limit=10", o.Path)
		}
	}

	notNegative := func(field string, d time.Duration) {
		if d < 0 {
			fault(field, "%v is negative, want a time such as 10s", d)
		}
	}
	notNegative("Duration", o.Duration)
	notNegative("Warmup", o.Warmup)
	notNegative("Timeout", o.Timeout)
	notNegative("Grace", o.Grace)
	if o.Requests < 0 {
		fault("Requests", "%d is negative, want at least 1", o.Requests)
	}
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		fault("Concurrency", "%d is out of range, want 1 to %d", o.Concurrency, maxConcurrency)
	}
	if !(o.Rate >= 0) || o.Rate > maxRate {
		fault("Rate", "%v is out of range, want arrivals per second above 0 and at most 1e9", o.Rate)
	}
	for i, s := range o.Stages {
		if s.For <= 0 {
			fault("Stages", "stage %d lasts %v, want a time above 0", i+1, s.For)
		}
		if !(s.From >= 0 && s.To >= 0) || math.Max(s.From, s.To) > maxRate {
			fault("Stages", "stage %d goes from %v to %v arrivals per second, want 0 to 1e9", i+1, s.From, s.To)
		}
	}
	if o.Rate > 0 && len(o.Stages) > 0 {
		fault("Rate", "%v, and Stages are set too; want one of them", o.Rate)
	}
	if o.Requests == 0 && o.Duration == 0 && len(o.Stages) == 0 {
		fault("Requests", "0, and Duration is 0 too; want at least one of them")
	}
	if o.Poisson && o.Rate == 0 && len(o.Stages) == 0 {
		fault("Poisson", "true in a closed workload; want a Rate or Stages with it")
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}

	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Grace == 0 {
		o.Grace = o.Timeout
	}
	p.plan()
	if o.Concurrency == 0 && p.schedule != nil {
		o.Concurrency = defaultOpenConcurrency
	} else if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	p.ahead = min(p.ahead, o.Concurrency)
	return p, nil
}

// plan makes the schedule of an open workload.
func (p *Plan) plan() {
	o := &p.opts
	switch {
	case o.Rate > 0:
		s := load.Constant(o.Rate)
		p.schedule = &s
	case len(o.Stages) > 0:
		p.schedule = &load.Schedule{Stages: o.Stages}
	default:
		return
	}
	if o.Poisson && o.Seed == 0 {
		o.Seed = rand.Uint64N(1 << 32) // short enough to be typed again
	}
	p.schedule.Poisson, p.schedule.Seed = o.Poisson, o.Seed
	switch {
	case o.ConnectionsAhead > 0:
		p.ahead = o.ConnectionsAhead
	case o.ConnectionsAhead == 0 && o.Func == nil:
		// By Little's law what a service time of 100 ms keeps in flight.
		p.ahead = min(int(math.Ceil(p.schedule.Stages[0].From/10)), aheadMost)
	}
}

func (p *Plan) newRequest(url string) (*http1.Request, error) {
	return http1.NewRequest(http1.Spec{
		Method:      p.opts.Method,
		URL:         url,
		Header:      p.opts.Header,
		Body:        p.opts.Body,
		UserAgent:   "load-tester/" + Version(),
		Run:         p.run,
		Traceparent: p.opts.Traceparent,
		NoKeepAlive: p.opts.NoKeepAlive,
	})
}

// fieldOf is the option that an error of [http1.NewRequest] is about.
func fieldOf(err error) string {
	return "URL"
}
