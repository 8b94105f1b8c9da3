package cli

import (
	"cmp"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/lock"
)

// An output is where a result goes. It is opened before the run, so that a run
// is not made in vain.
type output struct {
	name string      // for messages
	w    io.Writer   // nil if the result is written to path when it is whole
	file *os.File    // nil if w is not ours to close
	path string      // of a regular file; "" for anything else
	old  fs.FileInfo // the file that was there; nil for none
}

// openOutput opens path: "" and - are stdout. What is or becomes a regular file
// is written under a temporary name beside it, so that the file that was there
// stays whole until the new one is. It is written in place only where a file may
// not be replaced: in a directory without write permission, at the mount point
// of a container, and if it has several names. Devices and pipes are written
// directly.
func (s *session) openOutput(path string) (*output, error) {
	switch path {
	case "", "-", "/dev/stdout":
		return &output{name: "standard output", w: s.stdout}, nil
	case "/dev/stderr":
		return &output{name: "standard error", w: s.stderr}, nil
	}
	o := &output{name: path, path: resolved(path)}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return o, o.probe()
	case err != nil:
		return nil, cause(err)
	case info.IsDir():
		return nil, errors.New("is a directory, want a file")
	}
	// Opening shows whether the file may be written at all.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, cause(err)
	}
	if !info.Mode().IsRegular() || strings.HasPrefix(path, "/dev/") || strings.HasPrefix(path, "/proc/") {
		return &output{name: path, w: f, file: f}, nil
	}
	f.Close()
	o.old = info
	removeLeftovers(o.path)
	return o, nil
}

// resolved is the path that a file has, or will have, once all symbolic links are
// followed: a link stays one, even if nothing is there yet.
func resolved(path string) string {
	for range 40 { // as many as Linux follows
		to, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(dir, filepath.Base(path))
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// sameFile reports whether two paths are, or will be, of one file.
func sameFile(a, b string) bool {
	if resolved(a) == resolved(b) {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// probe returns an error if no file can be made beside o's.
func (o *output) probe() error {
	removeLeftovers(o.path)
	f, err := o.openTemp()
	if err != nil {
		return err
	}
	f.Close()
	os.Remove(f.Name())
	return nil
}

// openTemp makes a file beside o's, with a name of its own. Nobody may read more of
// it than of the file that was there.
func (o *output) openTemp() (*os.File, error) {
	mode := fs.FileMode(0o666)
	if o.old != nil {
		mode = 0o600
	}
	temp := filepath.Join(filepath.Dir(o.path), "."+filepath.Base(o.path)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("its directory does not exist, create it first")
	}
	if err != nil {
		return nil, cause(err)
	}
	return f, nil
}

// leftover is the age of a temporary file that nothing is writing any more: each
// is there for an instant.
const leftover = time.Minute

// removeLeftovers removes the temporary files of programs that were killed while
// they wrote path.
func removeLeftovers(path string) {
	all, _ := os.ReadDir(filepath.Dir(path)) // what cannot be read is not cleaned up
	for _, e := range all {
		middle, begins := strings.CutPrefix(e.Name(), "."+filepath.Base(path)+".")
		name, ends := strings.CutSuffix(middle, ".tmp")
		if !begins || !ends || len(name) != 8 || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			continue
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && time.Since(info.ModTime()) > leftover {
			os.Remove(filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
}

// commit writes all of the output. An error leaves what was there before, if the
// file can be replaced.
func (o *output) commit(content []byte) error {
	defer o.drop()
	if o.path != "" {
		return o.replace(content)
	}
	if _, err := o.w.Write(content); err != nil {
		return cause(err)
	}
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	o.file = nil
	if err != nil {
		return cause(err)
	}
	return nil
}

// replace writes a file under a temporary name and then gives it its own.
func (o *output) replace(content []byte) error {
	if o.old != nil && lock.HasOtherNames(o.old) { // replacing it would part them
		return o.overwrite(content)
	}
	f, err := o.openTemp()
	switch {
	case errors.Is(err, fs.ErrPermission):
		return o.overwrite(content)
	case err != nil:
		return err
	}
	defer os.Remove(f.Name()) // which fails once it has been renamed
	if o.old != nil {
		err = errors.Join(keepOwner(f, o.old), f.Chmod(o.old.Mode().Perm()))
	}
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = f.Sync()
	}
	err = cmp.Or(err, f.Close())
	switch {
	case err != nil:
		return cause(err)
	case os.Rename(f.Name(), o.path) != nil: // it is a mount point
		return o.overwrite(content)
	}
	return nil
}

// overwrite writes a file in place.
func (o *output) overwrite(content []byte) error {
	f, err := os.OpenFile(o.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return cause(err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = cmp.Or(err, f.Close()); err != nil {
		return cause(err)
	}
	return nil
}

// drop gives up what was not committed.
func (o *output) drop() {
	if o.file != nil {
		o.file.Close()
		o.file = nil
	}
}

// cause is what went wrong with a file, without the name of the file or of the
// system call.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
