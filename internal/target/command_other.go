//go:build !unix && !windows

package target

import "os/exec"

// leadGroup does nothing: there are no process groups.
func leadGroup(*exec.Cmd) {}

// terminate kills at once: processes cannot be asked to end.
func terminate(c *exec.Cmd) { kill(c) }

// sweep does nothing: what a command left behind cannot be found once it has ended.
func sweep(*exec.Cmd) {}

// kill ends the process of a command.
func kill(c *exec.Cmd) { _ = c.Process.Kill() }
