package targettest

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A Port is a TCP port of 127.0.0.1 that the system does not assign to others while
// nothing listens there. Connections to it are refused; a server may listen on it
// repeatedly.
type Port struct {
	Number int
	fd     int
}

// HoldPort holds a port until Release.
func HoldPort() (*Port, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("holding a port: %w", err)
	}
	p := &Port{fd: fd}
	// A socket with this option, which net.Listen and most servers set, may
	// listen on the port of another socket that has the option and does not
	// listen. The system never assigns a bound port by itself.
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	if err != nil {
		p.Release()
		return nil, fmt.Errorf("holding a port: %w", err)
	}
	p.Number = name.(*unix.SockaddrInet4).Port
	return p, nil
}

// Release frees the port. It must be called once.
func (p *Port) Release() { unix.Close(p.fd) }
