package loadtestkit

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// loaded is when this package was, by the wall clock.
var loaded = time.Now().Round(0)

var errBubble = errors.New("it measures real time, which a synctest bubble does not have; call it outside")

// bubbled reports whether the caller is in a bubble of testing/synctest, where it is
// the year 2000. Our own tests may be.
func bubbled() bool {
	return !common.Virtual && time.Now().Round(0).Before(loaded.AddDate(-1, 0, 0))
}

// mustBe panics if there is no t for the function of the given name.
func mustBe(t testing.TB, function string) {
	if v := reflect.ValueOf(t); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		panic("loadtestkit: " + function + ": its t is nil, want that of the test")
	}
}

// mustFit ends t, and says why, if the function of the given name cannot measure for
// it. It panics if t is over, so that it cannot be ended.
func mustFit(t testing.TB, function string) {
	t.Helper()
	err := unfit(t)
	if err == nil {
		return
	}
	why := fmt.Sprintf("loadtestkit: %s: %v", function, err)
	defer func() {
		if recover() != nil {
			panic(why)
		}
	}()
	newTest(t).Fatalf("%s", why)
}

// unfit returns why nothing can be measured for t.
func unfit(t testing.TB) error {
	switch {
	case bubbled():
		return errBubble
	case t.Context().Err() != nil:
		return errors.New("the context of the test has ended; call it while the test runs, not in t.Cleanup or after it")
	case elsewhere(t):
		return errors.New("it may end the test, so call it from the goroutine that runs the test, as t.FailNow; Measure is for others")
	}
	return nil
}

// elsewhere reports whether the caller is in another goroutine than t, as far as that
// is known: those that run tests begin in package testing.
func elsewhere(t testing.TB) bool {
	if _, ok := t.(*testing.T); !ok {
		return false
	}
	begins := ""
	for skip := 0; ; {
		var pcs [64]uintptr
		n := runtime.Callers(skip, pcs[:])
		if n == 0 {
			return begins != "" && !strings.HasPrefix(begins, "testing.")
		}
		frames := runtime.CallersFrames(pcs[:n])
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); f.Function != "runtime.goexit" && f.Function != "" {
				begins = f.Function
			}
		}
		skip += n
	}
}
