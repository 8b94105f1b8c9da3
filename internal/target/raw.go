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

// RawOptions are options of [ListenRaw]. With the zero value the server answers
// every request at once with status 200 and logs no arrivals.
type RawOptions struct {
	Timing Timing // when each request is answered
	Log    int    // how many of the first arrivals to log, 56 bytes each; 0 means none

	// Behave answers request n, counted from 0 in the order of arrival, at the
	// time that Timing gives; nil means c.Answer(200). If it returns without an
	// answer and leaves c open, the next request on c is read.
	Behave func(n int64, c *RawConn)
}

// A Raw is a TCP server that speaks just enough HTTP/1.1 to answer each request at
// a known instant: it reads heads, and bodies with a Content-Length, and keeps
// connections alive. It logs when each request arrived.
type Raw struct {
	URL   string    // http://127.0.0.1:1234
	Addr  string    // 127.0.0.1:1234
	Start time.Time // arrivals are offsets from it; has a monotonic reading

	opts   RawOptions
	ledger *ledger
	served atomic.Int64
	l      net.Listener
	ctx    context.Context // ends with Close, which wakes sleeping connections
	cancel context.CancelFunc
	wg     sync.WaitGroup // the accept loop and every connection

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

// Served returns how many complete answers were handed to the kernel.
func (r *Raw) Served() int64 { return r.served.Load() }

// Arrivals returns the logged arrivals, ordered by their numbers.
func (r *Raw) Arrivals() []Receipt { return r.ledger.arrivals() }

// Close stops listening, closes every connection and returns when nothing of the
// server is left. It may be called again.
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
			// Out of descriptors, for example: the connections wait in the
			// kernel's queue. net/http, too, begins with 5 ms.
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

// A Receipt says when a request arrived at a target.
type Receipt struct {
	ID string        // its X-Request-Id, cut to 47 bytes; "" without one
	At time.Duration // when its head was complete, from the target's start
}

// A ledger counts requests and logs when they arrived. It is safe for concurrent
// use.
type ledger struct {
	start time.Time // immutable; has a monotonic reading

	mu    sync.Mutex
	seen  int64
	first time.Duration // when request 0 arrived
	log   []entry       // of fixed capacity, so that logging does not allocate
}

// An entry is an [Arrival] without a pointer, so that the garbage collector need
// not scan a log of millions.
type entry struct {
	at   time.Duration
	size uint8
	id   [47]byte
}

// newLedger returns a ledger that logs the first size arrivals.
func newLedger(size int) *ledger {
	return &ledger{start: time.Now(), log: make([]entry, 0, size)}
}

// arrive records a request. It returns the request's number, counted from 0, the
// current time, and its offset from the arrival of request 0.
func (l *ledger) arrive(id []byte) (n int64, now time.Time, since time.Duration) {
	now = time.Now()
	at := now.Sub(l.start)
	l.mu.Lock()
	defer l.mu.Unlock()
	n = l.seen
	l.seen++
	if n == 0 {
		l.first = at
	}
	if len(l.log) < cap(l.log) {
		l.log = l.log[:n+1]
		e := &l.log[n]
		e.at = at
		e.size = uint8(copy(e.id[:], id))
	}
	// A request that read the clock before request 0 may be numbered after it.
	return n, now, max(at-l.first, 0)
}

func (l *ledger) count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// arrivals returns a copy of the log.
func (l *ledger) arrivals() []Receipt {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Receipt, len(l.log))
	for i := range l.log {
		e := &l.log[i]
		out[i] = Receipt{ID: string(e.id[:e.size]), At: e.at}
	}
	return out
}
