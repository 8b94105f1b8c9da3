package cli

import (
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An output is where a result goes. It is opened before the run, so that a run
// is not made in vain and so that no lack of descriptors can stop it later.
type output struct {
	name string // for messages
	w    io.Writer
	file *os.File // nil if w is not ours to close
	temp string   // what file is called until it is whole; "" if written directly
	path string   // and what it is called then
}

// openOutput opens path: "" and - are stdout. What is or becomes a regular file
// is written under a temporary name beside it, so that the file that was there
// stays whole until the new one is. Devices and pipes are written directly.
func (s *session) openOutput(path string) (*output, error) {
	switch path {
	case "", "-", "/dev/stdout":
		return &output{name: "standard output", w: s.stdout}, nil
	case "/dev/stderr":
		return &output{name: "standard error", w: s.stderr}, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return openBeside(path, nil)
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
	return openBeside(path, info)
}

// openBeside opens a temporary file beside path, where info is of the file that
// is there already, nil for none.
func openBeside(path string, info fs.FileInfo) (*output, error) {
	// A symbolic link stays one.
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("its directory does not exist, create it first")
	}
	if err != nil {
		return nil, cause(err)
	}
	o := &output{name: path, w: f, file: f, temp: temp, path: path}
	if info != nil {
		if err := f.Chmod(info.Mode().Perm()); err != nil {
			o.drop()
			return nil, cause(err)
		}
	}
	return o, nil
}

// commit writes all of the output and gives the file its name. An error leaves
// what was there before.
func (o *output) commit(content []byte) error {
	defer o.drop()
	if _, err := o.w.Write(content); err != nil {
		return cause(err)
	}
	if o.file == nil {
		return nil
	}
	if o.temp != "" {
		if err := o.file.Sync(); err != nil {
			return cause(err)
		}
	}
	err := o.file.Close()
	o.file = nil
	if err == nil && o.temp != "" {
		if err = os.Rename(o.temp, o.path); err == nil {
			o.temp = ""
		}
	}
	if err != nil {
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
	if o.temp != "" {
		os.Remove(o.temp)
		o.temp = ""
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
