package cli

import (
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
func newCapacity(s *session) *cobra.Command {
	var o engine.SearchOptions
	cmd := &cobra.Command{
		Use:               "capacity [flags] --limit LIMIT URL",
		Short:             "Find the highest arrival rate at which limits hold",
		Long:              capacityAbout,
		Example:           capacityExamples,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	j := newJob(s, cmd, capacityStatuses)
	j.addURL()
	j.addRequest(&o.Target.RequestOptions)
	j.group("Search", []flag{
		{"limit", "LIMIT", "", "what must hold (repeatable): p50 p99 p99.9 p<any> max errors,\nwith < <=: 'p99<=50ms' 'errors<=0.1%'", each(&o.Limits, verdict.Parse), "Limits"},
		{"start", "RATE", "100", "where the search begins: arrivals a second, or 1000/s, 50/m, 10/ms\n", into(&o.Rate, parseRate), "Rate"},
		{"most", "RATE", "", "no higher rate is tried", into(&o.Most, parseRate), "Most"},
		{"budget", "TIME", "150s", "longest time for the search", into(&o.Budget, parseTime), "Budget"},
	})
	j.complete("limit", "p99<=50ms", "errors<=0.1%")
	j.group("Load", nil)
	j.addPermits(&o.Settings, "1000, or fewer as ulimit -n allows")
	j.addArrivals(&o.Load)
	j.addOutput(report.Search)
	j.addHelp(s)
	o.Words = verdict.SearchFlags
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		o.Target.URL = j.url(args)
		if !j.given("limit") && len(j.faults) == 0 {
			j.faults.add("--limit is missing, want what must hold: --limit 'p99<=50ms'")
		}
		j.need("seed", o.Poisson || j.wrong["arrivals"], "--arrivals poisson")
		return j.do(&o.Settings, func() (engine.Plan, error) { return engine.NewSearch(o) })
	}
	return cmd
}
