package loadtestkit

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// A test is the t of a user. What is said to it is printable and in one line, so that
// no text from outside, such as the name in a server's certificate, can be a result of
// another test, an annotation of a CI job or what a terminal obeys.
type test struct {
	harmless
	of testing.TB
}

// harmless is what of a [testing.TB] takes no text.
type harmless interface {
	Helper()
	Name() string
	Context() context.Context
	Failed() bool
	Output() io.Writer
}

func newTest(t testing.TB) test { return test{t, t} }

func (t test) Logf(format string, args ...any) {
	t.Helper()
	t.of.Logf("%s", unit.Message(fmt.Sprintf(format, args...)))
}

func (t test) Errorf(format string, args ...any) {
	t.Helper()
	t.of.Errorf("%s", unit.Message(fmt.Sprintf(format, args...)))
}

func (t test) Fatalf(format string, args ...any) {
	t.Helper()
	t.of.Fatalf("%s", unit.Message(fmt.Sprintf(format, args...)))
}

// Skip skips the test, with a line for each reason.
func (t test) Skip(reasons []string) {
	t.Helper()
	lines := make([]string, len(reasons))
	for i, why := range reasons {
		lines[i] = unit.Message(why)
	}
	t.of.Skip(strings.Join(lines, "\n"))
}

// A printable is an error with a text in one line, as [test] has it: users give it to
// their t.
type printable struct{ error }

func (e printable) Error() string { return unit.Message(e.error.Error()) }
func (e printable) Unwrap() error { return e.error }
