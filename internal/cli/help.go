package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
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

// help makes the flags' groups the help of their command.
func (g *groups) help(s *session, status *int) {
	g.on(new(bool), "help,h", "print this")
	g.cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if cmd != g.cmd { // one under it, without groups
			*status = s.print(help(cmd, []string{"Flags"}, []*pflag.FlagSet{cmd.LocalFlags()}, ""))
			return
		}
		*status = s.print(help(cmd, g.titles, g.sets, g.statuses))
	})
}

// help is the text of --help.
func help(cmd *cobra.Command, titles []string, sets []*pflag.FlagSet, statuses string) string {
	var b strings.Builder
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	b.WriteString(strings.TrimSpace(about) + "\n\nUsage:\n")
	if cmd.Runnable() {
		b.WriteString("  " + strings.TrimSuffix(cmd.UseLine(), " [flags]") + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " COMMAND [flags]\n")
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n" + cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(&b, "  %-11s %s\n", c.Name(), c.Short)
			}
		}
	}
	for i, fs := range sets {
		b.WriteString("\n" + titles[i] + ":\n" + flagLines(fs))
	}
	if statuses != "" {
		b.WriteString("\nExit status:\n" + statuses)
	}
	return b.String()
}

// helpColumn is where what a flag does begins. Longer flags have a line of
// their own. Chosen: most fit.
const helpColumn = 26

// flagLines describes each flag of fs.
func flagLines(fs *pflag.FlagSet) string {
	var b strings.Builder
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		short := "    "
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		head, usage := "  "+short+"--"+f.Name, f.Usage
		if v, ok := f.Value.(*value); ok {
			head += " " + v.kind
			if f.DefValue != "" {
				if !strings.HasSuffix(usage, "\n") {
					usage += " "
				}
				usage += "(default " + f.DefValue + ")"
			}
		}
		if pad := helpColumn - utf8.RuneCountInString(head); pad > 0 {
			head += strings.Repeat(" ", pad)
		} else {
			head += "\n" + strings.Repeat(" ", helpColumn)
		}
		usage = strings.ReplaceAll(usage, "\n", "\n"+strings.Repeat(" ", helpColumn))
		b.WriteString(head + usage + "\n")
	})
	return b.String()
}
