//go:build !unix

package http1

// A socketProbe would look at what a socket has received without taking it.
// Windows has no call for that which does not wait.
type socketProbe struct{}

func (p *socketProbe) open(any) {}

// peek reports a connection that is open and has received nothing.
func (p *socketProbe) peek([]byte) (n int, open bool) { return 0, true }
