package loadtestkit

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/engine"
)

// Options describe one run. Negative values are errors, never "unlimited".
type Options struct {
	Target Target // what receives the load; required
	Load   Load   // when requests are due; nil means Closed(10)

	// A run ends after Count requests or after Duration, whichever comes first,
	// the warm-up apart, and with the last stage of a Staged load; 0 means no
	// bound. Without any of them it ends as soon as the verdict on Limits is
	// clear, after Budget at the latest; see Limits.Kept for an exception.
	Count    int64
	Duration time.Duration

	Warmup  time.Duration // requests due before its end are not reported; at least 500ms in a run until its verdict is clear, else 0 means none
	Timeout time.Duration // of one request, from when it is sent, connecting included; 0 means 10s
	Grace   time.Duration // how long requests in flight may go on when a run is stopped; 0 means Timeout
	Budget  time.Duration // longest time for a verdict, a repeat apart; 0 means 30s

	Limits         Limits  // what must hold; the zero value means that no request may fail
	OnInconclusive Verdict // what a verdict that is not clear does to the test: Failed fails it, Passed logs the reason and goes on; the zero value skips it, and so does Inconclusive

	// Baseline is a file of earlier runs of the same test, by which Run judges
	// this one; with LOADTESTKIT_UPDATE=10 in the environment Run makes ten runs
	// and adds them to it instead. "" means none. Besides the load that these
	// options describe, such a run sends requests one at a time for a second or a
	// few: what they take alone, and in processor time, hardly changes from run to
	// run. Tolerance.P50 and CPU are about these.
	Baseline  string
	Tolerance Tolerance // how much slower than the baseline is too slow; needs a Baseline
}

// updateEnv makes runs add themselves to their baselines instead of being judged
// by them. Its value is how many Run makes.
const updateEnv = "LOADTESTKIT_UPDATE"

// updates returns how many runs to add to a baseline; 0 means that they are judged by
// it.
func updates() int {
	switch n, err := strconv.Atoi(os.Getenv(updateEnv)); {
	case os.Getenv(updateEnv) == "":
		return 0
	case err != nil:
		return 1
	default:
		return max(n, 0)
	}
}

// common is what all plans start from. Tests shorten the pause before a repeat.
var common engine.Settings

// settings returns what all plans have in common, and the kind of load.
func settings(l Load, onInconclusive Verdict, f *faults) (s engine.Settings, kind string) {
	if l == nil {
		l = Closed(0)
	}
	var bad faults
	s = common
	s.Load, bad = l.load()
	s.Waive = waive()
	*f = append(*f, bad...)
	f.add(onInconclusive > Inconclusive, "OnInconclusive", "%d is unknown, want Passed or Failed, or the zero value", onInconclusive)
	return s, l.kind()
}

// plan checks o. name is that of the runs in the baseline, "" for what is sent.
// The plan of a test's run, unlike others, repeats a fail.
func (o Options) plan(name string, test bool) (engine.Plan, error) {
	var f faults
	s, kind := settings(o.Load, o.OnInconclusive, &f)
	s.Warmup, s.Timeout, s.Grace, s.Budget = o.Warmup, o.Timeout, o.Grace, o.Budget
	s.Confirm = test
	limits, bad := o.Limits.list("Limits.")
	f = append(f, bad...)
	tolerances, bad := o.Tolerance.list()
	f = append(f, bad...)
	f.add(o.Baseline == "" && o.Tolerance != Tolerance{}, "Tolerance", "is set without a Baseline to be judged by; want both, or Compare")
	var earlier *baseline.Baseline
	if o.Baseline != "" {
		earlier = &baseline.Baseline{
			Path: o.Baseline, Name: name, Update: updates() > 0,
			Tolerances: tolerances, CPU: o.Tolerance.cpu(), Allocs: o.Tolerance.Allocs, Bytes: o.Tolerance.Bytes,
		}
	}
	p, err := engine.NewRun(engine.RunOptions{
		Target:   engineTarget(o.Target),
		Settings: s,
		Requests: o.Count,
		Duration: o.Duration,
		Limits:   limits,
		Kept:     o.Limits.Kept,
		Baseline: earlier,
	})
	f.join(err)
	return p, f.err(kind)
}

// waive says why limits on time and throughput are not judged in this build, ""
// if they are.
func waive() string {
	switch {
	case raceEnabled:
		return "the race detector is on (-race)"
	case testing.CoverMode() != "":
		return "coverage is being recorded (-cover)"
	}
	return ""
}
