package loadtestkit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

// running holds the turn of the one run that this process makes at a time, holder the
// name of its test.
var (
	running = make(chan struct{}, 1)
	holder  atomic.Pointer[string] // nil if none has it
)

// lockEvery is how often a waiting process tries to get its turn.
const lockEvery = 50 * time.Millisecond

// A waiter is a test that waits for its turn.
type waiter interface {
	Helper()
	Logf(format string, args ...any)
}

// noTest is the waiter of a measurement without a test.
type noTest struct{}

func (noTest) Helper()             {}
func (noTest) Logf(string, ...any) {}

// turn waits until no other load test runs on this machine, or until ctx ends. It says
// for whose test it waits before it does. name is that of the test that gets the turn.
// A machine without a usable lock file is no reason not to test: t says so.
func turn(ctx context.Context, name string, t waiter) (unlock func(), err error) {
	t.Helper()
	select {
	case running <- struct{}{}:
	default:
		who := ""
		if name := holder.Load(); name != nil {
			who = ": " + *name
		}
		t.Logf("loadtestkit: waiting for another load test of this process%s", who)
		start := time.Now()
		select {
		case running <- struct{}{}:
			t.Logf("loadtestkit: waited %v", time.Since(start).Round(time.Millisecond))
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another load test of this process: %w", context.Cause(ctx))
		}
	}
	holder.Store(&name)
	release, err := lock(ctx, filepath.Join(os.TempDir(), "loadtestkit.lock"), name, t)
	if err != nil {
		release = func() {}
	}
	unlock = func() { release(); holder.Store(nil); <-running }
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// lock waits for the lock file that processes share.
func lock(ctx context.Context, path, name string, t waiter) (release func(), err error) {
	t.Helper()
	err = makeLockFile(path)
	f := flock.New(path, flock.SetFlag(os.O_RDONLY))
	locked := false
	if err == nil {
		locked, err = f.TryLock()
	}
	if err == nil && !locked {
		t.Logf("loadtestkit: waiting for a load test of another process%s (%s)", readHolder(path), path)
		start := time.Now()
		locked, err = f.TryLockContext(ctx, lockEvery)
		if locked {
			t.Logf("loadtestkit: waited %v", time.Since(start).Round(time.Millisecond))
		} else if ctx.Err() != nil {
			return nil, fmt.Errorf("waiting for a load test of another process (%s): %w", path, context.Cause(ctx))
		}
	}
	if err != nil {
		t.Logf("loadtestkit: load tests of other processes may run at the same time: locking %s: %v", path, err)
		return func() { f.Close() }, nil
	}
	writeHolder(path, fmt.Sprintf("pid %d, %s", os.Getpid(), name))
	return func() { writeHolder(path, ""); f.Close() }, nil
}

// makeLockFile makes the file unless it is there, for all users. One that is there is
// not opened with O_CREATE: in a directory such as /tmp Linux refuses that for a file
// of another user (fs.protected_regular).
func makeLockFile(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
		if err == nil {
			f.Chmod(0o666) // whatever the umask is; where it fails other users only cannot write their names
		} else if errors.Is(err, fs.ErrExist) {
			return nil // another process was faster
		}
	}
	if err != nil {
		return err
	}
	return f.Close()
}
