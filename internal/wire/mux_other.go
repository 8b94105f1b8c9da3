//go:build !linux

package wire

import "github.com/loadtestkit/load-tester/internal/load"

// NewMux returns nil: there is no event loop on this system.
func (p *Pool) NewMux(permits, loops int, alone bool) (load.Mux, error) { return nil, nil }
