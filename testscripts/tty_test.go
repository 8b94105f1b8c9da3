//go:build unix

package testscripts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

// tty WHICH COLUMNS STATUS PROGRAM [ARG...] runs a program with a terminal as its
// stdout, its stderr or both, and checks its exit status. What it wrote to the terminal
// is then in stdout, or in stderr if only that was a terminal.
func cmdTTY(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 || !slices.Contains([]string{"stdout", "stderr", "both"}, args[0]) {
		ts.Fatalf("usage: tty stdout|stderr|both COLUMNS STATUS PROGRAM [ARG...]")
	}
	columns, err := strconv.Atoi(args[1])
	ts.Check(err)
	want, err := strconv.Atoi(args[2])
	ts.Check(err)
	control, terminal, err := openPty(columns)
	ts.Check(err)
	defer control.Close()

	var stdout, stderr, screen bytes.Buffer
	cmd := commandIn(ts, args[3:])
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if args[0] != "stderr" {
		cmd.Stdout = terminal
	}
	if args[0] != "stdout" {
		cmd.Stderr = terminal
	}
	err = cmd.Start()
	terminal.Close()
	ts.Check(err)
	late := time.AfterFunc(bound, func() { _ = cmd.Process.Kill() })
	// Copy ends with an error when the program's end of the terminal is closed.
	_, copied := io.Copy(&screen, control)
	_ = cmd.Wait() // the status is checked below
	late.Stop()
	var atEnd *os.PathError
	if !errors.As(copied, &atEnd) {
		ts.Check(copied)
	}
	written := strings.ReplaceAll(screen.String(), "\r\n", "\n") // a terminal writes line ends like this
	if args[0] == "stderr" {
		fmt.Fprint(ts.Stderr(), written)
		fmt.Fprint(ts.Stdout(), stdout.String())
	} else {
		fmt.Fprint(ts.Stdout(), written)
		fmt.Fprint(ts.Stderr(), stderr.String())
	}
	if got := status(cmd.ProcessState); got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// stopped NAME stderr|both PROGRAM [ARG...] starts a program beside the script, with a
// terminal that takes no output as its stderr, or as its stdout too; see finish.
func cmdStopped(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || !slices.Contains([]string{"stderr", "both"}, args[1]) {
		ts.Fatalf("usage: stopped NAME stderr|both PROGRAM [ARG...]")
	}
	control, terminal, err := openPty(80)
	ts.Check(err)
	ts.Check(stopTerminal(terminal))
	defer terminal.Close()
	cmd := commandIn(ts, args[2:])
	cmd.Stderr = terminal
	if args[1] == "both" {
		cmd.Stdout = terminal
	}
	p := begin(ts, args[0], cmd)
	go func() { <-p.ended; control.Close() }()
}

// screen FILE COLUMNS writes to stdout what a terminal shows, without colours, after
// everything in FILE, "stdout" or "stderr" was written to it. It fails if a line that is
// redrawn was ever longer than the terminal is wide.
func cmdScreen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: screen FILE COLUMNS")
	}
	columns, err := strconv.Atoi(args[1])
	ts.Check(err)
	shown, err := render(ts.ReadFile(args[0]), columns)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), shown)
}

// render interprets what was written to a terminal: lines, carriage returns, colours
// and the erasing of a line (ECMA-48: SGR, EL). Anything else is an error.
func render(s string, columns int) (string, error) {
	var done strings.Builder
	var line []rune
	at := 0
	for len(s) > 0 {
		if rest, ok := strings.CutPrefix(s, "\x1b["); ok {
			i := strings.IndexFunc(rest, func(r rune) bool { return r >= '@' && r <= '~' })
			if i < 0 {
				return "", fmt.Errorf("unfinished escape %q", s)
			}
			switch code := rest[:i+1]; {
			case code == "K" || code == "0K":
				line = line[:min(at, len(line))]
			case code == "2K":
				line = slices.Repeat([]rune{' '}, at)
			case code == "J" || code == "0J": // there is nothing below
				line = line[:min(at, len(line))]
			case code == "?25l" || code == "?25h": // the cursor's visibility
			case code[i] == 'm':
			default:
				return "", fmt.Errorf("escape %q is not one of a progress line", code)
			}
			s = rest[i+1:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch r {
		case '\r':
			if len(line) > columns {
				return "", fmt.Errorf("%q is %d columns wide on a terminal of %d", string(line), len(line), columns)
			}
			at = 0
		case '\n':
			done.WriteString(strings.TrimRight(string(line), " ") + "\n")
			line, at = line[:0], 0
		default:
			for len(line) <= at {
				line = append(line, ' ')
			}
			line[at] = r
			at++
		}
	}
	if rest := strings.TrimRight(string(line), " "); rest != "" {
		done.WriteString(rest)
	}
	return done.String(), nil
}
