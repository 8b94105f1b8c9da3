//go:build !unix

package http1

// A socketProbe does nothing here: Windows has no call that looks at what a
// socket has received without waiting.
type socketProbe struct{}

func (p *socketProbe) open(any) {}

// peek returns 0 and true, for an open connection that has received nothing.
func (p *socketProbe) peek([]byte) (n int, open bool) { return 0, true }
