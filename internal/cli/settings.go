package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// settings are what the flags of a run said. What was not given is the zero
// value; no flag can be given that.
type settings struct {
	faults faults

	urls        []string
	method      string
	header      []http1.Field
	bodies      []string
	insecure    bool
	noKeepAlive bool
	traceparent bool

	requests    int64
	duration    time.Duration
	concurrency int
	timeout     time.Duration
	grace       time.Duration
	warmup      time.Duration

	rate     float64
	stages   []load.Stage
	arrivals string
	seed     uint64
	ahead    int

	limits  []verdict.Limit
	budget  time.Duration
	confirm bool

	bases, heads []string // of a comparison, in place of urls
	tolerances   []verdict.Tolerance
	most         float64 // of a search for the capacity, which begins at rate

	format     string
	output     string
	hdrLog     string
	verbose    bool
	quiet      bool
	noProgress bool
	noColor    bool
}

// runFlags adds the flags of a run to cmd. A demo has a target of its own.
func runFlags(cmd *cobra.Command, set *settings, demo bool) *groups {
	g := newGroups(cmd, set)
	if !demo {
		g.group("Target")
		g.url()
		g.request()
	}

	g.group("Load")
	g.take("requests,n", "N", "100, or none with --duration, --stage or --limit", "stop after so many requests; 10k and 2m are numbers too\n", into(&set.requests, parseCount))
	g.take("duration,z", "TIME", "", "stop after this time, warm-up apart", into(&set.duration, parseTime))
	g.permits("10, or 1000 with --rate or --stage")
	g.take("grace", "TIME", "the timeout", "how long Ctrl+C and the end wait for what is in flight", into(&set.grace, parseGrace))
	g.take("warmup", "TIME", "", "load before anything is counted", into(&set.warmup, parseTimeOrZero))

	g.group("Open workload: requests are due on a schedule, whatever the server does")
	g.take("rate", "RATE", "", "arrivals a second, or 1000/s, 50/m, 10/ms", into(&set.rate, parseRate))
	g.take("stage", "STAGE", "", "10s:100, or a ramp 30s:100..1000, or a pause 5s:0 (repeatable)", each(&set.stages, parseStage))
	g.arrivals()
	g.take("connections-ahead", "N", "enough for the first second", "connections opened before the start\n", into(&set.ahead, parseAhead))

	g.group("Limits")
	g.take("limit", "LIMIT", "", "what must hold (repeatable): p50 p99 p99.9 p<any> mean max errors\nthroughput goodput, with < <= > >=: 'p99<=50ms' 'errors<=0.1%'", each(&set.limits, verdict.Parse))
	g.words("limit", "p99<=50ms", "errors<=0.1%", "throughput>=5000")
	g.take("budget", "TIME", "30s", "longest time until the verdict is clear, in a run with --limit\nand without --requests, --duration and --stage", into(&set.budget, parseTime))
	g.on(&set.confirm, "confirm", "run again after a pause before a missed limit counts")

	g.group("Output")
	g.format("text, json, hgrm: a percentile spectrum, or bench: for benchstat\n", "text", "json", "hgrm", "bench")
	g.output()
	g.take("hdr-log", "FILE", "", "also write an HdrHistogram log, one line per interval", into(&set.hdrLog, anything))
	g.manner()
	return g
}

// url adds the flag of a target.
func (g *groups) url() {
	g.take("url,u", "URL", "", "target; may stand without --url", each(&g.set.urls, anything))
}

// request adds the flags that say what to send.
func (g *groups) request() {
	set := g.set
	g.take("method,m", "METHOD", "GET", "method of each request", into(&set.method, anything))
	g.take("header,H", "FIELD", "", "header field 'Name: value', in place of ours of that name (repeatable)", each(&set.header, parseHeader))
	g.take("body", "BODY", "", "body of each request: text, @FILE, or - for standard input", each(&set.bodies, func(s string) (string, error) { return s, nil }))
	g.on(&set.insecure, "insecure,k", "do not verify the server's certificate")
	g.on(&set.noKeepAlive, "no-keepalive", "a new connection for each request")
	g.on(&set.traceparent, "traceparent", "send a W3C traceparent too, made from the request id")
}

// permits adds the flags about what is in flight.
func (g *groups) permits(concurrency string) {
	g.take("concurrency,c", "N", concurrency, "most requests in flight", into(&g.set.concurrency, parseConcurrency))
	g.take("timeout,t", "TIME", "10s", "longest time for one request, connecting included", into(&g.set.timeout, parseTime))
}

// arrivals adds the flags that say how arrivals are spaced.
func (g *groups) arrivals() {
	g.take("arrivals", "KIND", "constant", "constant, or poisson for random ones", into(&g.set.arrivals, oneOf("constant", "poisson")))
	g.words("arrivals", "constant", "poisson")
	g.take("seed", "N", "random, and reported", "what poisson arrivals are made from", into(&g.set.seed, parseSeed))
}

// format adds the flag that selects one of formats.
func (g *groups) format(usage string, formats ...string) {
	g.take("format,f", "FORMAT", formats[0], usage, into(&g.set.format, oneOf(formats...)))
	g.words("format", formats...)
}

// output adds the flag that says where the result goes.
func (g *groups) output() {
	g.take("output,o", "FILE", "standard output", "where the report goes", into(&g.set.output, anything))
}

// manner adds the flags about everything that is not the result.
func (g *groups) manner() {
	set := g.set
	g.on(&set.verbose, "verbose,v", "report more, and log each failed request to standard error")
	g.on(&set.quiet, "quiet,q", "nothing on standard error but errors")
	g.on(&set.noProgress, "no-progress", "no progress on standard error")
	g.on(&set.noColor, "no-color", "no colours; NO_COLOR=1 does the same")
}

// words completes a flag at a shell.
func (g *groups) words(flag string, words ...string) {
	// An error means that there is no such flag; a test would see it.
	_ = g.cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
