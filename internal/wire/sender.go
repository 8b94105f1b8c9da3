package wire

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/target"
)

// checkAfter is how long a connection may be idle before it is checked again, which
// costs a system call. A server that closes a connection does so seconds after the
// last response, or at once.
const checkAfter = time.Millisecond

// A connSender sends one permit's requests over a connection that it opens when
// needed and replaces when it breaks. After a response it leaves its connection to a
// sender that waits for one, if there is any.
type connSender struct {
	*Pool
	conn     *http1.Conn            // nil if there is none; written under mu
	ahead    bool                   // conn was opened before the first Send of this stretch, and is still to be checked
	failures int                    // connections in a row that failed before their first response
	hops     map[string]*connSender // by origin: where redirects led; nil until then

	mu      sync.Mutex // guards what Expire reads
	dialing int64      // the arrival that a connection is being opened for; valid while cancel is set
	cancel  context.CancelFunc
	hop     *connSender // that a redirect is being followed with; nil for s itself
}

// Send sends request n; see [load.Sender].
func (s *connSender) Send(n int64, idled time.Duration) record.Result {
	a := s.exchange(s.Request, n, idled)
	if s.Follow {
		a = s.follow(n, a)
	}
	switch {
	case a.Unexpected:
		s.rejected.keep(a.to, n, a.of)
	case s.Check != nil && a.Kind == record.NoError:
		s.check(&a.Result, a.of.Message())
	}
	if s.conn != nil && s.offer(s.conn) { // only now: the answer is kept in the connection
		s.setConn(nil)
	}
	a.Disconnected = s.conn == nil
	return a.Result
}

// exchange sends request n as q says.
func (s *connSender) exchange(q *http1.Request, n int64, idled time.Duration) (a answer) {
	a.to = q
	if s.conn != nil && !s.usable(idled) {
		s.stray.Add(s.conn.Stray())
		s.drop()
	}
	s.ahead = false
	res, served := s.attempt(&a, n, false)
	if res.Unprocessed {
		a.Stale = max(1, idled)
		if s.mayRepeat(q) {
			a.SentAgain = true
			res, served = s.attempt(&a, n, true)
		}
	}
	if res.Err != nil {
		s.setFailure(&a.Result, n, res.Err, !served, &s.failures)
		return a
	}
	s.failures = 0
	a.Arriving = res.Arriving
	setResponse(&a.Result, q, a.of)
	return a
}

// usable reports whether the connection, idle for a while, can be used again.
func (s *connSender) usable(idled time.Duration) bool {
	return idled < s.conn.IdleLimit() && (idled <= checkAfter && !s.ahead || s.conn.Idle())
}

// attempt sends request n as a.to says, with fresh set on a new connection, and adds to
// a what that took. served reports that the connection had served an exchange before.
func (s *connSender) attempt(a *answer, n int64, fresh bool) (res http1.Response, served bool) {
	if s.conn == nil {
		if err := s.connect(context.Background(), n, fresh); err != nil {
			return http1.Response{Err: err}, false
		}
	}
	conn := s.conn
	conn.Use(a.to)
	served = conn.Served()
	res = conn.Exchange(n)
	a.of = conn
	a.Octets.Sent += res.Sent
	a.Octets.Received, a.Octets.Body, a.Octets.Surplus = res.Received, res.Body, res.Surplus
	a.Unanswered = !served && res.Received == 0 && res.Err != nil && http1.Classify(res.Err, http1.Reading).Kind == record.Timeout
	if !res.Reusable || conn.IdleLimit() == 0 {
		s.drop()
	}
	return res, served
}

// connect gets a connection for arrival n within the timeout, with fresh set a new one.
func (s *connSender) connect(ctx context.Context, n int64, fresh bool) error {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	s.mu.Lock()
	s.dialing, s.cancel = n, cancel
	s.mu.Unlock()
	c, err := s.get(ctx, fresh)
	s.mu.Lock()
	s.conn, s.cancel = c, nil
	s.mu.Unlock()
	return err
}

func (s *connSender) setConn(c *http1.Conn) {
	s.mu.Lock()
	s.conn = c
	s.mu.Unlock()
}

// drop closes the connection, if there is one.
func (s *connSender) drop() {
	if s.conn == nil {
		return
	}
	s.conn.Close()
	s.setConn(nil)
}

// dropAll closes the connection and those of redirects.
func (s *connSender) dropAll() {
	s.drop()
	for _, hop := range s.hops {
		hop.drop()
	}
}

// Connect opens the connection before it is needed, unless there is one from an
// earlier stretch; see [load.Connector].
func (s *connSender) Connect(ctx context.Context) {
	if s.conn != nil {
		return
	}
	s.ahead = s.connect(ctx, -1, true) == nil // otherwise the first Send tries again and reports the error
}

// Expire ends request n; see [load.Sender].
func (s *connSender) Expire(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hop != nil {
		s.hop.Expire(n)
	} else if s.cancel != nil && s.dialing == n {
		s.cancel()
	} else if s.conn != nil {
		s.conn.Expire(n)
	}
}

// Close keeps the Sender and its connection for the next stretch of load; see
// [load.Sender].
func (s *connSender) Close() {
	s.Pool.mu.Lock()
	defer s.Pool.mu.Unlock()
	if s.Pool.closed {
		s.dropAll()
		return
	}
	s.ahead = s.conn != nil
	s.parked = append(s.parked, s)
}

// setFailure makes r the result of request n, which got no complete response. fresh
// reports that its connection was new or could not be opened; failures counts such
// failures in a row.
func (p *Pool) setFailure(r *record.Result, n int64, err error, fresh bool, failures *int) {
	e := http1.Classify(err, http1.Reading)
	if p.Explain != nil {
		if text, ok := p.Explain(p.Request.ID(n)); ok {
			e = &record.Error{Kind: record.Check, Err: errors.New(p.Request.Mask(text))}
		}
	}
	r.Kind, r.Err = e.Kind, e
	if fresh && e.Kind != record.Check {
		*failures++
		r.Pause = pauseFor(*failures)
	}
}

// pauseFor returns how long to pause after the given number of failures in a row:
// twice as long each time, with jitter so that permits do not retry in step.
func pauseFor(failures int) time.Duration {
	d := min(minPause<<min(failures-1, 10), maxPause)
	return d/2 + rand.N(d/2+1)
}

// A funcSender calls a Go function instead of sending a request.
type funcSender struct {
	fn      func(context.Context) error
	id      func(n int64) string
	timeout time.Duration

	mu      sync.Mutex
	calling int64 // the arrival that is being called for; valid while cancel is set
	cancel  context.CancelFunc
}

// NewFunc returns a Sender that calls f with a context that expires after the
// timeout and carries the request's id.
func NewFunc(f func(context.Context) error, id func(n int64) string, timeout time.Duration) load.Sender {
	return &funcSender{fn: f, id: id, timeout: timeout}
}

// Send calls the function for arrival n; see [load.Sender].
func (s *funcSender) Send(n int64, _ time.Duration) (r record.Result) {
	ctx, cancel := context.WithTimeout(target.WithRequestID(context.Background(), s.id(n)), s.timeout)
	s.mu.Lock()
	s.calling, s.cancel = n, cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.cancel = nil
		s.mu.Unlock()
		cancel()
	}()
	r.Kind, r.Err = s.invoke(ctx)
	return r
}

// invoke calls the function and returns a panic as an error. The methods of an error
// are code under test too, and are not called after invoke.
func (s *funcSender) invoke(ctx context.Context) (kind record.Kind, err error) {
	defer func() {
		if v := recover(); v != nil {
			kind, err = record.Check, fmt.Errorf("panic: %v", v)
		}
	}()
	if err = s.fn(ctx); err == nil {
		return record.NoError, nil
	}
	kind = record.Check
	if ctx.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)) {
		kind = record.Timeout
	}
	return kind, errors.New(err.Error())
}

// Expire cancels the context of the call for arrival n; see [load.Sender].
func (s *funcSender) Expire(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cancel != nil && s.calling == n {
		s.cancel()
	}
}

// Close does nothing; see [load.Sender].
func (s *funcSender) Close() {}
