package wire

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// onAddresses starts a server on the same port of some addresses, and returns a pool
// of connections to all of these and more.
func onAddresses(t *testing.T, served []string, more ...string) *Pool {
	first := raw(t, nil)
	to := netip.MustParseAddrPort(first.Addr)
	for _, ip := range served {
		s, err := targettest.ListenRaw(fmt.Sprintf("%s:%d", ip, to.Port()), target.RawOptions{})
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
	}
	p := poolTo(t, first.Addr)
	p.Timeout = time.Minute
	p.addrs = newAddresses("pool.test", fmt.Sprint(to.Port()), append(ips("127.0.0.1"), ips(append(served, more...)...)...), false)
	t.Cleanup(p.Close)
	return p
}

// sendBoth makes requests with 6 permits, by an event loop and by goroutines.
func sendBoth(t *testing.T, check func(t *testing.T, send func(*Pool) *record.Record)) {
	const requests = 60
	w := load.Workload{Requests: requests, Concurrency: 6, Grace: time.Minute}
	t.Run("event loop", func(t *testing.T) {
		check(t, func(p *Pool) *record.Record {
			m, err := p.NewMux(w.Concurrency, 1, false)
			require.NoError(t, err)
			defer m.Close()
			w.Muxes, w.Timeout = []load.Mux{m}, p.Timeout
			return load.New(w).Run(t.Context(), t.Context())
		})
	})
	t.Run("goroutines", func(t *testing.T) {
		check(t, func(p *Pool) *record.Record {
			w.Muxes, w.NewSender, w.Timeout = nil, p.NewSender, p.Timeout
			return load.New(w).Run(t.Context(), t.Context())
		})
	})
}

// noKeepAlive returns p's request, with a connection of its own for each.
func noKeepAlive(t *testing.T, p *Pool) *http1.Request {
	r, err := http1.NewRequest(http1.Spec{URL: p.Request.URL(), Run: "test", NoKeepAlive: true})
	require.NoError(t, err)
	return r
}

func TestConnectionsAreSpread(t *testing.T) {
	sendBoth(t, func(t *testing.T, send func(*Pool) *record.Record) {
		p := onAddresses(t, []string{"127.0.0.2", "127.0.0.3"})
		p.Request = noKeepAlive(t, p)
		assert.Equal(t, int64(60), send(p).Succeeded)
		for _, a := range p.Addresses() {
			assert.Equal(t, int64(20), a.Connections, a.Address)
		}
		assert.True(t, p.Loopback())
		connecting, handshakes := p.Times()
		assert.Equal(t, int64(60), connecting.Count())
		assert.Zero(t, handshakes.Count())
	})
}

// An address that refuses costs no request: the next takes its place.
func TestAddressThatRefuses(t *testing.T) {
	sendBoth(t, func(t *testing.T, send func(*Pool) *record.Record) {
		p := onAddresses(t, []string{"127.0.0.2"}, "127.0.0.3")
		p.Request = noKeepAlive(t, p)
		r := send(p)
		assert.Equal(t, int64(60), r.Succeeded, "%v", r.Samples)
		of := p.Addresses()
		assert.Equal(t, int64(60), of[0].Connections+of[1].Connections)
		assert.Zero(t, of[2].Connections)
		assert.Positive(t, of[2].Failed)
		assert.LessOrEqual(t, of[2].Failed, int64(6), "those that were opened before it was known")
	})
}

// An address that does not answer has its share of the time, and the next the rest.
func TestAddressThatIsSilent(t *testing.T) {
	t.Parallel()
	sendBoth(t, func(t *testing.T, send func(*Pool) *record.Record) {
		p := onAddresses(t, nil, "127.0.0.3")
		fillQueue(t, p.addrs.all[1].AddrPort)
		p.Timeout = 2 * time.Second
		p.Request = noKeepAlive(t, p) // or the request gets another's connection, without a delay
		p.addrs.next = 1              // or one permit may send all before another connects
		r := send(p)
		assert.Equal(t, int64(60), r.Succeeded, "%v", r.Samples)
		assert.GreaterOrEqual(t, r.Response.Max(), int64(p.Timeout/2), "its time is the request's")
		assert.Positive(t, p.Addresses()[1].Failed)
	})
}

func TestNoAddressAnswers(t *testing.T) {
	sendBoth(t, func(t *testing.T, send func(*Pool) *record.Record) {
		p := poolTo(t, closedPort)
		p.addrs = newAddresses("pool.test", "1", ips("127.0.0.1", "127.0.0.2"), false)
		p.Timeout = time.Minute
		r := send(p)
		assert.Equal(t, int64(60), r.Kinds[record.ConnectRefused], "%v", r.Samples)
		of := p.Addresses()
		assert.Equal(t, int64(60), of[0].Failed, "each request has tried both")
		assert.Equal(t, int64(60), of[1].Failed)
	})
}

// fillQueue makes an address accept no connection: it listens with a queue of one,
// which it fills.
func fillQueue(t *testing.T, at netip.AddrPort) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}))
	require.NoError(t, unix.Listen(fd, 0))
	c, err := net.Dial("tcp", at.String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
}
