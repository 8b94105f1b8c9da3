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
	// the nanosecond; minRate is one arrival in eleven days, and keeps them
	// within what a Duration holds. Chosen.
	maxRate = 1e9
	minRate = 1e-6
	// maxTime is what no run needs, and lets times be added up. Chosen.
	maxTime = 10 * 365 * 24 * time.Hour
	// aheadMost bounds the connections that an open workload opens ahead on
	// its own. Chosen.
	aheadMost = 256
	// permitsPerLoop is how many permits an event loop has at least, where
	// there is more than one, and loopsMost bounds their memory, some 3 MB each.
	// Chosen: fewer permits do not keep a processor busy.
	permitsPerLoop = 32
	loopsMost      = 16
)

// A Plan is a run that has been checked and has its defaults filled in. It does
// not change.
type Plan struct {
	given    Options        // as they came
	opts     Options        // with defaults
	run      string         // run id
	request  *http1.Request // nil without a URL
	schedule *load.Schedule // nil for a closed workload
	ahead    int
}

// NewPlan checks opts and fills in defaults. Its error joins a *[Fault] for
// each option that is wrong.
func NewPlan(opts Options) (*Plan, error) {
	p := &Plan{given: opts, opts: opts, run: fmt.Sprintf("%08x", rand.Uint32())}
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
	p.request = p.checkRequest(fault)
	for _, t := range []struct {
		field string
		value time.Duration
	}{
		{"Duration", o.Duration}, {"Warmup", o.Warmup}, {"Timeout", o.Timeout}, {"Grace", o.Grace}, {"Budget", o.Budget}, {"Pause", o.Pause},
	} {
		if t.value < 0 || t.value > maxTime {
			fault(t.field, "%v is out of range, want a time such as 10s", t.value)
		}
	}
	if o.Requests < 0 {
		fault("Requests", "%d is negative, want at least 1", o.Requests)
	}
	if o.Concurrency < 0 || o.Concurrency > maxConcurrency {
		fault("Concurrency", "%d is out of range, want 1 to %d", o.Concurrency, maxConcurrency)
	}
	if o.Rate != 0 && !(minRate <= o.Rate && o.Rate <= maxRate) {
		fault("Rate", "%v is out of range, want arrivals per second from 1e-6 to 1e9", o.Rate)
	}
	p.checkStages(fault)
	if o.Rate > 0 && len(o.Stages) > 0 {
		fault("Rate", "%v, and Stages are set too; want one of them", o.Rate)
	}
	if o.endless() && len(o.Limits) == 0 {
		fault("Requests", "0, and Duration is 0 too; want at least one of them")
	}
	open := o.Rate != 0 || len(o.Stages) > 0
	if o.Poisson && !open {
		fault("Poisson", "true in a closed workload; want a Rate or Stages with it")
	}
	if o.ConnectionsAhead != 0 && !open {
		fault("ConnectionsAhead", "%d in a closed workload; want a Rate or Stages with it", o.ConnectionsAhead)
	}
	if o.Seed != 0 && !o.Poisson {
		fault("Seed", "%d without Poisson arrivals, which it is for", o.Seed)
	}
	if o.TLSConfig != nil && o.Handler != nil {
		fault("TLSConfig", "is set, but a handler is served with a certificate of its own; leave it out")
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
	if o.Budget == 0 {
		o.Budget = clearBudget
	}
	if o.endless() {
		o.Warmup = max(o.Warmup, clearWarmup)
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

// checkRequest builds the request of a URL, and checks that of a handler whose
// port is not known yet. It tells fault what is wrong.
func (p *Plan) checkRequest(fault func(field, format string, args ...any)) *http1.Request {
	o := &p.opts
	const fine = "http://127.0.0.1"
	field, url := "URL", o.URL
	switch {
	case o.Path != "" && o.Handler == nil:
		fault("Path", "%q, but only a handler has one; a URL has its own", o.Path)
	case o.Path != "" && o.Path[0] != '/':
		fault("Path", "%q, want a path such as /api/items?limit=10", o.Path)
	case o.Handler != nil:
		field, url = "Path", fine+o.Path
	}
	if url == "" {
		url = fine
	}
	for _, part := range []struct {
		field string
		set   bool
	}{
		{"Method", o.Method != ""}, {"Header", len(o.Header) > 0}, {"Body", len(o.Body) > 0},
		{"Traceparent", o.Traceparent}, {"NoKeepAlive", o.NoKeepAlive}, {"TLSConfig", o.TLSConfig != nil},
	} {
		if part.set && o.Func != nil {
			fault(part.field, "is set, but a function sends no request; leave it out")
		}
	}
	sound := true
	// One part at a time, to tell which is wrong.
	for _, part := range []struct {
		field string
		spec  http1.Spec
	}{
		{field, http1.Spec{URL: url}},
		{"Method", http1.Spec{URL: fine, Method: o.Method}},
		{"Header", http1.Spec{URL: fine, Header: o.Header, Body: o.Body}},
	} {
		part.spec.Run = p.run
		if _, err := http1.NewRequest(part.spec); err != nil {
			fault(part.field, "%v", err)
			sound = false
		}
	}
	if o.URL == "" || !sound {
		return nil
	}
	r, err := p.newRequest(o.URL)
	if err != nil {
		fault("URL", "%v", err)
	}
	return r
}

// endless reports whether o says nothing of how long to go on.
func (o *Options) endless() bool {
	return o.Requests == 0 && o.Duration == 0 && len(o.Stages) == 0
}

// refuseEnd tells fault of an end that was asked for, where ends says what makes
// one.
func refuseEnd(o *Options, fault func(field, format string, args ...any), ends string) {
	const format = "%v, but %s; leave it out, or set Budget"
	if o.Requests != 0 {
		fault("Requests", format, o.Requests, ends)
	}
	if o.Duration != 0 {
		fault("Duration", format, o.Duration, ends)
	}
}

// checkStages tells fault what is wrong with the stages.
func (p *Plan) checkStages(fault func(field, format string, args ...any)) {
	o := &p.opts
	if len(o.Stages) == 0 {
		return
	}
	var length time.Duration
	for i, s := range o.Stages {
		if s.For <= 0 || s.For > maxTime {
			fault("Stages", "stage %d lasts %v, want a time such as 30s", i+1, s.For)
			return
		}
		if !(s.From >= 0 && s.To >= 0) || math.Max(s.From, s.To) > maxRate {
			fault("Stages", "stage %d goes from %v to %v arrivals per second, want 0 to 1e9", i+1, s.From, s.To)
			return
		}
		if length += s.For; length > maxTime {
			fault("Stages", "they last %v and more, want less", length)
			return
		}
	}
	if s := (load.Schedule{Stages: o.Stages}); s.Peak() == 0 {
		fault("Stages", "every rate is 0, want one above")
	}
	if o.Warmup >= length {
		fault("Warmup", "%v is as long as all stages, %v; nothing would be measured", o.Warmup, length)
	}
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

// loops is how many event loops p is worth, given how many processors there are:
// one for each, but half of them if the target needs some too. An open workload
// has one, see [load.Config].
func (p *Plan) loops(loopback bool, processors int) int {
	if p.schedule != nil {
		return 1
	}
	if loopback {
		processors /= 2
	}
	return max(1, min(processors, p.opts.Concurrency/permitsPerLoop, loopsMost))
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

// permits is how many permits can be out at once.
func (p *Plan) permits() int {
	c := load.Config{Schedule: p.schedule, Requests: p.opts.Requests, Warmup: p.opts.Warmup, Concurrency: p.opts.Concurrency}
	return c.Permits()
}
