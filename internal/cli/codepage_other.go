//go:build !windows

package cli

// systemIsUTF8 reports whether output is UTF-8 where no locale says so.
func systemIsUTF8() bool { return true }
