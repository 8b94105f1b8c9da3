package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// newDemo is a load on a target in the same process.
func newDemo(s *session, status *int) *cobra.Command {
	set := &settings{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a short load on a target in this process, to see a report",
		Args:  noArgs,
	}
	runFlags(cmd, set, true).help(s, status)
	cmd.RunE = func(*cobra.Command, []string) error {
		if len(set.limits) == 0 {
			set.limits = demoLimits()
		}
		o, err := set.runOptions(s.stdin)
		if err != nil {
			return err
		}
		o.Handler = target.Known(target.Demo())
		if !set.quiet {
			fmt.Fprintln(s.stderr, "The target is in this process: it answers 99 of 100 requests in about 1 ms, and one in about 20 ms.")
		}
		*status, err = s.run(set, o)
		return err
	}
	return cmd
}

// demoLimits hold on any machine that is not stuck.
func demoLimits() []verdict.Limit {
	return []verdict.Limit{
		{Metric: verdict.Quantile, Q: 0.99, Op: verdict.AtMost, Time: 500 * time.Millisecond},
		{Metric: verdict.Errors, Op: verdict.AtMost},
		{Metric: verdict.Throughput, Op: verdict.AtLeast, Value: 50},
	}
}
