package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addHelp makes the groups of the flags before it the help of their command.
func (f *flags) addHelp(s *session) {
	f.add([]flag{{"help,h", "", "", "print this", on(new(bool)), ""}})
	f.completeNothing()
	f.cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		if cmd != f.cmd { // one under it, without groups
			s.status = s.print(help(cmd, []string{"Flags"}, []*pflag.FlagSet{cmd.LocalFlags()}, ""))
			return
		}
		s.status = s.print(help(cmd, f.titles, f.sets, f.statuses))
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
	for i, set := range sets {
		b.WriteString("\n" + titles[i] + ":\n" + flagLines(set))
	}
	if statuses != "" {
		b.WriteString("\nExit status:\n" + statuses)
	}
	return b.String()
}

// helpColumn is where what a flag does begins. Longer flags, which are few, have
// a line of their own.
const helpColumn = 26

// flagLines describes each flag of a set.
func flagLines(set *pflag.FlagSet) string {
	var b strings.Builder
	set.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		short := "    "
		if f.Shorthand != "" {
			short = "-" + f.Shorthand + ", "
		}
		head, usage := "  "+short+"--"+f.Name, f.Usage
		if v, ok := f.Value.(*value); ok && v.kind != "" {
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
