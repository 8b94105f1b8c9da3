//go:build unix

package testscripts

import (
	"net"
	"os/exec"
	"sync"
	"syscall"
)

// haveIPv6 reports whether this machine has an IPv6 loopback address.
var haveIPv6 = sync.OnceValue(func() bool {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return false
	}
	l.Close()
	return true
})

// haveNamespaces reports whether a script can have a network and mounts of its own.
var haveNamespaces = sync.OnceValue(func() bool {
	return exec.Command("unshare", "-n", "-m", "sh", "-c", "ip link set lo up").Run() == nil
})

// havePty reports whether this machine has pseudo-terminals.
var havePty = sync.OnceValue(func() bool {
	control, terminal, err := openPty(80)
	if err != nil {
		return false
	}
	terminal.Close()
	control.Close()
	return true
})

// mayOpen reports whether a process may have n file descriptors open.
func mayOpen(n uint64) bool {
	var l syscall.Rlimit
	return syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil && uint64(l.Cur) >= n
}
