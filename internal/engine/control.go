package engine

import (
	"context"
	"net/http"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// controlPart is the part of the time that the control gets, and
	// controlLeast the least of it at once.
	controlPart  = 0.05
	controlLeast = 50 * time.Millisecond
	// controlFor is how long a run is taken to be for its control, at least: a
	// tenth of a second of it on either side.
	controlFor = 4 * time.Second
)

// A control is a handler in this process that does nothing, given some of the
// load in between: what it suffers is this machine's doing. All of its methods
// may be called on a nil control.
type control struct {
	arm      *arm
	off      error   // why it can tell nothing, or nothing more; nil while it can
	turns    uint64  // that it has had
	throttle float64 // part of the quota's periods that were cut short, summed over turns
	sensed   int     // turns in which that is known
}

// openControl makes a control for p, with requests and a workload like p's. It
// is a sensor: where it does not work a run goes on without it.
func openControl(ctx context.Context, p *armPlan) *control {
	c := *p
	c.target = Target{TLS: p.target.TLS, RequestOptions: p.target.RequestOptions}
	c.target.Path, c.target.TLSConfig = "", nil
	c.target.ExpectStatus, c.target.ExpectBody, c.target.Check, c.target.FollowRedirects = "", "", nil, false
	c.Log, c.limits = nil, nil
	c.requests, c.duration, c.Stages, c.Warmup = 0, time.Second, nil, 0
	if p.schedule != nil {
		c.Rate = p.schedule.Peak()
	}
	c.overTCP = p.overTCP || p.target.isOutside() // it goes the way of what it is compared to
	if p.target.Func != nil {
		c.target.Func = func(context.Context) error { return nil }
	} else {
		c.target.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	}
	if c.usual > 0 {
		c.Concurrency = min(p.Concurrency, c.fit())
	}
	c.begin()
	a, err := c.open(ctx)
	return &control{arm: a, off: err}
}

// run gives the control its part of a run that has just had the given time.
func (c *control) run(ctx, cut context.Context, had time.Duration) {
	if c == nil || c.off != nil {
		return
	}
	sensors := c.arm.watchMachine()
	s := c.arm.whole()
	s.schedule = reseeded(s.schedule, c.turns)
	s.duration = max(controlLeast, time.Duration(controlPart*float64(had)))
	_, err := c.arm.add(ctx, cut, s, nil)
	u := sensors()
	if err != nil {
		c.off = err
		return
	}
	c.turns++
	c.addThrottled(u.Throttled)
}

func (c *control) addThrottled(share *float64) {
	if share != nil {
		c.throttle += *share
		c.sensed++
	}
}

// complete adds to a run's record what its control suffered, or why that is not
// known.
func (c *control) complete(r *record.Record) {
	switch {
	case c == nil:
		return
	case c.off != nil:
		r.Machine.Off = append(r.Machine.Off, "control: "+c.off.Error())
	}
	if c.turns > 0 {
		r.Control = c.arm.complete(host.Usage{})
		if c.sensed > 0 {
			r.Control.Machine.Throttled = new(c.throttle / float64(c.sensed))
		}
	}
}

func (c *control) close() {
	if c != nil && c.arm != nil {
		c.arm.close()
	}
}
