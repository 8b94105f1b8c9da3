package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// defaultRequests is how many requests a run without an end of its own sends.
const defaultRequests = 100

// addRun adds the flags of a run, except those of its target.
func (j *job) addRun(o *engine.RunOptions) {
	b := &baseline.Baseline{}
	o.Baseline = b
	j.group("Load", []flag{
		{"requests,n", "N", "100, or none with --duration, --stage or --limit", "stop after N requests; 10k and 2m are numbers too\n", into(&o.Requests, parseCount), "Requests"},
		{"duration,z", "TIME", "", "stop after this time, warm-up apart", into(&o.Duration, parseTime), "Duration"},
	})
	j.addPermits(&o.Settings, "10, or 1000 with --rate or --stage,\nor fewer as ulimit -n allows")
	j.add([]flag{
		{"grace", "TIME", "the timeout", "how long Ctrl+C and the end wait for what is in flight", into(&o.Grace, parseGrace), "Grace"},
		{"warmup", "TIME", "", "load before anything is counted", into(&o.Warmup, parseTimeOrZero), "Warmup"},
	})
	j.group("Open workload: requests are due on a schedule, whatever the server does", []flag{
		{"rate", "RATE", "", "arrivals a second, or 1000/s, 50/m, 10/ms", into(&o.Rate, parseRate), "Rate"},
		{"stage", "STAGE", "", "10s:100, or a ramp 30s:100..1000, or a pause 5s:0 (repeatable)", each(&o.Stages, parseStage), "Stages"},
	})
	j.addArrivals(&o.Load)
	j.add([]flag{
		{"connections-ahead", "N", "enough for the first second", "connections opened before the start\n", into(&o.ConnectionsAhead, parseAhead), "ConnectionsAhead"},
	})
	j.group("Limits", []flag{
		{"limit", "LIMIT", "", "what must hold (repeatable): p50 p99 p99.9 p<any> mean max errors\nthroughput goodput, with < <= > >=: 'p99<=50ms' 'errors<=0.1%'", each(&o.Limits, verdict.Parse), "Limits"},
		{"budget", "TIME", "30s", "longest time until the verdict is clear, in a run with --limit\nand without --requests, --duration and --stage", into(&o.Budget, parseTime), "Budget"},
		{"confirm", "", "", "run again after a pause before a missed limit counts", on(&o.Confirm), "Confirm"},
	})
	j.complete("limit", "p99<=50ms", "errors<=0.1%", "throughput>=5000")
	j.group("Baseline: earlier runs of the same load, kept in a file", []flag{
		{"baseline", "FILE", "", "judge the run by the earlier ones in FILE", into(&b.Path, nonEmpty), "Baseline"},
		{"update", "", "", "add the run to FILE instead; the first one makes it", on(&b.Update), "Update"},
		{"baseline-name", "NAME", "request and load, such as GET/items/rate=1000", "what the runs are called in FILE\n", into(&b.Name, nonEmpty), "Name"},
	})
	j.addTolerances("the run", "any percentile, and 'cpu=10%' for processor time", func(s string) error { return addTolerance(&b.Tolerances, &b.CPU, s) }, "cpu=10%")
	j.addOutput(report.Run)
}

// run makes a run.
func (j *job) run(o *engine.RunOptions) error {
	j.checkRun(o)
	j.checkBaseline(o.Baseline)
	if o.Baseline.Path == "" {
		o.Baseline = nil
	}
	j.meter = newMeter(o)
	return j.do(&o.Settings, func() (engine.Plan, error) { return engine.NewRun(*o) })
}

// checkRun adds what is wrong with flags that go together. A run that has
// neither an end nor limits gets an end.
func (j *job) checkRun(o *engine.RunOptions) {
	endless, limited := !j.given("requests", "duration", "stage"), j.given("limit") || len(o.Limits) > 0
	if j.given("rate") && j.given("stage") {
		j.faults.add("--rate and --stage are both given, want one of them")
	}
	if j.given("budget") && !endless {
		j.faults.add("--budget is of a run without --requests, --duration and --stage, want it or them")
	}
	j.checkFiles(o.Baseline.Path)
	if j.hdrLog == "-" {
		j.faults.add("--hdr-log %q: want a file", j.hdrLog)
	}
	j.needOne("arrivals", "rate", "stage")
	j.needOne("connections-ahead", "rate", "stage")
	j.need("seed", o.Poisson || j.wrong["arrivals"], "--arrivals poisson")
	j.need("budget", limited, "--limit")
	j.need("confirm", limited || j.given("baseline"), "--limit or --baseline")
	if endless && !limited {
		o.Requests = defaultRequests
	}
	if 0 < o.Duration && o.Duration < o.Warmup {
		j.note("--warmup %s comes before the --duration of %s: the load takes %s", unit.Exact(o.Warmup), unit.Exact(o.Duration), unit.Exact(o.Warmup+o.Duration))
	}
}

// checkFiles adds what is wrong with the files that a run writes.
func (j *job) checkFiles(baseline string) {
	files := []struct{ flag, path string }{{"output", j.output}, {"hdr-log", j.hdrLog}, {"baseline", baseline}}
	for i, a := range files {
		for _, b := range files[:i] {
			if a.path != "" && b.path != "" && b.path != "-" && sameFile(a.path, b.path) {
				j.faults.add("--%s and --%s are the same file %q, want two", b.flag, a.flag, a.path)
			}
		}
	}
}

// checkBaseline adds what is wrong with the flags of a baseline. A name that was
// misspelt is found before anything is sent.
func (j *job) checkBaseline(b *baseline.Baseline) {
	j.needOne("update", "baseline")
	j.needOne("baseline-name", "baseline")
	j.needOne("tolerance", "baseline")
	j.checkTolerances(b.Tolerances)
	if b.Path == "" || b.Update {
		return
	}
	_, err := os.Stat(b.Path)
	_, above := os.Stat(filepath.Dir(b.Path))
	if errors.Is(err, fs.ErrNotExist) && above == nil { // what else is wrong the engine finds
		j.faults.add("--baseline %q: there is no such file; with --update this run begins it", b.Path)
	}
}
