package cli

import (
	"fmt"
	"slices"
	"strings"
)

// check adds what is wrong with flags that go together in any command.
func (set *settings) check() {
	f := &set.faults
	if set.quiet && set.verbose {
		f.add("--quiet and --verbose are both given, want one of them")
	}
	if len(set.bodies) > 1 {
		f.add("--body is given %d times, want it once", len(set.bodies))
	}
}

// checkRun adds what is wrong with the flags that only a run has.
func (set *settings) checkRun() {
	f := &set.faults
	if set.rate > 0 && len(set.stages) > 0 {
		f.add("--rate and --stage are both given, want one of them")
	}
	if set.budget > 0 && !set.endless() {
		f.add("--budget is of a run without --requests, --duration and --stage, want it or them")
	}
	if set.output != "" && set.output != "-" && set.output == set.hdrLog {
		f.add("--output and --hdr-log are the same file %q, want two", set.output)
	}
	if set.hdrLog == "-" {
		f.add("--hdr-log %q: want a file", set.hdrLog)
	}
	set.need("arrivals", set.arrivals != "", "--rate or --stage", set.open())
	set.need("connections-ahead", set.ahead != 0, "--rate or --stage", set.open())
	set.needPoisson()
	set.need("budget", set.budget > 0, "--limit", len(set.limits) > 0)
	set.need("confirm", set.confirm, "--limit", len(set.limits) > 0)
}

func (set *settings) needPoisson() {
	set.need("seed", set.seed != 0, "--arrivals poisson", set.arrivals == "poisson")
}

// need adds that a flag was given without what it is for.
func (set *settings) need(flag string, given bool, what string, has bool) {
	if given && !has {
		set.faults.add("--%s does nothing without %s, want both or neither", flag, what)
	}
}

// endless reports whether the flags do not say when to stop.
func (set *settings) endless() bool {
	return set.requests == 0 && set.duration == 0 && len(set.stages) == 0
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
