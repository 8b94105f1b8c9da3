package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/report"
)

// commandEnv makes this test binary the command.
const commandEnv = "LOAD_TESTER_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(commandEnv) != "" {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// command runs the command as a process, and checks its exit status.
func command(t *testing.T, want int, args ...string) (stdout, stderr string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), commandEnv+"=1")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	require.Equal(t, want, cmd.ProcessState.ExitCode(), "%v: %s%s", args, &out, &errs)
	return out.String(), errs.String()
}

// The scripts test the command in depth, on Unix. This is for every system.
func TestCommandOnEverySystem(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hello")) }))
	defer s.Close()

	out, errs := command(t, statusDone, "--version")
	assert.Equal(t, "load-tester "+report.Version()+"\n", out)
	assert.Empty(t, errs)

	out, _ = command(t, statusDone, "-n", "200", "--timeout", "1m", s.URL)
	assert.Contains(t, out, "Target: "+s.URL)
	assert.Regexp(t, `Total: +200 requests`, out)

	out, errs = command(t, statusDone, "-n", "200", "--timeout", "1m", "--rate", "1000", "--format", "json", s.URL)
	var d report.Document
	require.NoError(t, json.Unmarshal([]byte(out), &d), errs)
	assert.EqualValues(t, 200, d.Requests.Succeeded)
	require.NotNil(t, d.ResponseTime.P50)
	assert.Positive(t, *d.ResponseTime.P50, "the clock is fine enough for loopback")
	assert.NotNil(t, d.Generator.MaxRSS, "this process is measured")
	for _, w := range d.Generator.Warnings {
		assert.NotEqual(t, "clock", w.Code, w.Text)
	}

	file := filepath.Join(t.TempDir(), "report.json")
	out, _ = command(t, statusDone, "-n", "20", "--timeout", "1m", "--format", "json", "--output", file, s.URL)
	assert.Empty(t, out)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &d))
	assert.EqualValues(t, 20, d.Requests.Succeeded)

	out, errs = command(t, statusNotMeasured, "-n", "20", "http://127.0.0.1:1")
	assert.Empty(t, out)
	assert.Regexp(t, `^load-tester: connecting to 127\.0\.0\.1:1: .*[^.]; is the server running, and is this its port\?\r?\n$`, errs)

	_, errs = command(t, statusUsage, "--no-such-flag")
	assert.Contains(t, errs, "--no-such-flag")
}

func TestDemoOnEverySystem(t *testing.T) {
	t.Parallel()
	out, errs := command(t, statusDone, "demo", "-n", "100", "--limit", "errors<=0")
	assert.Contains(t, errs, "The target is in this process")
	assert.Regexp(t, `Total: +100 requests`, out)
}
