package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A section is the part of the output that one of the tables fills.
type section struct {
	title, intro string
	grids        []*grid
	commands     []string // in the order of their first use
	notes        []string
}

// note adds a remark, once.
func (s *section) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// command notes how a tool was invoked.
func (s *section) command(name string, inv invocation) {
	line := name
	for _, a := range inv.args {
		line += " " + quote(a)
	}
	if inv.stdin != "" {
		line += " <<'END'\n" + inv.stdin + "END"
	}
	if !slices.Contains(s.commands, line) {
		s.commands = append(s.commands, line)
	}
}

// quote writes an argument as a shell reads it.
func quote(arg string) string {
	if arg != "" && !strings.ContainsAny(arg, " '\"\\$&;<>()|*?") {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

// write writes the section as Markdown.
func (s *section) write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, s.intro)
	for _, g := range s.grids {
		g.write(&b)
	}
	for _, n := range s.notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	if len(s.notes) > 0 {
		b.WriteString("\n")
	}
	// One tool's beside each other: rounds begin with different ones.
	slices.SortStableFunc(s.commands, func(a, b string) int {
		return strings.Compare(strings.Fields(a)[0], strings.Fields(b)[0])
	})
	if len(s.commands) > 0 {
		fmt.Fprintf(&b, "<details><summary>Commands</summary>\n\n```\n%s\n```\n\n</details>\n\n", strings.Join(s.commands, "\n"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
