// Package cli is the load-tester command: flags become a plan, the plan is
// carried out while a line shows its progress and signals may end it, and the
// report goes where it was asked for.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/loadtestkit/load-tester/internal/text"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// Exit statuses, besides those after a signal.
const (
	statusDone        = 0
	statusMissed      = 1 // a limit was missed
	statusUsage       = 2 // nothing was sent
	statusNotMeasured = 3 // or a limit is inconclusive, or the report did not get where it should
)

// Main runs the command with the arguments after its name and returns its exit
// status. Signals, terminals and the environment are those of the process.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A closed pipe is an error to report, not the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	return newSession(stdin, stdout, stderr).execute(args)
}

// A session is one run of the command and its surroundings.
type session struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	screen         *screen // all that is written to stderr goes through it
	env            func(string) string
	catch          func() (signals <-chan os.Signal, stop func())
	gaveUp         chan os.Signal // gets the first signal when the session has to end, whatever it is doing
	status         int            // what the command that ran sets
}

func newSession(stdin io.Reader, stdout, stderr io.Writer) *session {
	return &session{
		stdin: stdin, stdout: stdout, stderr: stderr, screen: &screen{w: stderr},
		env: os.Getenv, catch: catchSignals, gaveUp: make(chan os.Signal, 1),
	}
}

// execute runs the command and returns its exit status.
func (s *session) execute(args []string) int {
	return s.attend(func() int { return s.command(args) })
}

// attend returns the exit status that do returns, once what do has said is written.
// It leaves do behind if that does not end in time after a signal.
func (s *session) attend(do func() int) int {
	done := make(chan int, 1)
	go func() { done <- do() }()
	select {
	case status := <-done:
		s.screen.flush(patience)
		return status
	case sig := <-s.gaveUp:
		s.screen.clear()
		s.complain("given up: not everything was written in time after the signal")
		s.screen.flush(blink)
		return statusAfter(sig)
	}
}

// command runs the command and returns its exit status.
func (s *session) command(args []string) int {
	root := newRoot(s)
	root.SetArgs(append([]string{}, args...)) // nil would mean those of the process
	root.SetIn(s.stdin)
	root.SetOut(s.stdout)
	root.SetErr(s.screen)
	err := singleDash(root, args)
	if err == nil {
		err = root.Execute()
	}
	if err != nil {
		lines, ok := errors.AsType[faults](err)
		if !ok {
			lines = faults{err.Error()}
		}
		for _, line := range lines {
			s.complain("%s", line)
		}
		return statusUsage
	}
	return s.status
}

// complain writes a message to stderr.
func (s *session) complain(format string, args ...any) {
	s.say("load-tester: " + fmt.Sprintf(format, args...))
}

// say writes one line to stderr, wrapped on a terminal. All text goes this way except
// reports, the log and the line of progress, as it may be from outside.
func (s *session) say(line string) {
	line = s.legible(unit.Message(line))
	if fd, ok := s.terminal(s.stderr); ok {
		line = strings.Join(text.Wrap(line, width(fd)-1, "  "), "\n")
	}
	s.screen.print(line + "\n")
}

// print writes text to stdout and returns the exit status.
func (s *session) print(page string) int {
	if _, err := io.WriteString(s.stdout, page); err != nil {
		s.complain("writing to standard output: %v", cause(err))
		return statusNotMeasured
	}
	return statusDone
}
