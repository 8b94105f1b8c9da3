//go:build !unix

package lock

import "io/fs"

// HasOtherNames reports whether the file of info has several hard links, as far as that
// is known.
func HasOtherNames(fs.FileInfo) bool { return false }
