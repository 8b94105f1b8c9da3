package cli

import (
	"os/exec"
	"syscall"
)

// shell is a line that cmd.exe runs as it is.
func shell(line string) *exec.Cmd {
	c := exec.Command("cmd.exe")
	c.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + line + `"`}
	return c
}
