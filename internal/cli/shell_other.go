//go:build !windows

package cli

import "os/exec"

// shell is a line that the shell runs.
func shell(line string) *exec.Cmd { return exec.Command("sh", "-c", line) }
