package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// RawOptions says how a [Raw] server behaves. The zero value answers every
// request at once with status 200 and logs no arrival.
type RawOptions struct {
	Timing Timing // when each request is answered
	Log    int    // how many arrivals to keep, the first ones, 56 bytes each; 0 means none

	// Behave answers request n, counted from 0 in the order of arrival, once
	// its time has come; nil means c.Answer(200). If it answers nothing and
	// leaves c open, the next request on c is read.
	Behave func(n int64, c *RawConn)
}

// A Raw is a TCP server that speaks just enough HTTP/1.1 to be a target whose
// every answer is due at a known instant: it reads heads and bodies sent with
// Content-Length, keeps connections alive, and does nothing else with its
// time. It logs when each request arrived.
type Raw struct {
	URL   string    // http://127.0.0.1:1234
	Addr  string    // 127.0.0.1:1234
	Start time.Time // what arrivals are counted from; with its monotonic part

	opts   RawOptions
	ledger *ledger
	served atomic.Int64
	l      net.Listener
	ctx    context.Context // ends with Close, for those who sleep
	cancel context.CancelFunc
	wg     sync.WaitGroup // the accepter and every connection

	mu    sync.Mutex
	conns map[*RawConn]struct{} // nil once closed
}

// ListenRaw starts a server on addr, "127.0.0.1:0" for a free port on
// loopback. The caller must close it.
func ListenRaw(addr string, opts RawOptions) (*Raw, error) {
	if opts.Log < 0 {
		return nil, fmt.Errorf("listening on %s: Log %d must not be negative", addr, opts.Log)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	r := &Raw{
		URL:    "http://" + l.Addr().String(),
		Addr:   l.Addr().String(),
		opts:   opts,
		ledger: newLedger(opts.Log),
		l:      l,
		conns:  make(map[*RawConn]struct{}),
	}
	if r.opts.Behave == nil {
		r.opts.Behave = func(_ int64, c *RawConn) { c.Answer(200) }
	}
	r.Start = r.ledger.start
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.wg.Go(r.accept)
	return r, nil
}

// Seen returns how many requests arrived.
func (r *Raw) Seen() int64 { return r.ledger.count() }

// Served returns how many answers were handed to the kernel whole.
func (r *Raw) Served() int64 { return r.served.Load() }

// Arrivals returns the logged arrivals in the order of their numbers.
func (r *Raw) Arrivals() []Arrival { return r.ledger.arrivals() }

// Close stops listening, cuts every connection off and returns when nothing
// of the server is left. It may be called again.
func (r *Raw) Close() error {
	r.cancel()
	err := r.l.Close()
	r.mu.Lock()
	for c := range r.conns {
		c.Conn.Close()
	}
	r.conns = nil
	r.mu.Unlock()
	r.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (r *Raw) accept() {
	for {
		conn, err := r.l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// Out of descriptors or the like: those connections wait in the
			// kernel's queue. 5 ms as net/http begins with.
			_ = Sleep(r.ctx, 5*time.Millisecond)
			continue
		}
		c := &RawConn{Conn: conn, raw: r, buf: make([]byte, 0, 4<<10)}
		r.mu.Lock()
		if r.conns == nil {
			conn.Close()
		} else {
			r.conns[c] = struct{}{}
			r.wg.Go(c.serve)
		}
		r.mu.Unlock()
	}
}
