package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/report"
)

// newRoot makes the command and those under it. What they do sets status.
func newRoot(s *session, status *int) *cobra.Command {
	set := &settings{}
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
	g := runFlags(root, set, false)
	g.statuses = rootStatuses
	g.on(&version, "version", "print the version")
	g.help(s, status)
	root.RunE = func(_ *cobra.Command, args []string) (err error) {
		if version {
			*status = s.print("load-tester " + engine.Version() + "\n")
			return nil
		}
		var names []string
		for _, c := range root.Commands() {
			names = append(names, c.Name())
		}
		set.checkURL(args, names)
		o, err := set.runOptions(s.stdin)
		if err == nil {
			*status, err = s.run(set, o)
		}
		return err
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newCompare(s, status), newCapacity(s, status), newHistory(s, status), newDemo(s, status), newTarget(s, status), newSchema(s, status))
	root.SetHelpCommand(newHelp(root))
	return root
}

// newSchema prints what describes the JSON of a command.
func newSchema(s *session, status *int) *cobra.Command {
	return &cobra.Command{
		Use:       "schema [run|compare|capacity]",
		Short:     "Print the JSON Schema of --format json",
		Args:      cobra.ArbitraryArgs,
		ValidArgs: []cobra.Completion{"run", "compare", "capacity"},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("schema takes one argument, got %s", quoted(args))
			}
			schema, err := report.Schema(append(args, "run")[0])
			if err == nil {
				*status = s.print(string(schema))
			}
			return err
		},
	}
}

// newHelp is cobra's, but that it fails for what is no command.
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
