//go:build !unix

package target

import (
	"os/exec"
	"runtime"
	"strconv"
)

// leadGroup does nothing: there are no process groups.
func leadGroup(*exec.Cmd) {}

// terminate kills at once: processes cannot be asked to end.
func terminate(c *exec.Cmd) { kill(c) }

// sweep does nothing: what a command left behind cannot be found once it has ended.
func sweep(*exec.Cmd) {}

// kill ends the process of a command, on Windows with what it started.
func kill(c *exec.Cmd) {
	if runtime.GOOS == "windows" {
		_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run()
	}
	_ = c.Process.Kill()
}
