package engine

import (
	"errors"
	"net/netip"
	"os"
	"slices"

	"github.com/loadtestkit/load-tester/internal/host"
)

// A meter reads the processor time that serving an arm takes: that of this process,
// for what it serves itself, else that of the server's processes.
type meter struct {
	*host.Meter
	at   []netip.AddrPort // where the server listens; none for what this process serves
	pids []int
}

// newMeter returns the meter of an arm whose first connection is open. Its error says
// why that time is not known.
func (a *arm) newMeter() (m *meter, err error) {
	m = &meter{}
	switch {
	case a.Virtual:
		return nil, errors.New("time is virtual")
	case !a.target.isOutside():
	case !a.pool.Loopback():
		return nil, errors.New("the server is not on this machine, or not at a loopback address")
	default:
		m.at = a.pool.Reached()
		if m.pids, err = serversOf(m.at); err != nil {
			return nil, err
		}
	}
	if m.Meter, err = host.NewMeter(m.pids); err != nil {
		return nil, err // as of a server that has just ended
	}
	return m, nil
}

// isOwn reports whether m reads the time of this process, in which the client's is.
func (m *meter) isOwn() bool { return len(m.pids) == 0 || slices.Contains(m.pids, os.Getpid()) }

// check returns an error if the server has other processes now: what was read is then
// not the time of all that served.
func (m *meter) check() error {
	now, err := serversOf(m.at)
	if err == nil && !slices.Equal(now, m.pids) {
		err = errors.New("the server's processes are not the same as at the start")
	}
	return err
}

// serversOf returns the processes that serve any of some addresses.
func serversOf(at []netip.AddrPort) (pids []int, err error) {
	for _, addr := range at {
		some, err := host.ServersOf(addr)
		if err != nil {
			return nil, err
		}
		pids = append(pids, some...)
	}
	slices.Sort(pids)
	return slices.Compact(pids), nil
}
