//go:build unix

package loadtestkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

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
	release, err := acquire(t.Context(), path, "TestFirst", noTest{})
	require.NoError(t, err)
	s, done := newSaid(), make(chan func())
	go func() {
		release, err := acquire(t.Context(), path, "TestSecond", s)
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
	release, err = acquire(ctx, path, "TestThird", noTest{})
	require.NoError(t, err)
	defer release()
	cancel()
	_, err = acquire(ctx, path, "TestFourth", noTest{})
	assert.ErrorContains(t, err, "waiting for a load test of another process")
}

// What is in the lock file does no harm, whatever it is, and is not destroyed if it is
// something else.
func TestLockFileWithAnyContent(t *testing.T) {
	for content, want := range map[string]string{
		"":                         "",
		"\n":                       "",
		"loadtestkit: ":            "",
		"loadtestkit: pid 1, Old":  ": pid 1, Old",
		"loadtestkit: \x1b[31mred": `: \x1b[31mred`,
		"somebody's diary":         "",
		strings.Repeat("x", 5000):  "",
	} {
		path := filepath.Join(t.TempDir(), "lock")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
		assert.Equal(t, want, readHolder(path), "%q", content)
		s := newSaid()
		release, err := acquire(t.Context(), path, strings.Repeat("Test", 100), s)
		require.NoError(t, err)
		release()
		assert.Empty(t, s.lines)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		if content == "" || strings.Contains(content, holderMark) {
			assert.Len(t, now, holderSize)
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
	release, err := acquire(t.Context(), path, "Test", s)
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

// Where no file can be locked, tests run, and say that others may too. What has the
// name of the lock file by accident or malice is neither waited for nor touched.
func TestNoLockFile(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, syscall.Mkfifo(in("fifo"), 0o666))
	require.NoError(t, os.Symlink(in("fifo"), in("link to a fifo")))
	require.NoError(t, os.Symlink(in("none"), in("dangling")))
	require.NoError(t, os.Symlink(in("loop"), in("loop")))
	require.NoError(t, os.Symlink(os.DevNull, in("link to a device")))
	require.NoError(t, os.WriteFile(in("victim"), nil, 0o666))
	require.NoError(t, os.Symlink(in("victim"), in("link")))
	for _, path := range []string{in("gone/lock"), dir, in("fifo"), in("link to a fifo"), in("dangling"), in("loop"), os.DevNull, in("link to a device"), in("link")} {
		s := newSaid()
		release, err := acquire(t.Context(), path, "Test", s)
		require.NoError(t, err)
		release()
		assert.Contains(t, <-s.lines, "load tests of other processes may run at the same time: locking "+path+": ")
		assert.Empty(t, readHolder(path))
	}
	assert.NoFileExists(t, in("none"))
	require.NoError(t, os.Link(in("victim"), in("hard link")))
	release, err := acquire(t.Context(), in("hard link"), "Test", newSaid())
	require.NoError(t, err)
	release()
	b, err := os.ReadFile(in("victim"))
	require.NoError(t, err)
	assert.Empty(t, b)
}

// A test without a deadline does not wait for ever.
func TestPatience(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	hold, err := tryLock(path)
	require.NoError(t, err)
	defer hold.close()
	synctest.Test(t, func(t *testing.T) {
		s, start := newSaid(), time.Now()
		release, err := acquire(context.Background(), path, "Test", s)
		require.NoError(t, err)
		release()
		assert.Equal(t, patience, time.Since(start))
		assert.Equal(t, "waiting for a load test of another process ("+path+")", <-s.lines)
		assert.Equal(t, "load tests of other processes may run at the same time: locking "+path+": another process has held it for 10m0s", <-s.lines)
		assert.Empty(t, s.lines)

		ctx, cancel := context.WithDeadline(context.Background(), start.Add(time.Hour))
		defer cancel()
		_, err = acquire(ctx, path, "Test", newSaid())
		assert.ErrorContains(t, err, "waiting for a load test of another process ("+path+"): context deadline exceeded")
		assert.Equal(t, time.Hour, time.Since(start), "one with a deadline waits as long as it may")
	})
}

// A cleaner that removes the lock file does not let two load tests run at once.
func TestLockFileIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := acquire(t.Context(), path, "TestFirst", noTest{})
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	f, err := tryLock(path)
	require.NoError(t, err)
	if runtime.GOOS == "linux" {
		assert.Nil(t, f)
	}
	if f != nil {
		f.close()
	}
	release()
	f, err = tryLock(path)
	require.NoError(t, err)
	require.NotNil(t, f)
	f.close()
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
