// Package engine is where the load, the wire, the target and the report meet:
// it turns what was asked for into a plan, checks that the plan can work, runs
// it, and makes the report.
package engine

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Options is what a door asks for. Exactly one of URL, Handler and Func is set.
// The zero value of everything else is a default or off; [NewPlan] says which
// values it refuses.
type Options struct {
	URL     string
	Handler http.Handler                // served in process: in memory, with TLS on loopback
	TLS     bool                        // serve Handler over https
	Func    func(context.Context) error // called instead of sending

	Path        string // of Handler, with its query; "" means "/"
	Method      string // "" means GET
	Header      []http1.Field
	Body        []byte
	Traceparent bool
	NoKeepAlive bool
	TLSConfig   *tls.Config // for https; nil means the system's certificates

	Requests    int64 // after the warm-up; 0 means no bound
	Duration    time.Duration
	Warmup      time.Duration // of a run until its verdict is clear 500ms at least
	Concurrency int           // 0 means 10 closed, 1000 open
	Timeout     time.Duration // 0 means 10s
	Grace       time.Duration // 0 means the timeout

	Rate             float64 // arrivals per second; 0 means none
	Stages           []load.Stage
	Poisson          bool
	Seed             uint64 // of Poisson arrivals; 0 means a random one
	ConnectionsAhead int    // open workload; 0 means what a service time of 100 ms keeps in flight at the first rate, at most 256; negative none

	Limits []verdict.Limit
	Waive  string // if not empty, why limits on time and rates are not judged

	Control bool          // give a little of the load to a handler that does nothing, to see what the machine does, also beside a run of a given length
	Confirm bool          // repeat a run whose limits were missed, after a pause, before that counts
	Pause   time.Duration // before the repeat; 0 means 5s, or half of what the run took if that is more
	Budget  time.Duration // of a run until its verdict is clear; 0 means 30s

	Tolerances []verdict.Tolerance // of a comparison: what head may be slower by
	Most       float64             // of a search for the capacity: no rate above it is tried; 0 means no bound

	Alone    bool // nothing else in this process has work while a run waits, which may then hold up a processor of the scheduler for it
	Portable bool // a goroutine for each permit, even where an event loop can do without

	Log *slog.Logger // told of each failed request; nil means nobody

	overTCP bool // Handler is reached over TCP also without TLS
}

// inMemory reports whether requests go to a handler and no network is between.
func (o *Options) inMemory() bool { return o.Handler != nil && !o.TLS && !o.overTCP }

// A Fault is a wrong value of one option.
type Fault struct {
	Field string // of Options
	Want  string // what was wrong and what would be right: "-5 is negative, want at least 1"
}

func (f *Fault) Error() string { return f.Field + ": " + f.Want }
