//go:build unix

package cli

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives f the owner and group of the file that it replaces, as far as the
// process may: a run under sudo leaves a user's file to the user.
func keepOwner(f *os.File, replaced fs.FileInfo) error {
	if s, ok := replaced.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return f.Chown(int(s.Uid), int(s.Gid))
	}
	return nil
}
