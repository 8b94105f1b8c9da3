// Package lock opens and locks files that other processes use too. Anyone may have
// put something else under their names: what is not a regular file is refused, and
// never waited for.
package lock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

var (
	// ErrNotRegular is the error about a FIFO, a device, a directory and, with
	// [NoFollow], a symbolic link.
	ErrNotRegular = errors.New("is not a regular file")
	// ErrNoLocks is the error about a file that this system cannot lock.
	ErrNoLocks = errors.New("cannot be locked")
)

// Open opens a regular file like [os.OpenFile]. flag may contain NoFollow.
func Open(path string, flag int, perm fs.FileMode) (*os.File, error) {
	refused := &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	if info, err := stat(path, flag); err == nil && !info.Mode().IsRegular() {
		return nil, refused
	}
	f, err := os.OpenFile(path, system(flag), perm)
	if err != nil {
		return nil, err
	}
	// It may be another one than a moment ago.
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = refused
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// stat describes the file that flag opens.
func stat(path string, flag int) (fs.FileInfo, error) {
	if flag&NoFollow != 0 {
		return os.Lstat(path)
	}
	return os.Stat(path)
}

// maxReplaced is how often a file may be replaced between two system calls.
const maxReplaced = 10

// Acquire opens a file as [Open] does and locks it. Closing it unlocks it, as does the
// end of the process. If another process has locked it, Acquire returns nil and no
// error.
func Acquire(path string, flag int, perm fs.FileMode) (*os.File, error) {
	for range maxReplaced {
		f, err := Open(path, flag, perm)
		if err != nil {
			return nil, err
		}
		ok, err := try(f)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s %w: %w", path, ErrNoLocks, err)
		}
		if !ok {
			f.Close()
			return nil, nil
		}
		if isNamed(f, path, flag) {
			return f, nil
		}
		f.Close() // the next process would lock another file
	}
	return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("it is replaced again and again")}
}

// isNamed reports whether path is still the name of f.
func isNamed(f *os.File, path string, flag int) bool {
	opened, err := f.Stat()
	now, err2 := stat(path, flag)
	return err == nil && err2 == nil && os.SameFile(opened, now)
}
