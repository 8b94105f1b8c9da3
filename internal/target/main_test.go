package target

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails the package if its tests leave a goroutine or a descriptor
// behind: servers must end with everything they started.
func TestMain(m *testing.M) {
	if role := os.Getenv("TARGET_TEST_COMMAND"); role != "" {
		serveAs(role, os.Args[1])
		return
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	// A fuzzing run leaves goroutines of its own.
	if fuzzing := flag.Lookup("test.fuzz").Value.String() != ""; code == 0 && !fuzzing {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if err := checkLeaks(goroutines, files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// checkLeaks waits up to 2 s for goroutines and descriptors to end.
func checkLeaks(goroutines, files int) error {
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		g, f := runtime.NumGoroutine(), openFiles()
		if g <= goroutines && f <= files {
			return nil
		}
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			return fmt.Errorf("%d goroutines and %d descriptors left, want %d and %d\n%s",
				g, f, goroutines, files, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// openFiles counts this process's descriptors except those of the runtime's
// poller, which are never closed. It returns 0 without /proc.
func openFiles() int {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	n := 0
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil && to != "anon_inode:[eventpoll]" && to != "anon_inode:[eventfd]" {
			n++
		}
	}
	return n
}
