package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// fdsBesides is how many file descriptors the run needs besides one for
	// each permit: standard streams, the poller, the output file, /proc, some
	// to spare. Chosen.
	fdsBesides = 64
	// resolveMost bounds looking the host up. Chosen.
	resolveMost = 5 * time.Second
)

// preflight finds out whether the plan can work, before anything is sent: file
// descriptors, the resolver, one connection with its TLS handshake.
func (p *Plan) preflight(ctx context.Context, w *wire) error {
	if err := p.checkFiles(); err != nil {
		return err
	}
	deadline := time.Now().Add(p.opts.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	addrs, err := resolve(ctx, w.request.Host())
	if err != nil {
		return err
	}
	var errs []error
	for i, a := range addrs {
		w.dialer.Addr = net.JoinHostPort(a, w.request.Port())
		// An address that swallows everything leaves their share to the others.
		ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(len(addrs)-i))
		c, err := w.dial(ctx)
		cancel()
		if err == nil {
			w.first.Store(c)
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("connecting to %s: %w", net.JoinHostPort(w.request.Host(), w.request.Port()), errors.Join(errs...))
}

// resolve returns the addresses of a host in the order to try them.
func resolve(ctx context.Context, host string) ([]string, error) {
	if ip, _, _ := strings.Cut(host, "%"); net.ParseIP(ip) != nil {
		return []string{host}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveMost)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return nil, &record.Error{Kind: record.Resolve, Err: fmt.Errorf("looking up %q: %w", host, err)}
	}
	return addrs, nil
}

// checkFiles compares the file descriptors that the permits may need with the
// limit of the process.
func (p *Plan) checkFiles() error {
	if p.opts.inMemory() {
		return nil // its connections need none
	}
	permits := int64(p.opts.Concurrency)
	if p.schedule == nil && p.opts.Requests > 0 && p.opts.Warmup == 0 {
		permits = min(permits, p.opts.Requests)
	}
	if p.opts.Handler != nil {
		permits *= 2 // both ends are here
	}
	need := permits + fdsBesides
	limit, ok := fileLimit()
	if !ok || need <= limit {
		return nil
	}
	return fmt.Errorf("concurrency %d needs %d file descriptors and this process may open %d: raise the limit (ulimit -n %d) or lower the concurrency",
		p.opts.Concurrency, need, limit, need)
}
