//go:build !unix

package target

// serveAs is for tests of commands, which are those of Unix.
func serveAs(string, string) {}
