//go:build !linux

package targettest

import "net"

// A Port is a TCP port of 127.0.0.1 that was free a moment ago: outside Linux
// nothing holds it.
type Port struct{ Number int }

// HoldPort finds a free port.
func HoldPort() (*Port, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return &Port{Number: l.Addr().(*net.TCPAddr).Port}, nil
}

// Release does nothing: the port is not held.
func (p *Port) Release() {}
