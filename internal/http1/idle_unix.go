//go:build unix

package http1

import "syscall"

// A socketProbe looks at what a socket has received without consuming it. The
// zero value sees nothing. It allocates only when it is opened.
type socketProbe struct {
	raw  syscall.RawConn
	look func(fd uintptr) // made once, so that peek does not allocate
	into []byte
	n    int
	err  error
}

func (p *socketProbe) open(c any) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	p.raw = raw
	p.look = func(fd uintptr) {
		for {
			p.n, _, p.err = syscall.Recvfrom(int(fd), p.into, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if p.err != syscall.EINTR {
				return
			}
		}
	}
}

// peek returns how many octets, at most len(into), can be read, and whether the
// connection is still open. It overwrites into.
func (p *socketProbe) peek(into []byte) (n int, open bool) {
	if p.raw == nil {
		return 0, true
	}
	p.into = into
	err := p.raw.Control(p.look)
	p.into = nil
	if err != nil {
		return 0, false
	}
	if p.err != nil {
		return 0, p.err == syscall.EAGAIN
	}
	return p.n, p.n > 0
}
