package baseline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/loadtestkit/load-tester/internal/lock"
)

// maxLine is the longest line that is read: a hundred times the size of a record, so
// that files of other kinds are rejected early.
const maxLine = 1 << 20

// A line that is being written may be read only in part. The file is then read again,
// up to maxReads times with readPause in between. That is one second: each write takes
// far less, but many processes may be writing.
const (
	maxReads  = 200
	readPause = 5 * time.Millisecond
)

// Read returns the records of a file in the order of its lines. If the file does not
// exist, it returns none and no error. If a line is not a record, the error says where
// it is, what is wrong and what to do.
func Read(path string) (records []Entry, err error) {
	for range maxReads {
		var ended bool
		records, ended, err = read(path)
		if err == nil || ended {
			break
		}
		time.Sleep(readPause)
	}
	return records, err
}

// read reads a file once. ended reports whether the last line read ends with a
// newline.
func read(path string) (records []Entry, ended bool, err error) {
	f, err := lock.Open(path, os.O_RDONLY, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, true, nil
	case errors.Is(err, lock.ErrNotRegular):
		return nil, true, fmt.Errorf("reading baseline: %s %w, name one", path, lock.ErrNotRegular)
	case err != nil:
		return nil, true, fmt.Errorf("reading baseline: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxLine)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		n, line, err := bufio.ScanLines(data, atEOF)
		ended = n > len(line)
		return n, line, err
	})
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		r, err := parse(line)
		if err != nil {
			return nil, ended, fmt.Errorf("%s:%d: %w", path, n, hint(err, len(records) > 0))
		}
		records = append(records, r)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, true, fmt.Errorf("%s:%d: %w", path, n+1, hint(errors.New("is longer than any record"), len(records) > 0))
	case err != nil:
		return nil, true, fmt.Errorf("reading baseline: %w", err)
	}
	return records, true, nil
}

// parse reads one line.
func parse(line []byte) (r Entry, err error) {
	for _, mark := range []string{"<<<<<<<", "=======", ">>>>>>>", "|||||||"} {
		if bytes.HasPrefix(line, []byte(mark)) {
			return r, errMerge
		}
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("is not a record of a run: %w", err)
	}
	return r, r.check()
}

var errMerge = errors.New("is left over from a merge")

// hint adds advice to an error about a line. among reports whether records stand
// before it; if not, the file may never have been a baseline. Nothing is ever
// repaired or overwritten.
func hint(err error, among bool) error {
	switch {
	case err == errMerge:
		return fmt.Errorf("%w; delete the marks and keep the records of both sides", err)
	case among:
		return fmt.Errorf("%w; delete the line, or restore the file from version control", err)
	}
	return fmt.Errorf("%w; if the file is not a baseline, name another, else delete the line", err)
}

// Append adds a record at the end of a file and sets its Schema. It creates the
// file if necessary, but not its directory. It refuses a file that [Read] rejects
// and a record that Read would reject. The file is locked meanwhile, so that several
// processes may append to it.
func Append(path string, r Entry) error {
	r.Schema = Schema
	if err := r.check(); err != nil {
		return fmt.Errorf("writing baseline: the record %w", err)
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing baseline: %w", err)
	}
	f, err := openLocked(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = noDirectory(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("writing baseline: %w", err)
	}
	defer f.Close()
	if _, err := Read(path); err != nil {
		return fmt.Errorf("nothing was recorded: %w", err)
	}
	line = append(line, '\n')
	if !endsLine(f) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(line)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing baseline: %w", err)
	}
	return nil
}

// maxWaits bounds the wait for other processes that append, to ten seconds.
const maxWaits = 2000

// openLocked opens a file for one process at a time, or for any where files cannot be
// locked.
func openLocked(path string) (*os.File, error) {
	const flag, perm = os.O_RDWR | os.O_APPEND | os.O_CREATE, 0o666
	for range maxWaits {
		f, err := lock.Acquire(path, flag, perm)
		if errors.Is(err, lock.ErrNoLocks) {
			return lock.Open(path, flag, perm)
		}
		if f != nil || err != nil {
			return f, err
		}
		time.Sleep(readPause)
	}
	return nil, fmt.Errorf("%s stayed locked by another process for %v", path, maxWaits*readPause)
}

func noDirectory(dir string) error {
	return fmt.Errorf("there is no directory %s, create it first", dir)
}

// endsLine reports whether f is empty or ends with a newline, which some editors
// omit.
func endsLine(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return true
	}
	last := make([]byte, 1)
	_, err = f.ReadAt(last, info.Size()-1)
	return err != nil || last[0] == '\n'
}
