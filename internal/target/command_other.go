//go:build !unix

package target

import (
	"os/exec"
	"runtime"
	"strconv"
)

// leadGroup would make a process group, which there is not.
func leadGroup(*exec.Cmd) {}

// terminate does nothing: processes cannot be asked to end.
func terminate(c *exec.Cmd) { kill(c) }

// sweep would end what a command that has ended left behind, which cannot be found.
func sweep(*exec.Cmd) {}

// kill ends the process of a command, on Windows with what it started.
func kill(c *exec.Cmd) {
	if runtime.GOOS == "windows" {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run()
	}
	_ = c.Process.Kill()
}
