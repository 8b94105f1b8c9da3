//go:build unix && !linux

package target

import "syscall"

// dieWithParent does nothing: these systems cannot kill a process when its parent dies.
func dieWithParent(*syscall.SysProcAttr) {}
