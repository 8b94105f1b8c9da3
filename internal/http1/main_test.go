package http1

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// TestMain fails the package if its tests leave a goroutine or a file
// descriptor behind. They have up to 2 s to end.
func TestMain(m *testing.M) {
	code := m.Run()
	// A fuzzing run leaves goroutines of its own.
	if fuzzing := flag.Lookup("test.fuzz").Value.String() != ""; code == 0 && !fuzzing && !settled() {
		code = 1
	}
	os.Exit(code)
}

func settled() bool {
	var goroutines int
	var files []string
	for deadline := time.Now().Add(2 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		goroutines, files = runtime.NumGoroutine(), openSockets()
		if goroutines <= 1 && len(files) == 0 {
			return true
		}
	}
	fmt.Fprintf(os.Stderr, "left behind: %d goroutines, want 1; sockets %v\n", goroutines, files)
	pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
	return false
}

// openSockets lists the process's open sockets where the system shows them.
// Other descriptors belong to the runtime and the test binary.
func openSockets() (open []string) {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range dir {
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && strings.HasPrefix(to, "socket:") {
			open = append(open, e.Name()+" "+to)
		}
	}
	return open
}
