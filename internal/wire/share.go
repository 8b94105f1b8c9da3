package wire

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
)

// A share is what lets a request go to whichever connection is free first: one that
// another sender leaves, or a new one. Each sender that waits has a connection opened
// for it, and the first that waits gets the first there is.
type share struct {
	dialers sync.WaitGroup
	wanted  atomic.Int32 // how many wait, for those that do not

	queue   sync.Mutex // guards the rest
	waiting []*wish    // the first first
	opening int        // connections being opened
	spare   []*http1.Conn
}

// A wish is that of a sender for a connection.
type wish struct {
	fresh bool       // for a new one
	got   chan grant // of one element
}

// A grant is the answer to a wish.
type grant struct {
	conn *http1.Conn
	err  error
}

// get returns a connection: one that was left or opened in vain, unless fresh is set,
// or a new one.
func (p *Pool) get(ctx context.Context, fresh bool) (*http1.Conn, error) {
	w := &wish{fresh, make(chan grant, 1)}
	if c := p.join(w); c != nil {
		return c, nil
	}
	select {
	case g := <-w.got:
		return g.conn, g.err
	case <-ctx.Done():
	}
	if p.leave(w) {
		return nil, &record.Error{Kind: record.ConnectTimeout, Err: fmt.Errorf("connecting to %s: %w", p.where(), os.ErrDeadlineExceeded)}
	}
	g := <-w.got // at the same time
	return g.conn, g.err
}

// join puts w in the queue, and has a connection opened if there are fewer than are
// waited for. It returns a spare connection if there is one that will do.
func (p *Pool) join(w *wish) *http1.Conn {
	p.queue.Lock()
	defer p.queue.Unlock()
	for n := len(p.spare); n > 0 && !w.fresh; n = len(p.spare) {
		c := p.spare[n-1]
		p.spare = p.spare[:n-1]
		if c.Idle() {
			return c
		}
		p.stray.Add(c.Stray())
		c.Close()
	}
	p.waiting = append(p.waiting, w)
	p.wanted.Add(1)
	if p.opening < len(p.waiting) {
		p.opening++
		p.dialers.Go(p.openShared)
	}
	return nil
}

// leave takes w out of the queue; false means that its grant is there.
func (p *Pool) leave(w *wish) bool {
	p.queue.Lock()
	defer p.queue.Unlock()
	k := slices.Index(p.waiting, w)
	if k >= 0 {
		p.remove(k)
	}
	return k >= 0
}

func (p *Pool) remove(k int) {
	p.waiting = slices.Delete(p.waiting, k, k+1)
	p.wanted.Add(-1)
}

// openShared opens a connection for the first sender that waits then.
func (p *Pool) openShared() {
	ctx, cancel := context.WithTimeout(p.life, p.Timeout)
	defer cancel()
	c, err := p.dial(ctx)
	if err != nil && ctx.Err() != nil {
		// The deadline may have shown as any kind of error.
		if e := http1.Classify(err, http1.Dialing); e.Kind == record.Connect {
			err = &record.Error{Kind: record.ConnectTimeout, Err: e.Err}
		}
	}
	p.queue.Lock()
	defer p.queue.Unlock()
	p.opening--
	switch {
	case len(p.waiting) > 0 && (err == nil || p.opening < len(p.waiting)):
		p.waiting[0].got <- grant{c, err}
		p.remove(0)
	case err != nil: // another is being opened for each that waits
	case p.life.Err() != nil:
		c.Close()
	default:
		p.spare = append(p.spare, c)
	}
}

// offer leaves a connection to the first sender that waits for one, if any does.
func (p *Pool) offer(c *http1.Conn) bool {
	if p.wanted.Load() == 0 {
		return false
	}
	p.queue.Lock()
	defer p.queue.Unlock()
	k := slices.IndexFunc(p.waiting, func(w *wish) bool { return !w.fresh })
	if k < 0 {
		return false
	}
	p.waiting[k].got <- grant{conn: c}
	p.remove(k)
	return true
}

// closeShare closes the spare connections and those being opened.
func (p *Pool) closeShare() {
	p.dialers.Wait()
	for _, c := range p.spare {
		c.Close()
	}
	p.spare = nil
}
