package engine

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// controlPart is the part of the time that the control gets, and
	// controlLeast the least of it at once. Chosen.
	controlPart  = 0.05
	controlLeast = 50 * time.Millisecond
	// controlFor is how long a run is taken to be for its control, at least.
	// Chosen: a tenth of a second of it on either side.
	controlFor = 4 * time.Second
)

// A control is a handler in this process that does nothing, given some of the
// load in between: what it suffers is this machine's doing.
type control struct {
	arm      *arm
	off      error // why it can tell nothing, or nothing more; nil while it can
	outcome  *record.Record
	blocks   int     // that it has had
	throttle float64 // part of the quota's periods that were cut short, summed over blocks
	sensed   int     // blocks in which that is known
}

// openControl makes a control for p, with requests and a workload like p's. It
// is a sensor: where it does not work a run goes on without it.
func (p *Plan) openControl(ctx context.Context) *control {
	o := p.opts
	o.URL, o.Path, o.Handler, o.TLSConfig, o.Log = "", "", nil, nil, nil
	o.Requests, o.Duration, o.Stages, o.Warmup = 0, time.Second, nil, 0
	o.Rate = p.opts.Rate
	if p.schedule != nil && p.opts.Rate == 0 {
		o.Rate = p.schedule.Peak()
	}
	o.overTCP = p.opts.URL != "" // it goes the way of what it is compared to
	if o.Func != nil {
		o.Func = func(context.Context) error { return nil }
	} else {
		o.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	}
	c := &control{}
	plan, err := NewPlan(o)
	if err == nil {
		c.arm, err = plan.open(ctx)
	}
	c.off = err
	return c
}

// run gives the control, if there is one, its part of a run that has just had
// so much time.
func (c *control) run(ctx, cut context.Context, had time.Duration) {
	if c == nil || c.off != nil {
		return
	}
	sensors := host.Start(os.DirFS("/"))
	p := c.arm.plan
	o, err := c.arm.run(ctx, cut, stretch{
		schedule: later(p.schedule, c.blocks), origin: course(c.outcome),
		duration: max(controlLeast, time.Duration(controlPart*float64(had))), grace: p.opts.Grace,
	}, nil)
	u := sensors.Stop()
	if err != nil {
		c.off = err
		return
	}
	c.add(o, u)
}

// add counts a block of the control.
func (c *control) add(o *record.Record, u host.Usage) {
	c.blocks++
	c.outcome = merged(c.outcome, o)
	if u.Throttled != nil {
		c.throttle += *u.Throttled
		c.sensed++
		c.outcome.Machine.Throttled = new(c.throttle / float64(c.sensed))
	}
}

// close frees the control, if there is one.
func (c *control) close() {
	if c != nil && c.arm != nil {
		c.arm.close()
	}
}

// sensorsOff says why the control, if there is one, tells nothing.
func (c *control) sensorsOff() []string {
	if c == nil || c.off == nil {
		return nil
	}
	return []string{"control: " + c.off.Error()}
}
