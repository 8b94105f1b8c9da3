package wire

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/target"
)

// A funcSender calls a Go function where others send a request.
type funcSender struct {
	call    func(context.Context) error
	id      func(n int64) string
	timeout time.Duration

	mu      sync.Mutex
	calling int64 // the arrival of the call under way; valid if cancel is set
	cancel  context.CancelFunc
}

// NewFunc returns a Sender that calls f, with a context that ends after the
// timeout and carries the request's id.
func NewFunc(f func(context.Context) error, id func(n int64) string, timeout time.Duration) load.Sender {
	return &funcSender{call: f, id: id, timeout: timeout}
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
	err := s.guarded(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		r.Kind, r.Err = record.Timeout, err
	default:
		r.Kind, r.Err = record.Check, err
	}
	return r
}

// guarded calls the function and turns a panic into an error.
func (s *funcSender) guarded(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return s.call(ctx)
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
