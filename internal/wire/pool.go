// Package wire is how a request gets to its target: connections, the event loop
// and the goroutines that send over them, and calls of Go functions. Package load
// decides when to send, package http1 what the octets mean.
package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// maxDials bounds the connections being opened, so that a listener's queue
	// (4096 on Linux, 511 in nginx) does not overflow.
	maxDials = 128
	// minPause and maxPause bound the pauses of a permit whose connections keep
	// failing. With these, 1000 permits try at most 2000 times a second in all,
	// and a target that is back is noticed within half a second.
	minPause = 10 * time.Millisecond
	maxPause = 500 * time.Millisecond
	// resolveTimeout bounds looking the host up.
	resolveTimeout = 5 * time.Second
	// spareFiles is how many file descriptors a run needs besides one for each
	// permit: standard streams, the poller, the output file, /proc and a few more.
	spareFiles = 64
)

var errStatusZero = errors.New("reading status line: status code 000")

// A Config describes how a [Pool] reaches its target.
type Options struct {
	Request *http1.Request                 // what is sent
	Dialer  http1.Dialer                   // without an address, [Pool.Open] looks the request's host up
	Timeout time.Duration                  // for opening a connection, and for one request; > 0
	NoRetry bool                           // sends no request again, not even one that provably was not processed
	Explain func(id string) (string, bool) // returns the target's reason why a request failed, if it knows one; may be nil
}

// A Pool holds the connections to one target.
type Pool struct {
	Options
	dials  chan struct{}              // holds one element for each connection being opened
	opened atomic.Int64               // connections
	stray  atomic.Int64               // octets that arrived on idle connections
	first  atomic.Pointer[http1.Conn] // the connection that Open opened, until it is used

	share // among senders

	mu     sync.Mutex
	parked []*connSender // senders that wait for the next stretch of load
	closed bool
}

// New returns a pool without connections.
func New(cfg Options) *Pool {
	p := &Pool{Options: cfg, dials: make(chan struct{}, maxDials)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Open checks that the target can be reached before anything is sent: it looks the
// host up and opens a first connection, including the TLS handshake.
func (p *Pool) Open(ctx context.Context) error {
	deadline := time.Now().Add(p.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	addrs, err := resolve(ctx, p.Request.Host())
	if err != nil {
		return err
	}
	var errs []error
	for i, a := range addrs {
		p.Dialer.Addr = net.JoinHostPort(a, p.Request.Port())
		// An address that never answers leaves the others their share of the time.
		ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(addrs)-i))
		c, err := p.dial(ctx)
		cancel()
		if err == nil {
			p.first.Store(c)
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("connecting to %s: %w", net.JoinHostPort(p.Request.Host(), p.Request.Port()), errors.Join(errs...))
}

// resolve returns the addresses of a host, in the order in which to try them.
func resolve(ctx context.Context, host string) ([]string, error) {
	if ip, _, _ := strings.Cut(host, "%"); net.ParseIP(ip) != nil {
		return []string{host}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, &record.Error{Kind: record.Resolve, Err: fmt.Errorf("looking up %q: %w", host, err)}
	}
	return addrs, nil
}

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

// mayRepeat reports whether a request that was not processed may be sent again.
func (p *Pool) mayRepeat() bool { return !p.NoRetry && p.Request.Idempotent() }

// dial opens a connection for a request, within ctx.
func (p *Pool) dial(ctx context.Context) (*http1.Conn, error) {
	if c := p.first.Swap(nil); c != nil && c.Idle() {
		return c, nil
	} else if c != nil {
		c.Close()
	}
	select {
	case p.dials <- struct{}{}:
	case <-ctx.Done():
		return nil, &record.Error{Kind: record.ConnectTimeout, Err: fmt.Errorf("waiting to connect to %s: %w", p.Dialer.Addr, ctx.Err())}
	}
	defer func() { <-p.dials }()
	nc, err := p.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	p.opened.Add(1)
	return http1.NewConn(nc, p.Request), nil
}

// Opened returns how many connections were opened.
func (p *Pool) Opened() int64 { return p.opened.Load() }

// Stray returns how many octets arrived on connections on which no request was in
// flight.
func (p *Pool) Stray() int64 { return p.stray.Load() }

// Loopback reports whether the target is on this machine.
func (p *Pool) Loopback() bool {
	a, err := netip.ParseAddrPort(p.Dialer.Addr)
	return err == nil && a.Addr().IsLoopback()
}

// NewSender returns a Sender. It may be one from an earlier stretch of load that
// still has its connection.
func (p *Pool) NewSender() load.Sender {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.parked); n > 0 {
		s := p.parked[n-1]
		p.parked = p.parked[:n-1]
		return s
	}
	return &connSender{Pool: p}
}

// Close closes every connection that is not in use by a stretch of load.
func (p *Pool) Close() {
	if c := p.first.Swap(nil); c != nil {
		c.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range p.parked {
		s.drop()
	}
	p.parked = nil
	p.closeShare()
}

// CheckFiles returns an error if the process may not open as many file descriptors
// as a run with the given number of permits may need. bothEnds reports that the
// target is in this process too.
func CheckFiles(permits int, bothEnds bool) error {
	need := int64(permits)
	if bothEnds {
		need *= 2
	}
	need += spareFiles
	limit, ok := fileLimit()
	if !ok || need <= limit {
		return nil
	}
	return fmt.Errorf("concurrency %d needs %d file descriptors and this process may open %d: raise the limit (ulimit -n %d) or lower the concurrency",
		permits, need, limit, need)
}
