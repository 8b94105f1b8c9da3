//go:build unix

package lock

import (
	"io/fs"
	"syscall"
)

// HasOtherNames reports whether the file of info has several hard links.
func HasOtherNames(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Nlink > 1
}
