package cli

import (
	"cmp"
	"io"
	"os"
	"strings"

	"github.com/fatih/color"
	"golang.org/x/term"

	"github.com/loadtestkit/load-tester/internal/text"
)

// usualWidth is the width of a terminal that does not tell it: the classic one.
const usualWidth = 80

// terminal is the descriptor of w if w is a terminal that can move its cursor.
func (s *session) terminal(w io.Writer) (fd int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) || s.env("TERM") == "dumb" {
		return 0, false
	}
	return int(f.Fd()), true
}

// width is the current width of a terminal.
func width(fd int) int {
	if w, _, err := term.GetSize(fd); err == nil && w > 0 {
		return w
	}
	return usualWidth
}

// style is how the text looks on w.
func (j *job) style(w io.Writer) text.Style {
	s := text.Style{Verbose: j.verbose, ASCII: !j.isUTF8()}
	fd, ok := j.terminal(w)
	if !ok {
		return s
	}
	s.Width, s.Hint = width(fd), true
	if !j.noColor && j.env("NO_COLOR") == "" {
		s.Red, s.Green, s.Yellow = paint(color.FgRed), paint(color.FgGreen), paint(color.FgYellow)
	}
	return s
}

// isUTF8 reports whether more than ASCII is legible: unless the locale names another
// encoding, or none in a value such as C. Without a locale the system decides.
func (s *session) isUTF8() bool {
	locale := strings.ToLower(cmp.Or(s.env("LC_ALL"), s.env("LC_CTYPE"), s.env("LANG")))
	if locale == "" {
		return systemIsUTF8()
	}
	return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}

// legible is text for people in the characters that they see.
func (s *session) legible(page string) string {
	if s.isUTF8() {
		return page
	}
	return text.ASCII(page)
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
