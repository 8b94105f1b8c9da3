//go:build unix && !linux

package target

import "syscall"

// dieWithParent would have the system kill a process when this one dies without a chance
// to do so.
func dieWithParent(*syscall.SysProcAttr) {}
