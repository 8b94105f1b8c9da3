package engine

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const (
	defaultConcurrency     = 10
	defaultOpenConcurrency = 1000
	defaultTimeout         = 10 * time.Second

	// maxConcurrency is what a 64-bit process could hold at some 20 KB a
	// permit: more is a slip of the finger.
	maxConcurrency = 1_000_000
	// maxRate is beyond what any machine sends, and keeps due times exact to
	// the nanosecond; minRate is one arrival in eleven days, and keeps them
	// within what a Duration holds.
	maxRate = 1e9
	minRate = 1e-6
	// maxPoisson is the highest rate of random arrivals: unlike even ones, they
	// have to be counted one by one.
	maxPoisson = 1e6
	// anyServer stands for a server where only the rest of a request is checked.
	anyServer = "http://127.0.0.1"
	// maxTime is what no run needs, and lets times be added up.
	maxTime = 10 * 365 * 24 * time.Hour
	// aheadMost bounds the connections that an open workload opens ahead on
	// its own.
	aheadMost = 256
)

// An armPlan is what one target is to receive.
type armPlan struct {
	role   string // "base" or "head" in a comparison, else ""
	target Target
	Settings
	requests int64         // after the warm-up; 0 means no bound
	duration time.Duration // after the warm-up; 0 means no bound
	limits   []verdict.Limit
	overTCP  bool // a handler is reached over TCP also without TLS

	posts    bool           // the method is POST because there is a body
	usual    int            // the default of the concurrency, which was not asked for; else 0
	run      string         // run id
	request  *http1.Request // nil for a function, and for a handler and a command
	schedule *load.Schedule // nil for a closed workload
}

// check fills in defaults and returns what is wrong.
func (p *armPlan) check() (f faults) {
	p.checkTarget(&f)
	p.checkTimes(&f)
	p.checkLoad(&f)
	if len(f) > 0 {
		return f
	}
	if p.Timeout == 0 {
		p.Timeout = defaultTimeout
	}
	if p.Grace == 0 {
		p.Grace = p.Timeout
	}
	if p.Concurrency == 0 {
		p.usual = defaultConcurrency
		if p.isOpen() {
			p.usual = defaultOpenConcurrency
		}
		p.Concurrency = p.fit()
	}
	p.begin()
	return nil
}

// checkTarget looks at one part at a time, to tell which is wrong.
func (p *armPlan) checkTarget(f *faults) {
	t := &p.target
	given := 0
	for _, set := range []bool{t.URL != "", t.Handler != nil, t.Command != nil, t.Func != nil} {
		if set {
			given++
		}
	}
	f.add(given == 0, "Target", "is missing, nil or empty, want a handler, a URL, a command or a function")
	f.add(given > 1, "Target", "has %d of a handler, a URL, a command and a function, want exactly one", given)
	f.add(t.Path != "" && t.Path[0] != '/', "Path", "%q, want a path such as /api/items?limit=10", http1.Redacted(t.Path))
	f.add(t.Address != "" && t.Address != AllAddresses && t.Address != FirstAddress, "Address", "%q, want all or first", t.Address)
	if len(*f) > 0 || t.Func != nil {
		return
	}
	if p.posts = t.Method == "" && t.Body != nil; p.posts {
		t.Method = "POST"
	}
	for _, part := range []struct {
		field string
		spec  http1.Spec
	}{
		{"URL", http1.Spec{URL: cmp.Or(t.URL, anyServer)}},
		{"Path", http1.Spec{URL: http1.WithPath(anyServer, t.Path)}},
		{"Method", http1.Spec{URL: anyServer, Method: t.Method}},
		{"Header", http1.Spec{URL: anyServer, Header: t.Header, Without: t.Without, Body: t.Body}},
	} {
		part.spec.Run = newRunID()
		_, err := http1.NewRequest(part.spec)
		f.add(err != nil, part.field, "%v", err)
	}
	_, err := t.statuses()
	f.add(err != nil, "ExpectStatus", "%v", err)
	f.add(t.ExpectBody != "" && t.Method == "HEAD", "ExpectBody", "is %q, but a response to HEAD has no body; want another method or no text", t.ExpectBody)
}

// statuses returns the set of statuses that mean success, the empty set for the
// default.
func (r *RequestOptions) statuses() (set http1.Statuses, err error) {
	if r.ExpectStatus == "" {
		return set, nil
	}
	return http1.ParseStatuses(r.ExpectStatus)
}

func (p *armPlan) checkTimes(f *faults) {
	for _, t := range []struct {
		field string
		value time.Duration
	}{
		{"Duration", p.duration}, {"Warmup", p.Warmup}, {"Timeout", p.Timeout},
		{"Grace", p.Grace}, {"Budget", p.Budget}, {"Pause", p.Pause},
	} {
		f.add(t.value < 0 || t.value > maxTime, t.field, "%v is out of range, want a time such as 10s", t.value)
	}
	f.add(p.requests < 0, "Requests", "%d is negative, want at least 1", p.requests)
}

// inRange reports whether a schedule can have a rate.
func inRange(rate float64) bool { return minRate <= rate && rate <= maxRate }

func (p *armPlan) checkLoad(f *faults) {
	l := &p.Load
	f.add(l.Concurrency < 0 || l.Concurrency > maxConcurrency, "Concurrency", "%d is out of range, want 1 to %d", l.Concurrency, maxConcurrency)
	f.add(l.Rate != 0 && !inRange(l.Rate), "Rate", "%v is out of range, want arrivals per second from 1e-6 to 1e9", l.Rate)
	f.add(l.Rate > 0 && len(l.Stages) > 0, "Rate", "%v, and Stages are set too; want one of them", l.Rate)
	f.add(l.Poisson && !l.isOpen(), "Poisson", "true in a closed workload; want a Rate or Stages with it")
	peak := max(l.Rate, (&load.Schedule{Stages: l.Stages}).Peak())
	f.add(l.Poisson && peak > maxPoisson, "Poisson", "arrivals at up to %v a second, want 1e6 at most, or even arrivals", peak)
	f.add(l.ConnectionsAhead != 0 && !l.isOpen(), "ConnectionsAhead", "%d in a closed workload; want a Rate or Stages with it", l.ConnectionsAhead)
	f.add(l.Seed != 0 && !l.Poisson, "Seed", "%d without Poisson arrivals, want them too or no seed", l.Seed)
	p.checkStages(f)
}

func (p *armPlan) checkStages(f *faults) {
	if len(p.Stages) == 0 {
		return
	}
	before := len(*f)
	var length time.Duration
	for i, s := range p.Stages {
		f.add(s.For <= 0 || s.For > maxTime, "Stages", "stage %d lasts %v, want a time such as 30s", i+1, s.For)
		f.add(!(s.From >= 0 && s.To >= 0) || math.Max(s.From, s.To) > maxRate,
			"Stages", "stage %d goes from %v to %v arrivals per second, want 0 to 1e9", i+1, s.From, s.To)
		length += s.For
		f.add(length > maxTime, "Stages", "they last %v and more, want less", length)
		if len(*f) > before {
			return
		}
	}
	s := load.Schedule{Stages: p.Stages}
	f.add(s.Peak() == 0, "Stages", "every rate is 0, want one above")
	f.add(p.Warmup >= length, "Warmup", "%v is as long as all stages, %v, and nothing would be measured; want less", p.Warmup, length)
}

// begin gives the plan a run id, and random arrivals a seed if they have none.
func (p *armPlan) begin() {
	p.run = newRunID()
	if p.target.URL != "" {
		p.request = p.newRequest(http1.WithPath(p.target.URL, p.target.Path))
	}
	switch {
	case p.Rate > 0:
		p.schedule = new(load.Constant(p.Rate))
	case len(p.Stages) > 0:
		p.schedule = &load.Schedule{Stages: p.Stages}
	default:
		return
	}
	p.schedule.Poisson, p.schedule.Seed = p.Poisson, p.Seed
	if p.Poisson && p.Seed == 0 {
		p.schedule.Seed = rand.Uint64N(1 << 32) // short enough to be typed again
	}
}

// fresh is p for a repeat, with a run id of its own.
func (p *armPlan) fresh() *armPlan {
	f := *p
	f.begin()
	return &f
}

func newRunID() string { return fmt.Sprintf("%08x", rand.Uint32()) }

// newRequest returns the request to a URL, which has been checked.
func (p *armPlan) newRequest(url string, more ...http1.Field) *http1.Request {
	t := &p.target
	statuses, _ := t.statuses() // which have been checked
	r, err := http1.NewRequest(http1.Spec{
		Method:      t.Method,
		URL:         url,
		Without:     t.Without,
		Header:      slices.Concat(t.Header, more),
		Body:        t.Body,
		UserAgent:   "load-tester/" + report.Version(),
		Run:         p.run,
		Traceparent: t.Traceparent,
		NoKeepAlive: t.NoKeepAlive,
		Expect:      http1.Expect{Statuses: statuses, Body: t.ExpectBody, Whole: t.Check != nil},
	})
	if err != nil {
		panic(fmt.Sprintf("engine: a request that was checked: %v", err))
	}
	return r
}

// id is the id of request n.
func (p *armPlan) id(n int64) string { return http1.RequestID(p.run, n) }

// inMemory reports whether requests go to a handler and no network is between.
func (p *armPlan) inMemory() bool {
	return p.target.Handler != nil && !p.target.TLS && (!p.overTCP || p.Virtual)
}

// endless reports whether nothing bounds the run except its budget.
func (p *armPlan) endless() bool { return p.requests == 0 && p.duration == 0 && len(p.Stages) == 0 }

// ahead is how many connections are opened before the start.
func (p *armPlan) ahead() int {
	switch {
	case p.schedule == nil || p.target.Func != nil || p.ConnectionsAhead < 0:
		return 0
	case p.ConnectionsAhead > 0:
		return min(p.ConnectionsAhead, p.Concurrency)
	}
	// By Little's law what a service time of 100 ms keeps in flight.
	return min(int(math.Ceil(p.schedule.Stages[0].From/10)), aheadMost, p.Concurrency)
}

// workload says in a few words what the target is offered.
func (p *armPlan) workload(r *record.Record) string {
	switch {
	case p.schedule == nil:
		return fmt.Sprintf("closed, %d at a time", p.Concurrency)
	case len(p.Stages) > 0:
		return "open, " + unit.Rate(float64(r.Due)/max(r.Course().Seconds(), 1e-9)) + " on average"
	}
	return "open, " + unit.ArrivalRate(p.Rate) + "/s"
}

// longestLimit is the longest time that any limit allows; 0 without one.
func (p *armPlan) longestLimit() (d time.Duration) {
	for _, l := range p.limits {
		d = max(d, l.Time)
	}
	return d
}

// config is what was asked for, as documents have it.
func (p *armPlan) config() report.Config {
	target, method, path := p.name()
	c := report.Config{
		Target:      target,
		Method:      method,
		PostsBody:   p.posts,
		Path:        path,
		Workload:    "closed",
		Requests:    p.requests,
		Duration:    p.duration,
		Concurrency: p.Concurrency,
		Timeout:     p.Timeout,
		Grace:       p.Grace,
		Warmup:      p.Warmup,
		BodyBytes:   int64(len(p.target.Body)),
		NoKeepAlive: p.target.NoKeepAlive,
		NoRetry:     p.target.NoRetry,
		Insecure:    p.target.TLSConfig != nil && p.target.TLSConfig.InsecureSkipVerify,

		ExpectBody:      p.target.ExpectBody,
		Checked:         p.target.Check != nil,
		FollowRedirects: p.target.FollowRedirects,
	}
	if statuses, _ := p.target.statuses(); p.target.ExpectStatus != "" {
		c.ExpectStatus = statuses.String()
	}
	if p.schedule == nil {
		return c
	}
	c.Workload, c.Arrivals = "open", "constant"
	c.RatePerSecond = p.Rate
	c.ConnectionsAhead = p.ahead()
	if p.Poisson {
		c.Arrivals, c.Seed = "poisson", p.schedule.Seed
	}
	for _, s := range p.Stages {
		c.Stages = append(c.Stages, report.StageConfig{Duration: s.For, From: s.From, To: s.To})
	}
	return c
}

// standard is how sure the verdicts on p's limits have to be. A run until its
// verdict is clear waits for the least time of a fail.
func (p *armPlan) standard() verdict.Standard {
	return verdict.StandardOf(p.limits, p.Confirm && !p.endless())
}

// judge gives each limit its verdict on r, as surely as s asks for.
func (p *armPlan) judge(r *record.Record, s verdict.Standard) []verdict.Finding {
	results := verdict.Judge(p.limits, r, s)
	for i, result := range results {
		if r.Succeeded == 0 {
			results[i] = result.Doubt("no request succeeded, so nothing was measured")
		}
		if p.Waive != "" && result.Limit.Metric != verdict.Errors {
			results[i] = result.Waive(p.Waive)
		}
	}
	return results
}

// excuse puts those fails in doubt that the machine may have caused.
func excuse(results []verdict.Finding, r *record.Record) []verdict.Finding {
	for i, result := range results {
		results[i] = result.Excuse(verdict.Excuse(result, r))
	}
	return results
}
