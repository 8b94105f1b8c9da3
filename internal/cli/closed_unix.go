//go:build unix

package cli

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// wasClosed reports whether w was closed when the process began, as by >&- in
// a shell. The Go runtime then opens /dev/null in its place, for reading and
// writing; a shell's >/dev/null is for writing alone. Some programs open it
// like the runtime for the programs they start, so this is a guess.
func wasClosed(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	null, err2 := os.Stat(os.DevNull)
	if err != nil || err2 != nil || !os.SameFile(info, null) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
