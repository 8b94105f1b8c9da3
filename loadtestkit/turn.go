package loadtestkit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// running holds the turn of the one run that this process makes at a time.
var running = make(chan struct{}, 1)

// lockEvery is how often a waiting process tries to get its turn.
const lockEvery = 50 * time.Millisecond

// turn waits until no other load test runs on this machine, or until ctx ends.
// A machine without a usable lock file is no reason not to test: logf says so.
func turn(ctx context.Context, logf func(string, ...any)) (unlock func(), err error) {
	start := time.Now()
	select {
	case running <- struct{}{}:
	default:
		select {
		case running <- struct{}{}:
			logf("loadtestkit: waited %v for another load test of this process", time.Since(start).Round(time.Millisecond))
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for another load test of this process: %w", context.Cause(ctx))
		}
	}
	path := filepath.Join(os.TempDir(), "loadtestkit.lock")
	f := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDONLY), flock.SetPermissions(0o666))
	unlock = func() { f.Close(); <-running }
	start = time.Now()
	locked, err := f.TryLock()
	if err == nil && !locked {
		locked, err = f.TryLockContext(ctx, lockEvery)
		if locked {
			logf("loadtestkit: waited %v for a load test of another process (%s)", time.Since(start).Round(time.Millisecond), path)
		} else if ctx.Err() != nil {
			<-running
			return nil, fmt.Errorf("waiting for a load test of another process (%s): %w", path, context.Cause(ctx))
		}
	}
	if err != nil {
		logf("loadtestkit: load tests of other processes may run at the same time: locking %s: %v", path, err)
	}
	return unlock, nil
}
