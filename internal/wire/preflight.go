package wire

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

// Open finds out whether the target can be reached, before anything is sent: it
// looks its host up and opens a first connection, with its TLS handshake.
func (w *Pool) Open(ctx context.Context) error {
	deadline := time.Now().Add(w.Timeout)
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	addrs, err := resolve(ctx, w.Request.Host())
	if err != nil {
		return err
	}
	var errs []error
	for i, a := range addrs {
		w.Dialer.Addr = net.JoinHostPort(a, w.Request.Port())
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
	return fmt.Errorf("connecting to %s: %w", net.JoinHostPort(w.Request.Host(), w.Request.Port()), errors.Join(errs...))
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

// CheckFiles compares the file descriptors that the connections may need with
// the limit of the process. permits is how many may be open at once, and
// bothEnds says that the target is in this process too.
func CheckFiles(permits int, bothEnds bool) error {
	need := int64(permits)
	if bothEnds {
		need *= 2
	}
	need += fdsBesides
	limit, ok := fileLimit()
	if !ok || need <= limit {
		return nil
	}
	return fmt.Errorf("concurrency %d needs %d file descriptors and this process may open %d: raise the limit (ulimit -n %d) or lower the concurrency",
		permits, need, limit, need)
}
