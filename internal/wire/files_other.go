//go:build !unix

package wire

// fileLimit returns false: the limit is not known on this system.
func fileLimit() (n int64, ok bool) { return 0, false }
