//go:build unix

package target

import (
	"os/exec"
	"syscall"
)

// leadGroup makes the process of a command lead a process group, so that what it
// starts can be ended with it, and Ctrl+C on the terminal is not its own.
func leadGroup(c *exec.Cmd) {
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	if !c.SysProcAttr.Setsid { // which makes a group, too
		c.SysProcAttr.Setpgid, c.SysProcAttr.Pgid = true, 0
	}
	dieWithParent(c.SysProcAttr)
}

// terminate asks the group of a command to end.
func terminate(c *exec.Cmd) { signalGroup(c, syscall.SIGTERM) }

// kill ends the group of a command.
func kill(c *exec.Cmd) { signalGroup(c, syscall.SIGKILL) }

// sweep ends what a command that has ended left in its group.
func sweep(c *exec.Cmd) { kill(c) }

// signalGroup sends a signal to what there is of a group: without a process in it, there
// is nothing to do.
func signalGroup(c *exec.Cmd, sig syscall.Signal) { _ = syscall.Kill(-c.Process.Pid, sig) }
