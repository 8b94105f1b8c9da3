// Package wire is how a request gets there: connections, the event loop and the
// goroutines that send over them, and calls of Go functions. When to send is
// decided in package load, what the octets mean in package http1.
package wire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// lookAfter is how long a connection idles before it is looked at again,
	// which costs a system call. Chosen: a server that closes a connection
	// does it seconds after the last response, or at once.
	lookAfter = time.Millisecond
	// dialsAtOnce bounds the connections being opened, so that a listener's
	// queue (4096 on Linux, 511 in nginx) does not overflow. Chosen.
	dialsAtOnce = 128
	// The pauses of a permit whose connections keep failing. Chosen: 1000
	// permits try no more than 2000 times a second in all, and a target that is
	// back is noticed within half a second.
	pauseFirst = 10 * time.Millisecond
	pauseMost  = 500 * time.Millisecond
)

var errStatusZero = errors.New("reading status line: status code 000")

// A Config says how a [Pool] reaches its target.
type Config struct {
	Request *http1.Request                 // what is sent
	Dialer  http1.Dialer                   // without an address, [Pool.Open] looks the request's host up
	Timeout time.Duration                  // of a connection to open, and of one request; > 0
	Explain func(id string) (string, bool) // what the target knows of a failed request; nil: nothing
}

// A Pool is the connections to one target, and what is sent over them.
type Pool struct {
	Config
	dials  chan struct{}              // holds one element for each connection being opened
	opened atomic.Int64               // connections
	stray  atomic.Int64               // octets that arrived on idle connections
	first  atomic.Pointer[http1.Conn] // the connection that Open opened

	mu     sync.Mutex
	parked []*connSender // senders that wait for the next stretch of load
	closed bool
}

// New returns a pool without a connection.
func New(cfg Config) *Pool {
	return &Pool{Config: cfg, dials: make(chan struct{}, dialsAtOnce)}
}

// Opened returns how many connections were opened.
func (w *Pool) Opened() int64 { return w.opened.Load() }

// Stray returns how many octets arrived on connections without a request.
func (w *Pool) Stray() int64 { return w.stray.Load() }

const (
	// permitsPerLoop is how many permits an event loop has at least, where
	// there is more than one: fewer do not keep a processor busy. loopsMost
	// bounds the memory of loops, some 3 MB each.
	permitsPerLoop = 32
	loopsMost      = 16
)

// Loops is how many event loops a closed workload is worth: one for each
// processor, but half of them if the target needs some too.
func (w *Pool) Loops(permits, processors int) int {
	if w.Loopback() {
		processors /= 2
	}
	return max(1, min(processors, permits/permitsPerLoop, loopsMost))
}

// dial opens a connection for a request, within ctx.
func (w *Pool) dial(ctx context.Context) (*http1.Conn, error) {
	if c := w.first.Swap(nil); c != nil && c.Idle() {
		return c, nil
	} else if c != nil {
		c.Close()
	}
	select {
	case w.dials <- struct{}{}:
	case <-ctx.Done():
		return nil, &record.Error{Kind: record.ConnectTimeout, Err: fmt.Errorf("waiting to connect to %s: %w", w.Dialer.Addr, ctx.Err())}
	}
	defer func() { <-w.dials }()
	nc, err := w.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	w.opened.Add(1)
	return http1.NewConn(nc, w.Request), nil
}

// Loopback reports whether the target is on this machine.
func (w *Pool) Loopback() bool {
	a, err := netip.ParseAddrPort(w.Dialer.Addr)
	return err == nil && a.Addr().IsLoopback()
}

// NewSender returns a Sender, with the connection it had in an earlier stretch
// of load if there was one.
func (w *Pool) NewSender() load.Sender {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.parked); n > 0 {
		s := w.parked[n-1]
		w.parked = w.parked[:n-1]
		return s
	}
	return &connSender{Pool: w}
}

// Close closes every connection that no stretch of load uses.
func (w *Pool) Close() {
	if c := w.first.Swap(nil); c != nil {
		c.Close()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, s := range w.parked {
		s.drop()
	}
	w.parked = nil
}

// A connSender sends one permit's requests over a connection of its own, which
// it opens when it needs it and replaces when it broke.
type connSender struct {
	*Pool
	conn     *http1.Conn // nil if there is none; written under mu
	ahead    bool        // conn was opened ahead or in an earlier stretch, and has not been used in this one
	failures int         // connections in a row that failed before their first response

	mu      sync.Mutex // guards what Expire needs
	dialing int64      // the arrival that a connection is being opened for; valid if cancel is set
	cancel  context.CancelFunc
}

// Send sends request n; see [load.Sender].
func (s *connSender) Send(n int64, idled time.Duration) (r record.Result) {
	if s.conn != nil && (idled > lookAfter || s.ahead) && !s.conn.Idle() {
		s.stray.Add(s.conn.Stray())
		s.drop()
	}
	s.ahead = false
	fresh := s.conn == nil
	if fresh {
		if err := s.connect(context.Background(), n); err != nil {
			if errors.Is(err, context.Canceled) { // which Expire does
				err = &record.Error{Kind: record.ConnectTimeout, Err: fmt.Errorf("connecting to %s: %w", s.Dialer.Addr, os.ErrDeadlineExceeded)}
			}
			s.failed(&r, n, err, true, &s.failures)
			return r
		}
	}
	res := s.conn.Exchange(n)
	if !res.Reusable {
		s.drop()
	}
	r = record.Result{
		Octets: record.Octets{Sent: res.Sent, Received: res.Received, Body: res.Body, Surplus: res.Surplus},
	}
	if res.Err != nil {
		s.failed(&r, n, res.Err, fresh, &s.failures)
		return r
	}
	s.failures = 0
	completed(&r, res.Status)
	return r
}

// completed makes r the result of a complete response.
func completed(r *record.Result, status int) {
	if r.Status = status; status == 0 {
		// It is what calls of Go functions have, and would count as success.
		r.Kind, r.Err = record.Malformed, errStatusZero
	}
}

// failed makes r the result of request n, which got no complete response, on a
// connection that was fresh or could not be had. failures counts those in a row.
func (w *Pool) failed(r *record.Result, n int64, err error, fresh bool, failures *int) {
	e := http1.Classify(err, http1.Reading)
	if w.Explain != nil {
		if text, ok := w.Explain(w.Request.ID(n)); ok {
			e = &record.Error{Kind: record.Check, Err: errors.New(text)}
		}
	}
	r.Kind, r.Err = e.Kind, e
	if fresh && e.Kind != record.Check {
		*failures++
		r.Pause = pauseAfter(*failures)
	}
}

// pauseAfter is how long to rest after so many failures in a row: doubling,
// with jitter so that permits do not come back in step.
func pauseAfter(failures int) time.Duration {
	d := min(pauseFirst<<min(failures-1, 10), pauseMost)
	return d/2 + rand.N(d/2+1)
}

// connect opens a connection for arrival n, in at most the timeout.
func (s *connSender) connect(ctx context.Context, n int64) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	s.mu.Lock()
	s.dialing, s.cancel = n, cancel
	s.mu.Unlock()
	c, err := s.dial(ctx)
	s.mu.Lock()
	s.conn, s.cancel = c, nil
	s.mu.Unlock()
	if err != nil && ctx.Err() != nil {
		// However the deadline came to light.
		if e := http1.Classify(err, http1.Dialing); e.Kind == record.Connect {
			return &record.Error{Kind: record.ConnectTimeout, Err: e.Err}
		}
	}
	return err
}

// drop closes the connection, if there is one.
func (s *connSender) drop() {
	if s.conn == nil {
		return
	}
	s.conn.Close()
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
}

// Connect opens the connection before it is needed, if there is none from an
// earlier stretch; see [load.Connector].
func (s *connSender) Connect(ctx context.Context) {
	if s.conn != nil {
		return
	}
	s.ahead = s.connect(ctx, -1) == nil // or else the first Send tries again, and reports it
}

// Expire ends request n; see [load.Sender].
func (s *connSender) Expire(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil && s.dialing == n {
		s.cancel()
	} else if s.conn != nil {
		s.conn.Expire(n)
	}
}

// Close leaves the Sender, and its connection, to the next stretch of load; see
// [load.Sender].
func (s *connSender) Close() {
	s.Pool.mu.Lock()
	defer s.Pool.mu.Unlock()
	if s.Pool.closed {
		s.drop()
		return
	}
	s.ahead = s.conn != nil
	s.parked = append(s.parked, s)
}
