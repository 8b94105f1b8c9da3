//go:build unix

package loadtestkit

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// child starts one test of this binary in a process of its own and returns its
// output, line by line.
func child(t *testing.T, test string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	cmd := exec.Command(os.Args[0], "-test.run=^"+test+"$", "-test.v")
	cmd.Env = append(append(os.Environ(), childEnv+"=1"), env...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, bufio.NewScanner(out)
}

// until reads lines up to one that contains what and returns all of them.
func until(t *testing.T, lines *bufio.Scanner, what string) string {
	t.Helper()
	var all strings.Builder
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), what) {
			return all.String()
		}
	}
	require.Fail(t, "the process ended without saying "+what, all.String())
	return ""
}

func rest(lines *bufio.Scanner) string {
	var all strings.Builder
	for lines.Scan() {
		all.WriteString(lines.Text() + "\n")
	}
	return all.String()
}

func TestInterrupted(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestCtrlC in a process of its own")
	}
	var n atomic.Int64
	started := func(context.Context) error {
		if n.Add(1) == 100 {
			os.Stdout.WriteString("a hundred calls\n")
		}
		return nil
	}
	t.Run("first", func(t *testing.T) {
		Run(t, Options{Target: Func(started), Load: Open{Rate: 1000}, Duration: time.Hour})
	})
	t.Run("second", func(t *testing.T) {
		Run(t, Options{Target: Func(started), Count: 10})
	})
}

func TestCtrlC(t *testing.T) {
	cmd, out := child(t, "TestInterrupted")
	until(t, out, "a hundred calls")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	log := rest(out)
	assert.Error(t, cmd.Wait())
	assert.Contains(t, log, "Interrupted after", "the partial report")
	assert.Contains(t, log, "loadtestkit: interrupted by Ctrl+C after")
	assert.Contains(t, log, "--- FAIL: TestInterrupted/first")
	assert.Contains(t, log, "not started: the tests were interrupted", "and no other load follows")
	assert.Contains(t, log, "--- FAIL: TestInterrupted/second")
}

func TestHoldsTheTurn(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestRunsOfOtherProcessesWait in a process of its own")
	}
	Run(t, Options{Count: 1, Target: Func(func(context.Context) error {
		os.Stdout.WriteString("running\n")
		io.ReadAll(os.Stdin) // until the parent lets go
		return nil
	})})
}

func TestRunsOfOtherProcessesWait(t *testing.T) {
	dir := t.TempDir() // so that no other test binary has a part in this
	t.Setenv("TMPDIR", dir)
	cmd := exec.Command(os.Args[0], "-test.run=^TestHoldsTheTurn$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1")
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	until(t, lines, "running")

	// With the turn taken, a run whose context has ended does not start.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Measure(ctx, Options{Target: Func(func(context.Context) error { return nil }), Count: 1})
	assert.ErrorContains(t, err, "waiting for a load test of another process")

	// One that waits starts when the other has ended.
	done := make(chan *fakeTB)
	go func() {
		f, _ := runFake(&fakeTB{}, Options{Target: Func(func(context.Context) error { return nil }), Count: 1})
		done <- f
	}()
	in.Close()
	rest(lines)
	require.NoError(t, cmd.Wait())
	f := <-done
	assert.Empty(t, f.errors)
}
