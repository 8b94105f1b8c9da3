package engine

import (
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
)

// watchEvery is how often a Watch is told of progress.
const watchEvery = 100 * time.Millisecond

// A Watch is told how far a run has come, every 100 ms and once at its end, from
// one goroutine at a time.
type Watch func(Progress)

// Progress is how far a run has come.
type Progress struct {
	load.Progress
	Doing string // what is being done beside sending, such as "pair 37 of at most 200"; "" in a plain run
}

// A monitor tells a Watch of a run that may consist of many loops. A nil
// monitor tells nobody.
type monitor struct {
	watch Watch
	end   func()

	mu    sync.Mutex
	loop  *load.Loop    // under way; nil between two
	done  load.Progress // of the loops that are over
	doing string
}

// watching starts to tell watch, until end is called.
func watching(watch Watch) *monitor {
	m := &monitor{watch: watch, end: func() {}}
	if watch == nil {
		return m
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	m.end = sync.OnceFunc(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		t := time.NewTicker(watchEvery)
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
	return Progress{Progress: m.total(), Doing: m.doing}
}

// total is what all loops have done; mu must be held.
func (m *monitor) total() load.Progress {
	p := m.done
	if m.loop != nil {
		now := m.loop.Progress()
		p.Elapsed += now.Elapsed
		p.Succeeded += now.Succeeded
		p.Failed += now.Failed
	}
	return p
}

// says is what is being done from now on.
func (m *monitor) says(doing string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.doing = doing
}

// repeats begins anew: what follows is a repeat of what was.
func (m *monitor) repeats() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done, m.doing = load.Progress{}, "repeating"
}

// follows makes loop the one under way until the returned function is called.
func (m *monitor) follows(loop *load.Loop) (over func()) {
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
