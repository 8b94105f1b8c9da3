package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const compareAbout = `Tell whether head is slower than base: both in one run, a few requests at a
time, in random order, so that noise hits both. Each claim is proved or
refuted by readings of its own:

  work   processor time of a request, where the servers run on this machine
  quick  an undisturbed request, alone
  alone  the typical request, alone
  burst  as many requests at once as --concurrency says, 64 at most
  tail   a percentile from p90 on, of all of these
  load   sustained load, which can fail and need not pass`

const compareExamples = `  # the new build beside the old one
  load-tester compare --base http://localhost:8080/ --head http://localhost:8081/

  # two builds, started for the comparison, and anew for the repeat of a fail
  load-tester compare --base-command './old -listen {addr}' --head-command './new -listen {addr}'

  # in CI: at a steady rate, and a fail must come twice
  load-tester compare --base http://localhost:8080/ --head http://localhost:8081/ \
    --rate 500 --tolerance 'p50=5%' --tolerance 'p99=20%' --confirm
`

const compareStatuses = `  0         head is no slower than tolerated
  1         head is slower
  2         wrong flags; nothing was sent
  3         not clear, or not measured
  130, 143  after Ctrl+C, after SIGTERM; the report is of what was done
`

// remoteClaims are those on a server that is reached by a URL.
var remoteClaims = []string{verdict.Work, verdict.Quick, verdict.Alone, verdict.Burst, verdict.Tail, verdict.Load}

// addTolerance reads by how much a target may be slower: at a percentile, or in
// processor time.
func addTolerance(to *[]verdict.Tolerance, cpu *float64, s string) (err error) {
	switch name, value, _ := strings.Cut(s, "="); strings.TrimSpace(name) {
	case "cpu":
		if *cpu != 0 {
			return errors.New("cpu is given twice, want it once")
		}
		*cpu, err = verdict.ParseSlower("cpu", value)
		return err
	case verdict.Allocs, verdict.Bytes:
		return errors.New("what a request allocates is counted of handlers in go test alone; want a percentile or cpu")
	}
	return each(to, verdict.ParseTolerance)(s)
}

// addClaims reads which claims to judge.
func addClaims(to *[]string, s string) error {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); !slices.Contains(remoteClaims, name) {
			return fmt.Errorf("want some of %s", strings.Join(remoteClaims, ","))
		}
		*to = append(*to, name)
	}
	return nil
}

// parseMargin reads a ratio of at least 1.
func parseMargin(s string) (float64, error) {
	f, err := parseNumber(s)
	if err != nil || f < 1 {
		return 0, errors.New("want a ratio of at least 1, such as 1.2")
	}
	return f, nil
}

// newCompare tells whether one target is slower than another.
func newCompare(s *session) *cobra.Command {
	var o engine.CompareOptions
	var request engine.RequestOptions        // to both
	var ofBase, ofHead engine.RequestOptions // besides, to one of them
	var bases, heads, baseCommands, headCommands []string
	cmd := &cobra.Command{
		Use:     "compare [flags] --base URL --head URL",
		Short:   "Tell whether one server is slower than another, in one run",
		Long:    compareAbout,
		Example: compareExamples,
		Args:    noArgs,
	}
	j := newJob(s, cmd, compareStatuses)
	j.group("Targets", []flag{
		{"base", "URL", "", "what head is compared with, as the build before a change", each(&bases, nonEmpty), "Base"},
		{"head", "URL", "", "what is judged", each(&heads, nonEmpty), "Head"},
		{"base-command", "COMMAND", "", "instead of --base: start a server, and end it after; it listens at\n{addr}, which is 127.0.0.1 and a port, also in {port} and $PORT", each(&baseCommands, nonEmpty), ""},
		{"head-command", "COMMAND", "", "likewise instead of --head", each(&headCommands, nonEmpty), ""},
		{"path", "PATH", "the URL's, or /", "path and query of each request", into(&request.Path, parsePath), ""},
	})
	j.addRequest(&request)
	j.add([]flag{
		{"base-header", "FIELD", "", "header field for base only, as with --header (repeatable)", addHeader(&ofBase), ""},
		{"head-header", "FIELD", "", "header field for head only, as with --header (repeatable)", addHeader(&ofHead), ""},
	})
	j.group("Load, the same on both", nil)
	j.addPermits(&o.Settings, "10, or 1000 with --rate,\nor fewer as ulimit -n allows")
	j.add([]flag{
		{"rate", "RATE", "a closed workload", "open workload: arrivals a second, or 1000/s, 50/m, 10/ms\n", into(&o.Rate, parseRate), "Rate"},
		{"warmup", "TIME", "", "load on both before anything is counted", into(&o.Warmup, parseTimeOrZero), "Warmup"},
	})
	j.group("Verdict", nil)
	j.addTolerances("head", "any percentile, and 'cpu=10%' for processor time", func(s string) error { return addTolerance(&o.Tolerances, &o.CPU, s) }, "cpu=10%")
	j.add([]flag{
		{"margin", "RATIO", "1.2, and 1.8 from p90 on", "for a pass, alone, burst and tail must surely be within this many times\ntheir tolerance; 1 is strictest\n", into(&o.Margin, parseMargin), "Margin"},
		{"claims", "NAMES", "all", "which to judge, such as work,quick (repeatable)", func(s string) error { return addClaims(&o.Claims, s) }, "Claims"},
		{"limit", "LIMIT", "errors<=0", "how many of head's requests may fail: 'errors<=0.1%'\n", each(&o.Limits, verdict.Parse), "Limits"},
		{"budget", "TIME", "20s", "longest time until the verdict is clear", into(&o.Budget, parseTime), "Budget"},
		{"confirm", "", "", "measure again, with fresh connections or servers, before a fail counts", on(&o.Confirm), "Confirm"},
		{"seed", "N", "random, and reported", "what every order is drawn from", into(&o.Order, parseSeed), "Order"},
	})
	j.complete("limit", "errors<=0.1%")
	j.complete("claims", remoteClaims...)
	j.addOutput(report.Comparison)
	j.addHelp(s)
	o.Words = verdict.CompareFlags
	cmd.RunE = func(*cobra.Command, []string) error {
		const missing = "a target: load-tester compare --base http://localhost:8080/ --head http://localhost:8081/"
		j.server(&o.Base, "base", bases, baseCommands, missing)
		j.server(&o.Head, "head", heads, headCommands, missing)
		j.checkTolerances(o.Tolerances)
		if len(o.Limits) == 0 { // that head fails is not a matter of noise
			o.Limits = []verdict.Limit{{Metric: verdict.Errors, Op: verdict.AtMost}}
		}
		return j.do(&o.Settings, func() (engine.Plan, error) {
			o.Base.RequestOptions, o.Head.RequestOptions = override(request, ofBase), override(request, ofHead)
			return engine.NewComparison(o)
		})
	}
	return cmd
}
