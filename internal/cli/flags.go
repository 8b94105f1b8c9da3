package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// A flag is one line of a command's table of flags.
type flag struct {
	names string             // "long" or "long,s"
	value string             // what help calls its value; "" if it takes none
	def   string             // its default as help shows it; "" shows none
	help  string             // what it does
	set   func(string) error // gets the value; "true" or "false" if it takes none
	field string             // of the engine's options that it fills, as [engine.Fault] names it; "" for none
}

// flags are those of one command, in the groups of its help.
type flags struct {
	cmd      *cobra.Command
	statuses string // what the exit status means; "" if help need not say
	titles   []string
	sets     []*pflag.FlagSet  // one for each title
	byField  map[string]string // the flag that fills a field of the engine's options
	faults   faults
	wrong    map[string]bool // the flags whose values were refused
}

func newFlags(cmd *cobra.Command, statuses string) *flags {
	cmd.Flags().SortFlags = false
	return &flags{cmd: cmd, statuses: statuses, byField: map[string]string{}, wrong: map[string]bool{}}
}

// group adds flags under a title of their own.
func (f *flags) group(title string, table []flag) {
	fs := pflag.NewFlagSet("", pflag.ContinueOnError)
	fs.SortFlags = false
	f.titles, f.sets = append(f.titles, title), append(f.sets, fs)
	f.add(table)
}

// add adds flags to the group before.
func (f *flags) add(table []flag) {
	fs := f.sets[len(f.sets)-1]
	for _, line := range table {
		name, short, _ := strings.Cut(line.names, ",")
		v := &value{name: name, kind: line.value, set: line.set, flags: f, text: "false"}
		added := fs.VarPF(v, name, short, line.help)
		added.DefValue = line.def
		if line.value == "" {
			added.NoOptDefVal = "true"
		}
		f.cmd.Flags().AddFlag(added)
		if line.field != "" {
			f.byField[line.field] = name
		}
	}
}

// complete says which values of a flag a shell offers.
func (f *flags) complete(flag string, words ...string) {
	// An error means that there is no such flag; a test would see it.
	_ = f.cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeNothing makes a shell offer no file names for the flags whose values are
// none.
func (f *flags) completeNothing() {
	f.cmd.Flags().VisitAll(func(pf *pflag.Flag) {
		v, ok := pf.Value.(*value)
		_, has := f.cmd.GetFlagCompletionFunc(pf.Name)
		if ok && !has && v.kind != "" && v.kind != "FILE" {
			f.complete(pf.Name)
		}
	})
}

// given reports whether any of some flags was given.
func (f *flags) given(names ...string) bool { return slices.ContainsFunc(names, f.cmd.Flags().Changed) }

// need adds a fault if a flag was given without what it is for. One whose value
// is wrong has a fault already.
func (f *flags) need(flag string, has bool, what string) {
	if f.given(flag) && !has && !f.wrong[flag] {
		f.faults.add("--%s does nothing without %s, want both or neither", flag, what)
	}
}

// needOne is need for one of some flags.
func (f *flags) needOne(flag string, others ...string) {
	f.need(flag, f.given(others...), "--"+strings.Join(others, " or --"))
}

// alternatives adds a fault if more than one of some flags was given.
func (f *flags) alternatives(names ...string) {
	var given []string
	for _, name := range names {
		if f.given(name) {
			given = append(given, "--"+name)
		}
	}
	if len(given) > 1 {
		f.faults.add("%s are given together, want one of them", strings.Join(given, " and "))
	}
}

// A value is a flag's, whose faults are collected so that all of them are
// reported together.
type value struct {
	name  string
	kind  string
	set   func(string) error
	flags *flags
	text  string // the last one given
}

func (v *value) Set(s string) error {
	v.text = s
	if err := v.set(s); err != nil {
		v.flags.wrong[v.name] = true
		shown := fmt.Sprintf(" %q", s)
		if v.kind == "FIELD" || v.kind == "USER:PASSWORD" { // there may be a secret in it
			shown = ""
		}
		v.flags.faults.add("--%s%s: %v", v.name, shown, err)
	}
	return nil
}

func (v *value) String() string { return v.text }

// Type makes a flag that takes no value a boolean one for cobra, which asks the
// one of help.
func (v *value) Type() string {
	if v.kind == "" {
		return "bool"
	}
	return v.kind
}

// call passes a flag's value on.
func call[T any](with func(T), parse func(string) (T, error)) func(string) error {
	return func(s string) error {
		v, err := parse(s)
		if err == nil {
			with(v)
		}
		return err
	}
}

// into reads a flag's value into to; the last one given holds.
func into[T any](to *T, parse func(string) (T, error)) func(string) error {
	return call(func(v T) { *to = v }, parse)
}

// each collects the values of a flag that may be given several times.
func each[T any](to *[]T, parse func(string) (T, error)) func(string) error {
	return call(func(v T) { *to = append(*to, v) }, parse)
}

// on sets to by a flag that takes no value.
func on(to *bool) func(string) error { return into(to, parseSwitch) }
