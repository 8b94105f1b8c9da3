package cli

import (
	"io"
	"os"

	"github.com/fatih/color"
	"golang.org/x/term"

	"github.com/loadtestkit/load-tester/internal/report"
)

// usualWidth is a terminal's that does not tell. Chosen: the classic one.
const usualWidth = 80

// terminal is the descriptor of w if w is a terminal that can move its cursor.
func (s *session) terminal(w io.Writer) (fd int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) || s.env("TERM") == "dumb" {
		return 0, false
	}
	return int(f.Fd()), true
}

// width is the present width of a terminal.
func width(fd int) int {
	if w, _, err := term.GetSize(fd); err == nil && w > 0 {
		return w
	}
	return usualWidth
}

// style is how to dress the text for w.
func (s *session) style(w io.Writer, set *settings) report.Style {
	st := report.Style{Verbose: set.verbose}
	if _, ok := s.terminal(w); ok && !set.noColor && s.env("NO_COLOR") == "" {
		st.Red, st.Green, st.Yellow = paint(color.FgRed), paint(color.FgGreen), paint(color.FgYellow)
	}
	return st
}

// paint is text in a colour, whatever the color package thinks of standard
// output.
func paint(a color.Attribute) func(string) string {
	c := color.New(a)
	c.EnableColor()
	return func(s string) string { return c.Sprint(s) }
}

// same reports whether a and b are the same file: one terminal, or 2>&1.
func same(a, b io.Writer) bool {
	f, ok := a.(*os.File)
	g, ok2 := b.(*os.File)
	if !ok || !ok2 {
		return false
	}
	fi, err := f.Stat()
	gi, err2 := g.Stat()
	return err == nil && err2 == nil && os.SameFile(fi, gi)
}
