package engine

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
)

// childEnv names the function of children that a process is to run instead of
// the tests: for limits that hold for a whole process.
const childEnv = "LOADTESTKIT_ENGINE_CHILD"

// children are run in processes of their own. What they return goes to the
// parent as JSON.
var children = map[string]func(url string) (any, error){}

// TestMain fails the package if its tests leave a goroutine or a descriptor
// behind.
func TestMain(m *testing.M) {
	if f := children[os.Getenv(childEnv)]; f != nil {
		v, err := f(os.Getenv("URL"))
		if err == nil {
			err = json.NewEncoder(os.Stdout).Encode(v)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	if most := flag.Lookup("test.parallel"); most.Value.String() == most.DefValue && !raceEnabled {
		flag.Set(most.Name, "6") // they mostly wait: more than there may be processors
	}
	goroutines, files := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if code == 0 {
		if err := leaks(goroutines, files); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// leaks says what is there beyond the given numbers of goroutines and descriptors.
// It gives what is ending some time to end.
func leaks(goroutines, files int) error {
	for end := time.Now().Add(3 * time.Second); ; runtime.Gosched() {
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
// poller, which stay once made; 0 where /proc does not tell.
func openFiles() (n int) {
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil && to != "anon_inode:[eventpoll]" && to != "anon_inode:[eventfd]" {
			n++
		}
	}
	return n
}

// child makes the command that runs one of children with this URL.
func child(t *testing.T, name, url string) *exec.Cmd {
	require.Contains(t, children, name)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+name, "URL="+url)
	return cmd
}

// result runs a child and reads into v what it returned.
func result(t *testing.T, cmd *exec.Cmd, v any) {
	t.Helper()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, v), "%s", out)
}

// readDocument reads a document from JSON.
func readDocument(b []byte) (*report.Document, error) {
	var r report.Document
	return &r, json.Unmarshal(b, &r)
}
