package target

import (
	"os/exec"
	"strconv"
	"syscall"
)

// leadGroup makes the process of a command lead a process group, so that Ctrl+C on the
// console is not its own.
func leadGroup(c *exec.Cmd) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.CreationFlags |= syscall.CREATE_NEW_PROCESS_GROUP
}

// terminate kills at once: processes without a window cannot be asked to end.
func terminate(c *exec.Cmd) { kill(c) }

// sweep does nothing: what a command left behind cannot be found once it has ended.
func sweep(*exec.Cmd) {}

// kill ends the process of a command, and what it started.
func kill(c *exec.Cmd) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(c.Process.Pid)).Run()
	_ = c.Process.Kill()
}
