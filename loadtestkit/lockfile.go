package loadtestkit

import (
	"errors"
	"io/fs"
	"os"

	"github.com/loadtestkit/load-tester/internal/lock"
)

// A lockFile is the lock file that processes share, held by this one.
type lockFile struct {
	*os.File
	guard func() // releases what keeps the turn if the file is removed
}

func (f *lockFile) close() {
	f.guard()
	f.File.Close()
}

// tryLock gets the lock; nil if another process has it.
func tryLock(path string) (*lockFile, error) {
	f, err := openLock(path)
	if f == nil || err != nil {
		return nil, err
	}
	release, free := guard(path)
	if !free {
		f.Close()
		return nil, nil
	}
	return &lockFile{f, release}, nil
}

// openLock makes the lock file if necessary and locks it. One that is there is not
// opened with O_CREATE: in a directory such as /tmp Linux refuses that for a file of
// another user (fs.protected_regular), which may be only readable, too.
func openLock(path string) (f *os.File, err error) {
	for range 3 { // it may be removed as soon as it is made
		f, err = lock.Acquire(path, os.O_RDWR|lock.NoFollow, 0)
		if errors.Is(err, fs.ErrPermission) {
			f, err = lock.Acquire(path, os.O_RDONLY|lock.NoFollow, 0)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err = makeLockFile(path); err != nil {
			return nil, err
		}
	}
	return f, err
}

// makeLockFile makes the file for all users, unless there is one.
func makeLockFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return err
	}
	f.Chmod(0o666) // whatever the umask is; where it fails other users only cannot write their names
	return f.Close()
}
