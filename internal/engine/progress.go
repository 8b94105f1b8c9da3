package engine

import (
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
)

// progressEvery is how often a Watch is called.
const progressEvery = 100 * time.Millisecond

// A Watch is told how far a plan has come, every 100 ms and once at its end, from
// one goroutine at a time.
type Watch func(Progress)

// Progress is how far a plan has come.
type Progress struct {
	load.Tally
	Doing string // what is being done beside sending, such as "round 37"; "" in a plain run
	Found string // what a comparison knows for certain already, such as what requests allocate; "" before
}

// A monitor tells a Watch of a measurement that may consist of many loops. A nil
// monitor tells nothing.
type monitor struct {
	watch Watch
	end   func()

	mu    sync.Mutex
	loop  tallied    // the one that runs; nil between two
	done  load.Tally // of the loops that are over
	doing string
	found string
}

// startMonitor starts to tell watch, until end is called; nil for a nil watch.
func startMonitor(watch Watch) *monitor {
	m := &monitor{watch: watch, end: func() {}}
	if watch == nil {
		return m
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	m.end = sync.OnceFunc(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		t := time.NewTicker(progressEvery)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				watch(m.progress())
			case <-stop:
				watch(m.progress())
				return
			}
		}
	}()
	return m
}

func (m *monitor) progress() Progress {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Progress{Tally: m.total(), Doing: m.doing, Found: m.found}
}

// total is what all loops have done; mu must be held.
func (m *monitor) total() load.Tally {
	p := m.done
	if m.loop != nil {
		p.Add(m.loop.Progress())
	}
	return p
}

// tell sets what is being done from now on.
func (m *monitor) tell(doing string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doing = doing
}

// find sets what is known for certain.
func (m *monitor) find(found string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.found = found
}

// restart sets what is being done and begins to count anew.
func (m *monitor) restart(doing string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.doing = load.Tally{}, doing
}

// A tallied is a load that says how far it has come.
type tallied interface{ Progress() load.Tally }

// follow makes loop the one that runs until the returned function is called.
func (m *monitor) follow(loop tallied) (over func()) {
	if m == nil {
		return func() {}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loop = loop
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.done, m.loop = m.total(), nil
	}
}
