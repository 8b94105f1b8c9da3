package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

// TestMain lets the test binary be a target, as the command can be.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == targetCommand {
		exit(serveTarget(os.Args[2:], os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

func TestMeasure(t *testing.T) {
	cpus, err := allowedCPUs()
	require.NoError(t, err)
	last := cpus[len(cpus)-1]
	u, err := measure(newCommand(t.Context(), "sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"), last, 0)
	require.NoError(t, err)
	assert.Positive(t, u.cpu)
	assert.LessOrEqual(t, u.cpu, u.wall+20*time.Millisecond, "one CPU cannot give more")
	assert.Less(t, u.peak, int64(8<<20), "a shell is small; this would be the memory of its parent")
	assert.Positive(t, u.peak)

	after, err := allowedCPUs()
	require.NoError(t, err)
	assert.Equal(t, cpus, after, "this thread must be back on its CPUs")
}

// An interrupted tool may end with any status, or be killed by the signal. Only
// the time matters.
func TestInterrupted(t *testing.T) {
	check := func(script string, interrupt time.Duration, want string) {
		t.Helper()
		u, err := measure(newCommand(t.Context(), "sh", "-c", script), anyCPU, interrupt)
		if want == "" {
			assert.NoError(t, err, script)
			assert.Positive(t, u.stop, script)
			assert.LessOrEqual(t, u.stop, u.wall-interrupt, script)
		} else {
			assert.EqualError(t, err, want, script)
			assert.Zero(t, u.stop, script)
		}
	}
	const soon = 50 * time.Millisecond
	check("trap 'exit 3' INT; while :; do sleep 0.01; done", soon, "")
	check("while :; do sleep 0.01; done", soon, "")
	check("exit 3", 0, "exit status 3")
	check("exit 3", time.Minute, "exit status 3")
	check("exit 0", time.Minute, "it ended before it was interrupted")
}

func TestPinned(t *testing.T) {
	cpus, err := allowedCPUs()
	require.NoError(t, err)
	var out strings.Builder
	cmd := newCommand(t.Context(), "grep", "Cpus_allowed_list", "/proc/self/status")
	cmd.Stdout = &out
	_, err = measure(cmd, cpus[0], 0)
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("Cpus_allowed_list:\t%d\n", cpus[0]), out.String())
}

// A cancelled run leaves no process behind, not even a grandchild.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cmd := newCommand(ctx, "sh", "-c", "sleep 60 & echo $!; wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, startOn(anyCPU, cmd))
	var grandchild int
	_, err = fmt.Fscan(out, &grandchild)
	require.NoError(t, err)
	cancel()
	require.Error(t, cmd.Wait())
	for end := time.Now().Add(5 * time.Second); running(grandchild); time.Sleep(time.Millisecond) {
		require.True(t, time.Now().Before(end), "process %d still runs", grandchild)
	}
}

// running reports whether a process exists and has not ended.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestTarget(t *testing.T) {
	b := &bench{server: anyCPU, log: io.Discard}
	raw, err := b.startTarget(t.Context(), target.Timing{}, 2)
	require.NoError(t, err)
	before := time.Now()
	for range 3 {
		resp, err := http.Get(raw.url)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, resp.Body)
		require.NoError(t, err)
		resp.Body.Close()
	}
	after := time.Now()
	log, err := raw.finish()
	require.NoError(t, err)
	assert.Equal(t, int64(3), log.Count)
	require.Len(t, log.Arrivals, 2, "as many as it may log")
	// Both processes share the wall clock.
	first := log.Start.Add(log.Arrivals[0])
	assert.WithinRange(t, first, before.Round(0), after.Round(0))
}

// A tool that fails, or does not end, results in a note and no figures.
func TestRunNotesFailure(t *testing.T) {
	b := &bench{client: anyCPU, dir: t.TempDir(), log: io.Discard}
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	check := func(script string, within time.Duration, want string) {
		t.Helper()
		s := &section{}
		to := tool{name: "tool", path: sh, parse: parseAB, command: func(job) (invocation, bool) {
			return invocation{args: []string{"-c", script}}, true
		}}
		_, _, ok := b.run(t.Context(), s, to, job{connections: 1, duration: within - overtime})
		assert.False(t, ok)
		assert.Equal(t, []string{"tool, 1 connections: " + want}, s.notes)
	}
	check("sleep 60", 300*time.Millisecond, "stopped after 300ms")
	check("echo no route >&2; echo to host >&2; exit 3", time.Minute, "exit status 3: no route")
	check("echo hello", time.Minute, "no lines of complete and failed requests")
}
