package trust

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const (
	passed       = "pass"
	failed       = "fail"
	inconclusive = "inconclusive"
)

// A witness is a test that keeps what is reported to it.
type witness struct {
	testing.TB // whose name and context it has

	mu            sync.Mutex
	log           bytes.Buffer
	errors, skips []string
}

// watch calls test, which may end its goroutine as tests do.
func (w *witness) watch(test func()) {
	done := make(chan struct{})
	go func() { defer close(done); test() }()
	<-done
}

func (w *witness) verdict() string {
	switch {
	case len(w.errors) > 0:
		return failed
	case len(w.skips) > 0:
		return inconclusive
	}
	return passed
}

func (w *witness) reason() string { return strings.Join(append(w.errors, w.skips...), "\n") }

func (w *witness) Helper()           {}
func (w *witness) Failed() bool      { return len(w.errors) > 0 }
func (w *witness) Output() io.Writer { return w }

func (w *witness) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *witness) Logf(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

func (w *witness) Errorf(format string, args ...any) {
	w.errors = append(w.errors, fmt.Sprintf(format, args...))
}

func (w *witness) Fatalf(format string, args ...any) { w.Errorf(format, args...); runtime.Goexit() }

func (w *witness) Skip(args ...any) {
	w.skips = append(w.skips, fmt.Sprint(args...))
	runtime.Goexit()
}

// FailNow is what package require calls if a trial cannot be made, unlike loadtestkit:
// that is no verdict.
func (w *witness) FailNow() { panic("a trial could not be made: " + w.reason()) }
