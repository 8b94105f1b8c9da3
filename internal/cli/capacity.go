package cli

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const capacityAbout = `Find the highest arrival rate at which limits hold, and what stands in the way
of a higher one: the target, the generator or the host.`

const capacityExamples = `  # how many arrivals a second keep 99 of 100 requests within 50 ms
  load-tester capacity --limit 'p99<=50ms' http://localhost:8080/
`

const capacityStatuses = `  0         found
  2         wrong flags; nothing was sent
  3         not clear, or not measured
  130, 143  after Ctrl+C, after SIGTERM; the report is of what was done
`

// newCapacity searches for the highest rate at which limits hold.
func newCapacity(s *session, status *int) *cobra.Command {
	set := &settings{}
	cmd := &cobra.Command{
		Use:               "capacity [flags] --limit LIMIT URL",
		Short:             "Find the highest arrival rate at which limits hold",
		Long:              capacityAbout,
		Example:           capacityExamples,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	g := newGroups(cmd, set)
	g.statuses = capacityStatuses
	g.group("Target")
	g.url()
	g.request()
	g.group("Search")
	g.take("limit", "LIMIT", "", "what must hold (repeatable): p50 p99 p99.9 p<any> max errors,\nwith < <=: 'p99<=50ms' 'errors<=0.1%'", each(&set.limits, verdict.Parse))
	g.words("limit", "p99<=50ms", "errors<=0.1%")
	g.take("start", "RATE", "100", "where the search begins: arrivals a second, or 1000/s, 50/m, 10/ms\n", into(&set.rate, parseRate))
	g.take("most", "RATE", "", "no higher rate is tried", into(&set.most, parseRate))
	g.take("budget", "TIME", "150s", "longest time for the search", into(&set.budget, parseTime))
	g.group("Load")
	g.permits("1000")
	g.arrivals()
	g.group("Output")
	g.format("text or json", "text", "json")
	g.output()
	g.manner()
	g.help(s, status)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		set.checkURL(args, nil)
		set.checkCapacity()
		o, err := set.options(s.stdin)
		if err == nil {
			*status, err = s.capacity(set, o)
		}
		return err
	}
	return cmd
}

// checkCapacity adds what is wrong with the flags of a search.
func (set *settings) checkCapacity() {
	if len(set.limits) == 0 && len(set.faults) == 0 {
		set.faults.add("--limit is missing, want what must hold: --limit 'p99<=50ms'")
	}
	set.needPoisson()
}

// capacity makes a search and returns the exit status. An error is about the
// flags: nothing was sent.
func (s *session) capacity(set *settings, o engine.Options) (status int, err error) {
	flags := maps.Clone(flagOf)
	flags["Rate"] = "start"
	return s.do(set, newMeter(engine.Options{}), func(log *slog.Logger) (measure, error) {
		o.Log = log
		c, err := engine.NewCapacity(o)
		if err != nil {
			return nil, planFaults(err, flags)
		}
		return func(ctx, cut context.Context, watch engine.Watch) (result, error) {
			r, err := c.Run(ctx, cut, watch)
			return &capacity{r}, err
		}, nil
	})
}

// A capacity is the result of a search.
type capacity struct{ *report.Capacity }

func (c *capacity) render(format string, style report.Style) ([]byte, error) {
	return textOrJSON(c.Capacity, format, style)
}

func (c *capacity) extent() string { return c.Progress() }

func (c *capacity) interrupted() bool { return c.Interrupted }

func (c *capacity) status() int { return statusOf(c.Verdict, statusNotMeasured) }

func (c *capacity) complaints(seen bool) (lines []string) {
	succeeded := func(t report.Trial) bool { return t.Succeeded > 0 }
	if len(c.Trials) > 0 && !slices.ContainsFunc(c.Trials, succeeded) {
		lines = append(lines, "no request succeeded: there is no rate at which limits hold")
	}
	if !seen {
		lines = append(lines, reasons([]report.LimitResult{{Verdict: c.Verdict, Reason: c.Reason}})...)
	}
	return lines
}
