//go:build !unix

package cli

import "io"

// wasClosed is not known here.
func wasClosed(io.Writer) bool { return false }
