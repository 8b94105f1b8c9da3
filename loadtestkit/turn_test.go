//go:build unix

package loadtestkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// said are the lines that a test got while it waited.
type said struct{ lines chan string }

func (said) Helper() {}
func (s said) Logf(format string, args ...any) {
	s.lines <- strings.TrimPrefix(fmt.Sprintf(format, args...), "loadtestkit: ")
}

func newSaid() said { return said{make(chan string, 10)} }

// A test that has to wait says so before it does, and for which one.
func TestWaitIsSaidAtOnce(t *testing.T) {
	unlock, err := turn(t.Context(), "TestFirst", noTest{})
	require.NoError(t, err)
	s, done := newSaid(), make(chan func())
	go func() {
		unlock, err := turn(t.Context(), "TestSecond", s)
		assert.NoError(t, err)
		done <- unlock
	}()
	assert.Equal(t, "waiting for another load test of this process: TestFirst", <-s.lines)
	unlock()
	assert.Regexp(t, `^waited \d+`, <-s.lines)
	(<-done)()
	assert.Empty(t, s.lines)
}

// A process tells others who it is by the lock file, and takes its name off it.
func TestLockFileNamesItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := lock(t.Context(), path, "TestFirst", noTest{})
	require.NoError(t, err)
	s, done := newSaid(), make(chan func())
	go func() {
		release, err := lock(t.Context(), path, "TestSecond", s)
		assert.NoError(t, err)
		done <- release
	}()
	want := fmt.Sprintf("waiting for a load test of another process: pid %d, TestFirst (%s)", os.Getpid(), path)
	assert.Equal(t, want, <-s.lines)
	release()
	assert.Regexp(t, `^waited `, <-s.lines)
	release = <-done
	assert.Equal(t, fmt.Sprintf(": pid %d, TestSecond", os.Getpid()), readHolder(path))
	release()
	assert.Empty(t, readHolder(path))

	ctx, cancel := context.WithCancel(t.Context())
	release, err = lock(ctx, path, "TestThird", noTest{})
	require.NoError(t, err)
	defer release()
	cancel()
	_, err = lock(ctx, path, "TestFourth", noTest{})
	assert.ErrorContains(t, err, "waiting for a load test of another process")
}

// What is in the lock file does no harm, whatever it is, and is not destroyed if it is
// something else.
func TestLockFileWithAnyContent(t *testing.T) {
	for content, want := range map[string]string{
		"":                             "",
		"\n":                           "",
		"\x00loadtestkit: ":            "",
		"\x00loadtestkit: pid 1, Old":  ": pid 1, Old",
		"\x00loadtestkit: \x1b[31mred": `: \x1b[31mred`,
		"somebody's diary":             "",
		strings.Repeat("x", 5000):      "",
	} {
		path := filepath.Join(t.TempDir(), "lock")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
		assert.Equal(t, want, readHolder(path), "%q", content)
		s := newSaid()
		release, err := lock(t.Context(), path, strings.Repeat("Test", 100), s)
		require.NoError(t, err)
		release()
		assert.Empty(t, s.lines)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		if content == "" || strings.Contains(content, holderMark) {
			assert.Len(t, now, holderAt+holderSize)
		} else {
			assert.Equal(t, content, string(now))
		}
	}
}

// A lock file of another user is as good as one of ours: in a sticky directory such as
// /tmp it must not be opened with O_CREATE, and may only be readable.
func TestLockFileOfAnotherUser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, os.WriteFile(path, nil, 0o444))
	require.NoError(t, os.Chmod(path, 0o444))
	s := newSaid()
	release, err := lock(t.Context(), path, "Test", s)
	require.NoError(t, err)
	release()
	assert.Empty(t, s.lines)
}

// One that we make is for all users, whatever the umask is.
func TestLockFileIsForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	require.NoError(t, makeLockFile(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o666), info.Mode())
	require.NoError(t, makeLockFile(path), "and made once")
	assert.Error(t, makeLockFile(filepath.Join(path, "lock")))
}

// Where no file can be locked, tests run, and say that others may too.
func TestNoLockFile(t *testing.T) {
	s := newSaid()
	release, err := lock(t.Context(), filepath.Join(t.TempDir(), "gone", "lock"), "Test", s)
	require.NoError(t, err)
	release()
	assert.Contains(t, <-s.lines, "load tests of other processes may run at the same time")
}

func TestCredited(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("run by TestLinesAreCreditedToTheTest in a process of its own")
	}
	started := make(chan struct{})
	t.Run("group", func(t *testing.T) {
		t.Run("first", func(t *testing.T) {
			t.Parallel()
			Run(t, Options{Count: 1, Target: Func(func(context.Context) error { close(started); return nil })})
		})
		t.Run("second", func(t *testing.T) {
			t.Parallel()
			<-started
			Run(t, Options{Target: nothing(), Count: 1})
		})
	})
	Run(t, Options{Count: -1})
}

// A line of ours has the place in the user's test before it.
func TestLinesAreCreditedToTheTest(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestCredited$", "-test.v")
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+filepath.Join(t.TempDir(), "gone"))
	out, err := cmd.CombinedOutput()
	require.Error(t, err, "%s", out)
	n := 0
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "loadtestkit: ") {
			assert.Contains(t, line, "turn_test.go:", "%s", line)
			n++
		}
	}
	assert.GreaterOrEqual(t, n, 3, "%s", out)
}
