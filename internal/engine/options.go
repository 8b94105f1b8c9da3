// Package engine turns what was asked for into a plan that has been checked, and
// carries it out: a run, a comparison of two targets, or a search for the
// highest rate at which limits hold. It is where the load, the wire, the target,
// the verdicts and the report meet.
package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// A Plan has been checked and has its defaults filled in. It does not change.
type Plan interface {
	// Preview returns a document of what will be done, without results.
	Preview() *report.Document

	// Run carries the plan out and returns what was seen. Cancelling ctx
	// issues nothing more and lets what is in flight finish within the grace
	// period; cancelling cut ends it at once; the document is whole either
	// way. An error without a document means that nothing could be measured,
	// or that the counts do not add up; one beside a document, that something
	// after the measurement went wrong, such as its repeat or the update of a
	// baseline. It says what to do where that is known.
	Run(ctx, cut context.Context, watch Watch) (*report.Document, error)
}

// A Target is what receives the load. Exactly one of URL, Handler, Command and
// Func is set.
type Target struct {
	URL     string
	Handler http.Handler                // served in process: in memory, with TLS on loopback
	TLS     bool                        // serve Handler over https
	Func    func(context.Context) error // called instead of sending a request

	Command     func(addr string) *exec.Cmd // returns what starts a server that listens at addr; started anew for each measurement, and ended with it
	CommandName string                      // what reports call it

	RequestOptions // of a URL, a Handler or a Command
}

// isOutside reports whether requests go to another process.
func (t *Target) isOutside() bool { return t.URL != "" || t.Command != nil }

// A Request is what is sent to a target.
type RequestOptions struct {
	Path        string // with its query; "" means that of the URL, or "/"
	Method      string // "" means GET, or POST with a Body
	Header      []http1.Field
	Without     []string // names of fields that every request has by default and these do not
	Body        []byte   // nil means none
	Traceparent bool
	NoKeepAlive bool
	Address     string      // which addresses of the host get connections: AllAddresses in turn, or FirstAddress alone; "" means all
	NoRetry     bool        // send no request again, not even one that provably was not processed
	TLSConfig   *tls.Config // for https; nil means the system's certificates

	ExpectStatus    string                     // statuses that mean success, such as 200,201,3xx; "" means 200 to 299, and 304 to a conditional request
	ExpectBody      string                     // text that the body of such a response must contain; "" means anything
	Check           func(*http1.Message) error // returns what is wrong with such a response, nil if nothing is; called by several goroutines at once; may be nil
	FollowRedirects bool                       // those with a status that does not mean success, at most 10 for one request
}

// The values of [RequestOptions.Address].
const (
	AllAddresses = "all"
	FirstAddress = "first" // that can be reached
)

// A Load says when requests are due. The zero Load is a closed workload.
type Load struct {
	Concurrency int // most requests in flight; 0 means 10 in a closed workload, 1000 in an open one, or fewer where the file descriptors of the process do not suffice

	// Of an open workload, which has a Rate or Stages.
	Rate             float64 // arrivals per second
	Stages           []load.Stage
	Poisson          bool
	Seed             uint64 // of Poisson arrivals; 0 means a random one
	ConnectionsAhead int    // 0 means what a service time of 100 ms keeps in flight at the first rate, at most 256; negative none
}

func (l *Load) isOpen() bool { return l.Rate != 0 || len(l.Stages) > 0 }

// Settings are what all plans have in common. The zero value of each is a
// default or off.
type Settings struct {
	Load
	Warmup  time.Duration
	Timeout time.Duration // of one request; 0 means 10s
	Grace   time.Duration // 0 means the timeout

	Budget  time.Duration // longest time for a verdict, repeats apart; the default depends on the plan
	Confirm bool          // repeat a measurement that failed before that counts: after a pause, a comparison at once
	Pause   time.Duration // before the repeat; 0 means 5s, or half of what the first took if that is more
	Waive   string        // if not empty, why limits on time and rates are not judged

	Alone    bool // nothing else in this process has work while a run waits, which may then hold up a processor of the scheduler for it
	Portable bool // a goroutine for each permit, even where an event loop can do without

	// Virtual says that time is virtual, as in a testing/synctest bubble: the
	// pacer sleeps on the runtime's timers, a handler is served without a
	// socket, and the machine is not watched, as it does not matter.
	Virtual bool

	Words verdict.Words // of those who read warnings; zero is those of the library

	Log slog.Handler // gets the failed requests that it is enabled for, from the goroutines that send, so it must not wait; may be nil
}

// RunOptions ask for one load on one target. Without Requests, Duration and
// Stages it goes on until the verdict on its limits is clear, for a Budget of 30s
// at most.
type RunOptions struct {
	Target Target
	Settings
	Requests int64         // after the warm-up; 0 means no bound
	Duration time.Duration // after the warm-up; 0 means no bound
	Limits   []verdict.Limit
	Kept     float64            // least part of Rate that has to succeed; 0 means none. Without an end the run then takes its Budget, or 10s
	Control  bool               // give a little of the load to a handler that does nothing, to see what the machine does, also beside a run of a given length
	Baseline *baseline.Baseline // earlier runs to judge by or to add this one to; may be nil
}

// CompareOptions ask for two targets to be measured against each other under the
// same load, for a Budget of 20s at most.
type CompareOptions struct {
	Base, Head Target
	Settings
	Tolerances []verdict.Tolerance // by how much head may be slower; nil means 5 % at p50 and 10 % at p99, unless CPU is set
	CPU        float64             // the ratio of processor time per request up to which head is not too slow, at least 1; 0 means that of p50
	Allocs     float64             // how many more objects a request of head may allocate; 0 means that this is not judged
	Bytes      float64             // how many more octets; 0 means that this is not judged
	Margin     float64             // for a pass, a time that depends on luck must surely be within this many times its tolerance, at least 1; 0 means 1.2, and 1.8 from p90 on
	Claims     []string            // which claims to judge, from [verdict.ClaimNames]; nil means all
	Limits     []verdict.Limit     // on errors, which both targets have to keep
	Order      uint64              // seed of every order; 0 means a random one
}

// SearchOptions ask for the highest arrival rate at which the limits hold: upper
// bounds of quantiles, of the longest time and of the error ratio. The search
// begins at the rate of its load, 0 meaning 100/s, and takes a Budget of 150s at
// most.
type SearchOptions struct {
	Target Target
	Settings
	Limits []verdict.Limit
	Most   float64 // no rate above it is tried; 0 means no bound
}

// A Fault is a wrong value of one option.
type Fault struct {
	Field string // of the options, such as "Rate"
	Want  string // what was wrong and what would be right: "-5 is negative, want at least 1"
}

func (f *Fault) Error() string { return f.Field + ": " + f.Want }

// faults are all that is wrong with some options.
type faults []error

// add adds a fault if bad.
func (f *faults) add(bad bool, field, format string, args ...any) {
	if bad {
		*f = append(*f, &Fault{field, fmt.Sprintf(format, args...)})
	}
}

func (f faults) err() error { return errors.Join(f...) }
