package loadtestkit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"syscall"
)

// guard holds a name of an abstract socket, which goes with the lock file: no cleaner
// of directories can remove that. free is false if another process holds it. The
// socket cannot be connected to. Where there are no such names, the file is enough.
func guard(path string) (release func(), free bool) {
	nothing := func() {}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nothing, true
	}
	name := fmt.Sprintf("@loadtestkit.lock.%x", sha256.Sum256([]byte(path)))
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: name}); err != nil {
		syscall.Close(fd)
		return nothing, !errors.Is(err, syscall.EADDRINUSE)
	}
	return func() { syscall.Close(fd) }, true
}
