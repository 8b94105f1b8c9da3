package loadtestkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// running holds the turn of the one run that this process makes at a time, holder the
// name of its test.
var (
	running = make(chan struct{}, 1)
	holder  atomic.Pointer[string] // nil if none has it
)

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
	release, err := acquire(ctx, filepath.Join(os.TempDir(), "loadtestkit.lock"), name, t)
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

// acquire waits for the lock file that processes share. Without a deadline it waits for
// [patience] at most: a lock that stays may be anyone's, for any reason.
func acquire(ctx context.Context, path, name string, t waiter) (release func(), err error) {
	t.Helper()
	if _, bounded := ctx.Deadline(); !bounded && deadline(t).IsZero() {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, patience, errPatience)
		defer cancel()
	}
	turn, err := tryLock(path)
	if err == nil && turn == nil {
		t.Logf("loadtestkit: waiting for a load test of another process%s (%s)", readHolder(path), path)
		start := time.Now()
		if turn, err = awaitLock(ctx, path); turn != nil {
			t.Logf("loadtestkit: waited %v", time.Since(start).Round(time.Millisecond))
		}
	}
	switch {
	case turn != nil:
		turn.setHolder(fmt.Sprintf("pid %d, %s", os.Getpid(), name))
		return func() { turn.setHolder(""); turn.close() }, nil
	case errors.Is(err, context.Cause(ctx)) && err != errPatience:
		return nil, fmt.Errorf("waiting for a load test of another process%s (%s): %w", readHolder(path), path, err)
	}
	t.Logf("loadtestkit: load tests of other processes may run at the same time: locking %s: %v", path, err)
	return func() {}, nil
}

const (
	// lockEvery is how often a waiting process tries to get its turn.
	lockEvery = 50 * time.Millisecond
	// patience is how long a test without a deadline waits: as long as go test lets
	// one run by default.
	patience = 10 * time.Minute
)

var errPatience = fmt.Errorf("another process has held it for %v", patience)

// awaitLock tries to get the lock until ctx ends.
func awaitLock(ctx context.Context, path string) (*lockFile, error) {
	again := time.NewTicker(lockEvery)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-again.C:
		}
		if f, err := tryLock(path); f != nil || err != nil {
			return f, err
		}
	}
}
