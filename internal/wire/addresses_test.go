package wire

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

func ips(all ...string) (parsed []netip.Addr) {
	for _, s := range all {
		parsed = append(parsed, netip.MustParseAddr(s))
	}
	return parsed
}

// picked returns the addresses that the next n connections go to.
func picked(a *addresses, n int) (all []string) {
	for range n {
		all = append(all, a.pick(nil).Addr().String())
	}
	return all
}

func TestInterleave(t *testing.T) {
	check := func(want []netip.Addr, given ...string) {
		t.Helper()
		assert.Equal(t, want, interleave(ips(given...)))
	}
	check(ips("::1", "1.1.1.1", "::2", "1.1.1.2", "1.1.1.3"), "1.1.1.1", "1.1.1.2", "1.1.1.3", "::1", "::2")
	check(ips("::1", "::2"), "::1", "::2")
	check(ips("1.1.1.1"), "::ffff:1.1.1.1")
}

func TestAddressesTakeTurns(t *testing.T) {
	a := newAddresses("pool.test", "80", ips("10.0.0.1", "10.0.0.2", "10.0.0.3"), false)
	assert.Equal(t, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1"}, picked(a, 4))
	tried := []*address{a.all[1]}
	assert.Equal(t, "10.0.0.3", a.pick(tried).Addr().String())
	assert.Equal(t, 2, a.untried(tried))
	assert.Nil(t, a.pick(a.all))
}

// An address that failed is left out, until one connection may try it again.
func TestAddressThatFailedRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAddresses("10.0.0.1", "80", ips("10.0.0.1", "10.0.0.2", "10.0.0.3"), false)
		dead := a.all[1]
		a.refused(t.Context(), dead, syscall.ECONNREFUSED)
		assert.Equal(t, []string{"10.0.0.1", "10.0.0.3", "10.0.0.1", "10.0.0.3"}, picked(a, 4))
		time.Sleep(restFor)
		assert.Equal(t, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.1", "10.0.0.3"}, picked(a, 5), "one tries it")
		a.connected(dead)
		assert.Equal(t, []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"}, picked(a, 3), "it is back")
		assert.Equal(t, []record.Address{{Address: "10.0.0.1"}, {Address: "10.0.0.2", Connections: 1, Failed: 1}, {Address: "10.0.0.3"}}, a.records())
		for _, x := range a.all {
			a.refused(t.Context(), x, os.ErrDeadlineExceeded)
			time.Sleep(time.Millisecond)
		}
		assert.Equal(t, "10.0.0.1", a.pick(nil).Addr().String(), "better than none")
	})
}

// A name is looked up again after a failure, at most once in a while.
func TestNameIsLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAddresses("pool.test", "80", ips("10.0.0.1", "10.0.0.2"), false)
		lookups := 0
		a.lookup = func(context.Context, string) ([]netip.Addr, error) {
			lookups++
			return ips("10.0.0.2", "10.0.0.3"), nil
		}
		fail := func() { a.refused(t.Context(), a.all[0], syscall.ECONNREFUSED); synctest.Wait() }
		fail()
		assert.Zero(t, lookups, "it has just been looked up")
		time.Sleep(lookEvery)
		fail()
		fail()
		assert.Equal(t, 1, lookups)
		assert.Equal(t, []string{"10.0.0.2", "10.0.0.3", "10.0.0.2"}, picked(a, 3), "the first is gone")
		assert.Equal(t, "10.0.0.1", a.records()[0].Address, "what was opened to it counts")

		time.Sleep(lookEvery)
		a.lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, context.DeadlineExceeded }
		fail()
		assert.Equal(t, []string{"10.0.0.3", "10.0.0.2"}, picked(a, 2), "the resolver is down")

		literal := newAddresses("10.0.0.1", "80", ips("10.0.0.1"), false)
		literal.lookup = func(context.Context, string) ([]netip.Addr, error) { t.Error("no name"); return nil, nil }
		time.Sleep(lookEvery)
		literal.refused(t.Context(), literal.all[0], syscall.ECONNREFUSED)
		synctest.Wait()
	})
}

func TestSingleAddress(t *testing.T) {
	a := newAddresses("pool.test", "80", ips("10.0.0.1", "10.0.0.2", "10.0.0.3"), true)
	a.refused(t.Context(), a.all[0], syscall.ECONNREFUSED)
	a.settle(a.all[1])
	assert.Equal(t, []string{"10.0.0.2", "10.0.0.2"}, picked(a, 2))
	assert.Len(t, a.records(), 3, "the others are known")
	a.update(ips("10.0.0.3", "10.0.0.2"))
	assert.Equal(t, []string{"10.0.0.2"}, picked(a, 1), "it stays as long as the name has it")
	a.update(ips("10.0.0.3", "10.0.0.1"))
	assert.Equal(t, []string{"10.0.0.3", "10.0.0.3"}, picked(a, 2))
}

// An address that could not be meant is not reported.
func TestAddressesThatCannotBeMeant(t *testing.T) {
	known := func(host string, err error) (all []string) {
		a := newAddresses(host, "80", ips("::1", "127.0.0.1", "2001:db8::1", "127.0.0.2"), false)
		a.refused(t.Context(), a.all[0], err)
		a.settle(a.all[1])
		for _, x := range a.records() {
			all = append(all, x.Address)
		}
		assert.NotEqual(t, "127.0.0.1", picked(a, 1)[0], "the turns go on after the first connection")
		return all
	}
	assert.Equal(t, []string{"127.0.0.1", "127.0.0.2", "2001:db8::1"}, known("localhost", syscall.ECONNREFUSED))
	assert.Equal(t, []string{"127.0.0.1", "127.0.0.2", "2001:db8::1", "::1"}, known("pool.test", syscall.ECONNREFUSED))
	assert.Equal(t, []string{"127.0.0.1", "127.0.0.2"}, known("pool.test", syscall.ENETUNREACH))
}

// Names of localhost are loopback where nothing can look them up.
func TestLocalhostWithoutHostsFile(t *testing.T) {
	defer func(r *net.Resolver) { net.DefaultResolver = r }(net.DefaultResolver)
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ECONNREFUSED }}
	for _, host := range []string{"shop.localhost", "Shop.LocalHost.", "a.b.localhost"} {
		got, err := resolve(t.Context(), host)
		assert.NoError(t, err, host)
		assert.Equal(t, ips("::1", "127.0.0.1"), got, host)
	}
	for _, host := range []string{"localhost.test", "notlocalhost", "shop.localhost.test"} {
		_, err := resolve(t.Context(), host)
		var e *record.Error
		if assert.ErrorAs(t, err, &e, host) {
			assert.Equal(t, record.Resolve, e.Kind, host)
		}
	}
}
