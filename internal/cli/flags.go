package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

	limits []verdict.Limit

	format     string
	output     string
	hdrLog     string
	verbose    bool
	quiet      bool
	noProgress bool
	noColor    bool
}

// groups are the flags of a command, by title, in the order of its help.
type groups struct {
	cmd    *cobra.Command
	titles []string
	sets   []*pflag.FlagSet
	faults *faults
}

// group starts a new group.
func (g *groups) group(title string) {
	g.titles = append(g.titles, title)
	g.sets = append(g.sets, newFlagSet())
}

func newFlagSet() *pflag.FlagSet {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.SortFlags = false
	return fs
}

// take adds a flag with a value, which set is given. names are "long" or
// "long,s"; kind names the value, and def is the default, as help shows them.
func (g *groups) take(names, kind, def, usage string, set func(string) error) {
	name, short, _ := strings.Cut(names, ",")
	fs := g.sets[len(g.sets)-1]
	f := fs.VarPF(&value{name: name, kind: kind, set: set, faults: g.faults}, name, short, usage)
	f.DefValue = def
	g.cmd.Flags().AddFlag(f)
}

// on adds a flag without a value.
func (g *groups) on(to *bool, names, usage string) {
	name, short, _ := strings.Cut(names, ",")
	fs := g.sets[len(g.sets)-1]
	fs.BoolVarP(to, name, short, false, usage)
	g.cmd.Flags().AddFlag(fs.Lookup(name))
}

// A value is a flag's, whose faults are collected so that all of them are
// reported together.
type value struct {
	name   string
	kind   string
	set    func(string) error
	faults *faults
}

func (v *value) Set(s string) error {
	if err := v.set(s); err != nil {
		v.faults.add("--%s %q: %v", v.name, s, err)
	}
	return nil
}

func (v *value) String() string { return "" }

func (v *value) Type() string { return v.kind }

// into reads a flag's value into to; the last one given holds.
func into[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = v
		}
		return err
	}
}

// each collects the values of a flag that may be given several times.
func each[T any](to *[]T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = append(*to, v)
		}
		return err
	}
}

// loadFlags adds the flags of a run to cmd. A demo has a target of its own.
func loadFlags(cmd *cobra.Command, set *settings, demo bool) *groups {
	g := &groups{cmd: cmd, faults: &set.faults}
	cmd.Flags().SortFlags = false
	if !demo {
		g.group("Target")
		g.take("url,u", "URL", "", "target; may stand without --url", each(&set.urls, anything))
		g.take("method,m", "METHOD", "GET", "method of each request", into(&set.method, anything))
		g.take("header,H", "FIELD", "", "header field 'Name: value', in place of ours of that name (repeatable)", each(&set.header, parseHeader))
		g.take("body", "BODY", "", "body of each request: text, @FILE, or - for standard input", each(&set.bodies, func(s string) (string, error) { return s, nil }))
		g.on(&set.insecure, "insecure,k", "do not verify the server's certificate")
		g.on(&set.noKeepAlive, "no-keepalive", "a new connection for each request")
		g.on(&set.traceparent, "traceparent", "send a W3C traceparent too, made from the request id")
	}

	g.group("Load")
	g.take("requests,n", "N", "100, or none with --duration or --stage", "stop after so many requests; 10k and 2m are numbers too\n", into(&set.requests, parseCount))
	g.take("duration,z", "TIME", "", "stop after this time, warm-up apart", into(&set.duration, parseTime))
	g.take("concurrency,c", "N", "10, or 1000 with --rate or --stage", "most requests in flight", into(&set.concurrency, parseConcurrency))
	g.take("timeout,t", "TIME", "10s", "longest time for one request, connecting included", into(&set.timeout, parseTime))
	g.take("grace", "TIME", "the timeout", "how long Ctrl+C and the end wait for what is in flight", into(&set.grace, parseGrace))
	g.take("warmup", "TIME", "", "load before anything is counted", into(&set.warmup, parseTimeOrZero))

	g.group("Open workload: requests are due on a schedule, whatever the server does")
	g.take("rate", "RATE", "", "arrivals a second, or 1000/s, 50/m, 10/ms", into(&set.rate, parseRate))
	g.take("stage", "STAGE", "", "10s:100, or a ramp 30s:100..1000, or a pause 5s:0 (repeatable)", each(&set.stages, parseStage))
	g.take("arrivals", "KIND", "constant", "constant, or poisson for random ones", into(&set.arrivals, oneOf("constant", "poisson")))
	g.take("seed", "N", "random, and reported", "what poisson arrivals are made from", into(&set.seed, parseSeed))
	g.take("connections-ahead", "N", "enough for the first second", "connections opened before the start\n", into(&set.ahead, parseAhead))

	g.group("Limits")
	g.take("limit", "LIMIT", "", "what must hold (repeatable): p50 p99 p99.9 p<any> mean max errors\nthroughput goodput, with < <= > >=: 'p99<=50ms' 'errors<=0.1%'", each(&set.limits, verdict.Parse))

	g.group("Output")
	g.take("format,f", "FORMAT", "text", "text, json, or hgrm: a percentile spectrum", into(&set.format, oneOf("text", "json", "hgrm")))
	g.take("output,o", "FILE", "standard output", "where the report goes", into(&set.output, anything))
	g.take("hdr-log", "FILE", "", "also write an HdrHistogram log, one line per interval", into(&set.hdrLog, anything))
	g.on(&set.verbose, "verbose,v", "report more, and log each failed request to standard error")
	g.on(&set.quiet, "quiet,q", "nothing on standard error but errors")
	g.on(&set.noProgress, "no-progress", "no progress on standard error")
	g.on(&set.noColor, "no-color", "no colours; NO_COLOR=1 does the same")

	words := func(flag string, words ...string) {
		// An error means that there is no such flag; a test would see it.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	words("format", "text", "json", "hgrm")
	words("arrivals", "constant", "poisson")
	words("limit", "p99<=50ms", "errors<=0.1%", "throughput>=5000")
	return g
}

// check adds what is wrong with the flags together.
func (set *settings) check() {
	f := &set.faults
	if set.quiet && set.verbose {
		f.add("--quiet and --verbose are both given, want one of them")
	}
	if set.rate > 0 && len(set.stages) > 0 {
		f.add("--rate and --stage are both given, want one of them")
	}
	if len(set.bodies) > 1 {
		f.add("--body is given %d times, want it once", len(set.bodies))
	}
	if set.output != "" && set.output != "-" && set.output == set.hdrLog {
		f.add("--output and --hdr-log are the same file %q, want two", set.output)
	}
	if set.hdrLog == "-" {
		f.add("--hdr-log %q: want a file", set.hdrLog)
	}
	for _, o := range []struct {
		flag  string
		given bool
		needs string
		has   bool
	}{
		{"arrivals", set.arrivals != "", "--rate or --stage", set.open()},
		{"connections-ahead", set.ahead != 0, "--rate or --stage", set.open()},
		{"seed", set.seed != 0, "--arrivals poisson", set.arrivals == "poisson"},
	} {
		if o.given && !o.has {
			f.add("--%s does nothing without %s, want both or neither", o.flag, o.needs)
		}
	}
}

// open reports whether the workload is open.
func (set *settings) open() bool { return set.rate > 0 || len(set.stages) > 0 }

// checkURL adds what is wrong with the number of URLs, given with --url and
// without.
func (set *settings) checkURL(args []string, commands []string) {
	set.urls = slices.Concat(set.urls, args)
	f := &set.faults
	switch {
	case len(set.urls) == 0 && len(*f) == 0:
		f.add("--url is missing, want the target: load-tester http://localhost:8080/ (see load-tester --help)")
	case len(set.urls) > 1:
		f.add("--url: %d URLs are given, %s, want one", len(set.urls), quoted(set.urls))
	case len(args) == 1 && !strings.ContainsAny(args[0], ":/.") && nearest(args[0], commands) != "":
		f.add("unknown command %q, did you mean %s?", args[0], nearest(args[0], commands))
	}
}

func quoted(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteString(" and ")
		}
		fmt.Fprintf(&b, "%q", w)
	}
	return b.String()
}
