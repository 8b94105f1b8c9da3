package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

const rootExamples = `  # 1000 requests, at most 50 in flight
  load-tester -n 1000 -c 50 http://localhost:8080/

  # steady: 200 arrivals a second for a minute, whatever the server does
  load-tester --rate 200 --duration 1m http://localhost:8080/

  # a ramp, a spike and a pause
  load-tester --stage 30s:10..100 --stage 5s:1000 --stage 5s:0 http://localhost:8080/

  # a staircase
  load-tester --stage 20s:100 --stage 20s:200 --stage 20s:400 http://localhost:8080/

  # in CI: limits, and a report to keep
  load-tester --rate 200 --duration 30s --warmup 5s \
    --limit 'p99<=50ms' --limit 'errors<=0.1%' \
    --format json --output report.json http://localhost:8080/
`

const rootStatuses = `  0         done
  1         a limit was missed
  2         wrong flags; nothing was sent
  3         not measured: no request succeeded, a limit could not be judged, or
            the report could not be written
  130, 143  after Ctrl+C, after SIGTERM; the report is of what was done
`

// newRoot makes the command, which makes a run, and those under it.
func newRoot(s *session) *cobra.Command {
	var o engine.RunOptions
	var version bool
	root := &cobra.Command{
		Use:               "load-tester [flags] URL",
		Short:             "Put load on an HTTP server, measure what its users would see, and judge it.",
		Example:           rootExamples,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	j := newJob(s, root, rootStatuses)
	j.addURL()
	j.addRequest(&o.Target.RequestOptions)
	j.addRun(&o)
	j.add([]flag{{"version", "", "", "print the version", on(&version), ""}})
	j.addHelp(s)
	root.RunE = func(_ *cobra.Command, args []string) error {
		if version {
			s.status = s.print("load-tester " + report.Version() + "\n")
			return nil
		}
		if known := misspelt(root, args); known != "" {
			return fmt.Errorf("unknown command %q, did you mean %s? (a host of that name is http://%s)", args[0], known, args[0])
		}
		o.Target.URL = j.url(args)
		return j.run(&o)
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newCompare(s), newCapacity(s), newHistory(s), newDemo(s), newTarget(s), newSchema(s))
	root.SetHelpCommand(newHelp(root))
	return root
}

// misspelt returns what is probably meant by a sole argument that is no command, or
// by a first one that is another tool's; "" if it may be a URL.
func misspelt(root *cobra.Command, args []string) string {
	if len(args) > 0 && foreignCommands[args[0]] != "" {
		return foreignCommands[args[0]]
	}
	if len(args) != 1 || strings.ContainsAny(args[0], ":/.") {
		return ""
	}
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return nearest(args[0], names)
}

// newDemo makes a run on a target in the same process.
func newDemo(s *session) *cobra.Command {
	var o engine.RunOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a short load on a target in this process, to see a report",
		Args:  noArgs,
	}
	j := newJob(s, cmd, "")
	j.addRun(&o)
	j.addHelp(s)
	cmd.RunE = func(*cobra.Command, []string) error {
		if !j.given("limit") {
			o.Limits = demoLimits()
		}
		o.Target.Handler = target.Known(target.Demo())
		j.notes = append(j.notes, "The target is in this process: it answers 99 of 100 requests in about 1 ms, and one in about 20 ms.")
		return j.run(&o)
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

// newSchema prints what describes the JSON of every command.
func newSchema(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of --format json",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := noArgs(cmd, args); err != nil {
				return fmt.Errorf("%w: there is one schema for all results, want load-tester schema", err)
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			s.status = s.print(string(report.Schema()))
			return nil
		},
	}
}

// newHelp is cobra's, except that it fails for what is no command.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Print the help of a command",
		RunE: func(_ *cobra.Command, args []string) error {
			cmd, rest, err := root.Find(args)
			if err != nil || cmd == root && len(rest) > 0 {
				return fmt.Errorf("no command %q, want one that load-tester --help lists", args[0])
			}
			return cmd.Help()
		},
	}
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return errors.New(cmd.Name() + " takes no argument, got " + quoted(args))
	}
	return nil
}
