// Package wire is how a request gets to its target: connections, the event loop
// and the goroutines that send over them, and calls of Go functions. Package load
// decides when to send, package http1 what the octets mean.
package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loadtestkit/load-tester/internal/hist"
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
)

// A Config describes how a [Pool] reaches its target.
type Options struct {
	Request *http1.Request                 // what is sent
	Dialer  http1.Dialer                   // without an address, [Pool.Open] looks the request's host up
	First   bool                           // of a host with several addresses, use only the first that can be reached
	Timeout time.Duration                  // for opening a connection, and for one request; > 0
	NoRetry bool                           // sends no request again, not even one that provably was not processed
	Explain func(id string) (string, bool) // returns the target's reason why a request failed, if it knows one; may be nil
	Check   func(*http1.Message) error     // returns what is wrong with a response of an expected status; called by several goroutines at once; may be nil
	Follow  bool                           // follow redirects
	TLS     *tls.Config                    // of redirects to https; may be nil
	Alone   bool                           // follow no redirect to another origin
}

// A Pool holds the connections to one target.
type Pool struct {
	Options
	dials  chan struct{}              // holds one element for each connection being opened
	opened atomic.Int64               // connections
	stray  atomic.Int64               // octets that arrived on idle connections
	first  atomic.Pointer[http1.Conn] // the connection that Open opened, until it is used
	addrs  *addresses
	life   context.Context // ends with Close
	end    context.CancelFunc

	times      sync.Mutex      // guards the following
	connecting *hist.Histogram // times
	handshakes *hist.Histogram

	share // among senders

	mu     sync.Mutex
	parked []*connSender // senders that wait for the next stretch of load
	closed bool
	others map[string]*Pool // by origin: where redirects lead

	rejected rejections

	// Of a pool for redirects, which is opened when it is first needed.
	late   bool
	lateMu sync.Mutex // guards isOpen, and the address until then
	isOpen bool
}

// New returns a pool without connections.
func New(cfg Options) *Pool {
	p := &Pool{Options: cfg, dials: make(chan struct{}, maxDials), connecting: record.NewTimes(), handshakes: record.NewTimes()}
	if cfg.Dialer.Connect == nil {
		p.Dialer.Took = p.took
	}
	p.life, p.end = context.WithCancel(context.Background())
	if to, err := netip.ParseAddrPort(cfg.Dialer.Addr); err == nil {
		p.addrs = newAddresses(to.Addr().String(), strconv.Itoa(int(to.Port())), []netip.Addr{to.Addr()}, false)
	}
	return p
}

// Open checks that the target can be reached before anything is sent: it looks the
// host up and opens a first connection, including the TLS handshake.
func (p *Pool) Open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	ips, err := resolve(ctx, p.Request.Host())
	if err != nil {
		return err
	}
	p.addrs = newAddresses(p.Request.Host(), p.Request.Port(), ips, p.First)
	c, to, errs := p.openAny(ctx)
	if c == nil {
		return fmt.Errorf("connecting to %s: %w", p.where(), errors.Join(errs...))
	}
	p.addrs.settle(to)
	p.first.Store(c)
	return nil
}

// where is the host and port of the target, for messages.
func (p *Pool) where() string { return net.JoinHostPort(p.Request.Host(), p.Request.Port()) }

// mayRepeat reports whether a request that was not processed may be sent again.
func (p *Pool) mayRepeat(q *http1.Request) bool { return !p.NoRetry && q.Idempotent() }

// dial opens a connection for a request, within ctx.
func (p *Pool) dial(ctx context.Context) (*http1.Conn, error) {
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p.dialNow(ctx)
}

func (p *Pool) dialNow(ctx context.Context) (*http1.Conn, error) {
	if c := p.first.Swap(nil); c != nil && c.Idle() {
		return c, nil
	} else if c != nil {
		c.Close()
	}
	select {
	case p.dials <- struct{}{}:
	case <-ctx.Done():
		return nil, &record.Error{Kind: record.ConnectTimeout, Err: fmt.Errorf("waiting to connect to %s: %w", p.where(), ctx.Err())}
	}
	defer func() { <-p.dials }()
	c, _, errs := p.openAny(ctx)
	if c == nil {
		return nil, errs[len(errs)-1]
	}
	return c, nil
}

// Opened returns how many connections were opened.
func (p *Pool) Opened() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.opened.Load()
	for _, o := range p.others {
		n += o.opened.Load()
	}
	return n
}

// Stray returns how many octets arrived on connections on which no request was in
// flight.
func (p *Pool) Stray() int64 { return p.stray.Load() }

// Addresses returns the addresses of the target, with the connections to each; nil
// if they are not what connections are opened to.
func (p *Pool) Addresses() []record.Address {
	if p.addrs == nil || p.Dialer.Connect != nil {
		return nil
	}
	return p.addrs.records()
}

// Loopback reports whether the target is on this machine.
func (p *Pool) Loopback() bool { return p.addrs != nil && p.addrs.isLoopback() }

// Reached returns the addresses that new connections are opened to, once Open has
// opened the first.
func (p *Pool) Reached() []netip.AddrPort { return p.addrs.reached() }

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
	p.end()
	if c := p.first.Swap(nil); c != nil {
		c.Close()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, s := range p.parked {
		s.dropAll()
	}
	p.parked = nil
	p.closeShare()
	for _, o := range p.others {
		o.Close()
	}
}
