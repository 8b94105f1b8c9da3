package cli

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const compareAbout = `Tell whether head is slower than base: both in one run, in pairs of short
blocks, one of each, in random order, so that noise hits both alike.`

const compareExamples = `  # the new build beside the old one
  load-tester compare --base http://localhost:8080/ --head http://localhost:8081/

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

// newCompare tells whether one target is slower than another.
func newCompare(s *session, status *int) *cobra.Command {
	set := &settings{}
	cmd := &cobra.Command{
		Use:     "compare [flags] --base URL --head URL",
		Short:   "Tell whether one server is slower than another, in one run",
		Long:    compareAbout,
		Example: compareExamples,
		Args:    noArgs,
	}
	g := newGroups(cmd, set)
	g.statuses = compareStatuses
	g.group("Targets")
	g.take("base", "URL", "", "what head is compared with, as the build before a change", each(&set.bases, anything))
	g.take("head", "URL", "", "what is judged", each(&set.heads, anything))
	g.request()
	g.group("Load, the same on both")
	g.permits("10, or 1000 with --rate")
	g.take("rate", "RATE", "a closed workload", "open workload: arrivals a second, or 1000/s, 50/m, 10/ms\n", into(&set.rate, parseRate))
	g.take("warmup", "TIME", "", "load on both before anything is counted", into(&set.warmup, parseTimeOrZero))
	g.group("Verdict")
	g.take("tolerance", "TOLERANCE", "p50=5% and p99=10%", "by how much head may be slower (repeatable): 'p50=5%' 'p99.9=20%',\nany percentile, or as a ratio 'p50=1.05'\n", each(&set.tolerances, verdict.ParseTolerance))
	g.words("tolerance", "p50=5%", "p99=10%", "p99.9=20%")
	g.take("limit", "LIMIT", "errors<=0", "how many of head's requests may fail: 'errors<=0.1%'\n", each(&set.limits, verdict.Parse))
	g.words("limit", "errors<=0.1%")
	g.take("budget", "TIME", "20s", "longest time until the verdict is clear", into(&set.budget, parseTime))
	g.on(&set.confirm, "confirm", "run again after a pause before a fail counts")
	g.take("seed", "N", "random, and reported", "what the order of the blocks is drawn from", into(&set.seed, parseSeed))
	g.group("Output")
	g.format("text or json", "text", "json")
	g.output()
	g.manner()
	g.help(s, status)
	cmd.RunE = func(*cobra.Command, []string) error {
		set.checkCompare()
		o, err := set.options(s.stdin)
		if err == nil {
			*status, err = s.compare(set, o)
		}
		return err
	}
	return cmd
}

// checkCompare adds what is wrong with the flags of a comparison. Head may not
// fail where nothing else is said: that it does is no matter of noise.
func (set *settings) checkCompare() {
	f := &set.faults
	for _, arm := range []struct {
		flag string
		urls []string
	}{{"base", set.bases}, {"head", set.heads}} {
		if len(arm.urls) == 0 && len(*f) == 0 {
			f.add("--%s is missing, want a target: load-tester compare --base http://localhost:8080/ --head http://localhost:8081/", arm.flag)
		} else if len(arm.urls) > 1 {
			f.add("--%s: %d URLs are given, %s, want one", arm.flag, len(arm.urls), quoted(arm.urls))
		}
	}
	for i, t := range set.tolerances {
		if slices.ContainsFunc(set.tolerances[:i], func(u verdict.Tolerance) bool { return u.Q == t.Q }) {
			f.add("--tolerance: %s is given twice, want it once", t.Name())
		}
	}
	for _, l := range set.limits {
		if l.Metric != verdict.Errors {
			f.add("--limit %q: times are judged by --tolerance here, want one on errors, such as errors<=0.1%%", l)
		}
	}
	if len(set.limits) == 0 {
		set.limits = []verdict.Limit{{Metric: verdict.Errors, Op: verdict.AtMost}}
	}
}

// compare makes a comparison and returns the exit status. An error is about the
// flags: nothing was sent.
func (s *session) compare(set *settings, o engine.Options) (status int, err error) {
	return s.do(set, newMeter(engine.Options{}), func(log *slog.Logger) (measure, error) {
		o.Log = log
		base, head := o, o
		base.URL, head.URL = set.bases[0], set.heads[0]
		c, err := engine.NewComparison(base, head)
		if err != nil {
			return nil, planFaults(err, flagOf)
		}
		return func(ctx, cut context.Context, watch engine.Watch) (result, error) {
			r, err := c.Run(ctx, cut, watch)
			return &comparison{r}, err
		}, nil
	})
}

// A comparison is the result of one.
type comparison struct{ *report.Comparison }

func (c *comparison) render(format string, style report.Style) ([]byte, error) {
	return textOrJSON(c.Comparison, format, style)
}

func (c *comparison) extent() string { return c.Progress() }

func (c *comparison) interrupted() bool { return c.Interrupted }

func (c *comparison) status() int { return statusOf(c.Verdict, statusNotMeasured) }

func (c *comparison) complaints(seen bool) (lines []string) {
	for _, arm := range []struct {
		name string
		of   *report.Arm
	}{{"base", &c.Base}, {"head", &c.Head}} {
		if arm.of.Requests.Succeeded == 0 && !c.Interrupted {
			lines = append(lines, fmt.Sprintf("no request to %s succeeded: there is nothing to compare", arm.name))
		}
	}
	if seen {
		return lines
	}
	if c.Repeat != nil && c.Verdict != verdict.Fail {
		return append(lines, "cannot judge: the fail did not come again when it was repeated")
	}
	return append(lines, reasons(c.Judged())...)
}
