package target

import "syscall"

// dieWithParent has the system kill a process when this one dies without a chance to
// do so.
func dieWithParent(a *syscall.SysProcAttr) {
	if a.Pdeathsig == 0 {
		a.Pdeathsig = syscall.SIGKILL
	}
}
