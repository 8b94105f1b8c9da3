package wire

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
)

const (
	// restFor is how long an address is left out after a connection to it could
	// not be opened. Then one connection tries whether it is back.
	restFor = 5 * time.Second
	// lookEvery is the least time between two lookups of a name.
	lookEvery = time.Second
)

// An address is one of the target's.
type address struct {
	netip.AddrPort
	text string // ip:port

	// Guarded by addresses.mu.
	opened, failed int64     // connections to it
	until          time.Time // it is left out until then; zero if the last connection could be opened
	unroutable     bool      // this machine had no route to it
	gone           bool      // it gets no new connections: the name no longer has it, or another is used alone
}

// addresses are those of the target's host, over which new connections are spread
// in turn. Safe for concurrent use.
type addresses struct {
	host   string // "" if there is no name to look up
	port   string
	single bool // only one is used
	lookup func(context.Context, string) ([]netip.Addr, error)

	mu      sync.Mutex
	all     []*address
	next    int       // of all, whose turn it is
	looked  time.Time // when the host was last looked up
	looking bool
}

// newAddresses returns the addresses of a host, in the order of [interleave].
func newAddresses(host, port string, ips []netip.Addr, single bool) *addresses {
	a := &addresses{port: port, single: single, lookup: resolve, looked: time.Now()}
	if _, err := netip.ParseAddr(host); err != nil {
		a.host = host
	}
	for _, ip := range interleave(ips) {
		a.add(ip)
	}
	return a
}

// add adds an address at the end.
func (a *addresses) add(ip netip.Addr) *address {
	port, _ := strconv.ParseUint(a.port, 10, 16) // of a URL that has been checked
	to := netip.AddrPortFrom(ip, uint16(port))
	x := &address{AddrPort: to, text: to.String()}
	a.all = append(a.all, x)
	return x
}

// interleave returns addresses in the order in which to try them: of both families
// in turn, IPv6 first, so that a family that does not work costs one attempt (RFC
// 8305 section 4).
func interleave(ips []netip.Addr) (all []netip.Addr) {
	var of [2][]netip.Addr
	for _, ip := range ips {
		family := 0
		if ip = ip.Unmap(); ip.Is4() {
			family = 1
		}
		of[family] = append(of[family], ip)
	}
	for i := range max(len(of[0]), len(of[1])) {
		for _, some := range of {
			if i < len(some) {
				all = append(all, some[i])
			}
		}
	}
	return all
}

// pick returns the address for a new connection, among those that were not tried:
// the next in turn, or else the one that is left out for the shortest time; nil if
// there is none.
func (a *addresses) pick(tried []*address) *address {
	a.mu.Lock()
	defer a.mu.Unlock()
	var resting *address
	for k := range a.all {
		i := (a.next + k) % len(a.all)
		x := a.all[i]
		switch {
		case x.gone || slices.Contains(tried, x):
		case x.until.IsZero() || !time.Now().Before(x.until):
			a.next = i + 1
			if !x.until.IsZero() {
				x.until = time.Now().Add(restFor) // one connection is enough to try it
			}
			return x
		case resting == nil || x.until.Before(resting.until):
			resting = x
		}
	}
	return resting
}

// untried returns how many addresses pick may still return.
func (a *addresses) untried(tried []*address) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.all {
		if !x.gone && !slices.Contains(tried, x) {
			n++
		}
	}
	return n
}

// connected counts a connection to x.
func (a *addresses) connected(x *address) {
	a.mu.Lock()
	defer a.mu.Unlock()
	x.opened++
	x.until = time.Time{}
}

// refused leaves x out for a while, since a connection to it could not be opened
// because of err, and has the host looked up again. ctx ends that.
func (a *addresses) refused(ctx context.Context, x *address, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	x.failed++
	x.unroutable = errors.Is(err, syscall.ENETUNREACH)
	x.until = now.Add(restFor)
	if a.host == "" || a.looking || now.Sub(a.looked) < lookEvery {
		return
	}
	a.looking = true
	go a.lookUp(ctx)
}

// lookUp looks the host up again.
func (a *addresses) lookUp(ctx context.Context) {
	ips, err := a.lookup(ctx, a.host)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looking, a.looked = false, time.Now()
	if err == nil {
		a.update(interleave(ips))
	}
}

// update makes ips the addresses for new connections. mu must be held.
func (a *addresses) update(ips []netip.Addr) {
	used := a.used()
	for _, x := range a.all {
		x.gone = true
	}
	if a.single && used != nil && slices.Contains(ips, used.Addr()) {
		used.gone = false
		return
	}
	for _, ip := range ips {
		i := slices.IndexFunc(a.all, func(x *address) bool { return x.Addr() == ip })
		if i < 0 {
			a.add(ip)
		} else {
			a.all[i].gone = false
		}
		if a.single {
			return
		}
	}
}

// used returns the first address for new connections; nil if there is none. mu must
// be held.
func (a *addresses) used() *address {
	if i := slices.IndexFunc(a.all, func(x *address) bool { return !x.gone }); i >= 0 {
		return a.all[i]
	}
	return nil
}

// settle is called when the first connection, to x, has been opened. It
// forgets the addresses that could not be meant: those of localhost on
// which nothing listens, and those of a family for which this machine has no route.
func (a *addresses) settle(x *address) {
	a.mu.Lock()
	defer a.mu.Unlock()
	unroutable := func(y *address) bool {
		return slices.ContainsFunc(a.all, func(z *address) bool { return z.unroutable && z.Addr().Is4() == y.Addr().Is4() })
	}
	var kept []*address
	for _, y := range a.all {
		if y == x || !unroutable(y) && !(y.failed > 0 && isLocalhost(a.host)) {
			y.gone = a.single && y != x
			kept = append(kept, y)
		}
	}
	a.all, a.next = kept, slices.Index(kept, x)+1
}

func isLocalhost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// records returns the addresses with what was opened to each, in their order as
// numbers.
func (a *addresses) records() []record.Address {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []record.Address
	for _, x := range a.all {
		all = append(all, record.Address{Address: x.Addr().String(), Connections: x.opened, Failed: x.failed})
	}
	slices.SortFunc(all, func(a, b record.Address) int { return cmp.Compare(a.Address, b.Address) })
	return all
}

// reached returns those that get new connections.
func (a *addresses) reached() (all []netip.AddrPort) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.all {
		if !x.gone {
			all = append(all, x.AddrPort)
		}
	}
	return all
}

// isLoopback reports whether all addresses are this machine's own.
func (a *addresses) isLoopback() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all) > 0 && !slices.ContainsFunc(a.all, func(x *address) bool { return !x.Addr().IsLoopback() })
}

// loopback is what localhost stands for.
var loopback = []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}

// resolve returns the addresses of a host. Names of localhost that cannot be looked up,
// as in an image without a hosts file, are loopback (RFC 6761 section 6.3).
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	switch {
	case err != nil && isLocalhost(host):
		return loopback, nil
	case err != nil:
		return nil, &record.Error{Kind: record.Resolve, Err: fmt.Errorf("looking up %q: %w", host, err)}
	}
	return ips, nil
}
