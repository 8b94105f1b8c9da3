//go:build !linux

package engine

import "github.com/loadtestkit/load-tester/internal/load"

// newMux returns nil: there is no event loop for this system.
func (w *wire) newMux(permits, loops int, alone bool) (load.Mux, error) { return nil, nil }
