package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groups are the flags of a command, by title, in the order of its help.
type groups struct {
	cmd    *cobra.Command
	set    *settings
	titles []string
	sets   []*pflag.FlagSet
	faults *faults

	statuses string // what the exit status means; "" if help need not say
}

// newGroups is for the flags of cmd that go to set.
func newGroups(cmd *cobra.Command, set *settings) *groups {
	cmd.Flags().SortFlags = false
	return &groups{cmd: cmd, set: set, faults: &set.faults}
}

// group starts a new group.
func (g *groups) group(title string) {
	g.titles = append(g.titles, title)
	g.sets = append(g.sets, newFlagSet())
}

func newFlagSet() *pflag.FlagSet {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.SortFlags = false
	return fs
}

// take adds a flag with a value, which set is given. names are "long" or
// "long,s"; kind names the value, and def is the default, as help shows them.
func (g *groups) take(names, kind, def, usage string, set func(string) error) {
	name, short, _ := strings.Cut(names, ",")
	fs := g.sets[len(g.sets)-1]
	f := fs.VarPF(&value{name: name, kind: kind, set: set, faults: g.faults}, name, short, usage)
	f.DefValue = def
	g.cmd.Flags().AddFlag(f)
}

// on adds a flag without a value.
func (g *groups) on(to *bool, names, usage string) {
	name, short, _ := strings.Cut(names, ",")
	fs := g.sets[len(g.sets)-1]
	fs.BoolVarP(to, name, short, false, usage)
	g.cmd.Flags().AddFlag(fs.Lookup(name))
}

// A value is a flag's, whose faults are collected so that all of them are
// reported together.
type value struct {
	name   string
	kind   string
	set    func(string) error
	faults *faults
}

func (v *value) Set(s string) error {
	if err := v.set(s); err != nil {
		v.faults.add("--%s %q: %v", v.name, s, err)
	}
	return nil
}

func (v *value) String() string { return "" }

func (v *value) Type() string { return v.kind }

// into reads a flag's value into to; the last one given holds.
func into[T any](to *T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = v
		}
		return err
	}
}

// each collects the values of a flag that may be given several times.
func each[T any](to *[]T, parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err == nil {
			*to = append(*to, v)
		}
		return err
	}
}
