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

// An Arrival is one request as the target saw it come in.
type Arrival struct {
	ID string        // its X-Request-Id, cut to 47 bytes; "" without one
	At time.Duration // when its head was complete, from the target's start
}

// A ledger counts and dates requests. It is safe for concurrent use.
type ledger struct {
	start time.Time // immutable; with its monotonic part

	mu    sync.Mutex
	seen  int64
	first time.Duration // when request 0 arrived
	log   []entry       // preallocated; full when len is cap
}

// An entry is an [Arrival] without a pointer, so that a log of millions costs
// the garbage collector nothing.
type entry struct {
	at   time.Duration
	size uint8
	id   [47]byte
}

// newLedger returns a ledger that keeps the first size arrivals.
func newLedger(size int) *ledger {
	return &ledger{start: time.Now(), log: make([]entry, 0, size)}
}

// arrive notes a request. It returns the request's number, counted from 0, the
// instant it came, and that instant's offset from the first request's.
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
	// A request that read its clock before request 0 did may come in after it.
	return n, now, max(at-l.first, 0)
}

func (l *ledger) count() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// arrivals returns a copy of the log.
func (l *ledger) arrivals() []Arrival {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Arrival, len(l.log))
	for i := range l.log {
		e := &l.log[i]
		out[i] = Arrival{ID: string(e.id[:e.size]), At: e.at}
	}
	return out
}
