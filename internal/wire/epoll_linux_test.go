package wire

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
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

// poolTo is a pool of connections to addr.
func poolTo(t *testing.T, addr string) *Pool {
	t.Helper()
	request, err := http1.NewRequest(http1.Spec{URL: "http://" + addr, Run: "test"})
	require.NoError(t, err)
	return New(Config{Request: request, Dialer: http1.Dialer{Addr: addr}, Timeout: time.Second})
}

// raw is a server that behaves as the function says.
func raw(t testing.TB, behave func(n int64, c *target.RawConn)) *targettest.Raw {
	s, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Behave: behave})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// closedPort is an address that nothing listens on.
const closedPort = "127.0.0.1:1"

// mux makes an event loop for one place that sends to addr.
func mux(t *testing.T, addr string) load.Mux {
	m, err := poolTo(t, addr).NewMux(1, 1, false)
	require.NoError(t, err)
	require.NotNil(t, m)
	return m
}

func TestWaitReturnsOnceItHasTold(t *testing.T) {
	m := mux(t, "255.255.255.255:80") // refused by the kernel at once
	defer m.Close()
	m.Start(0, 0, 0)
	told := 0
	began := time.Now()
	expired := m.Wait(5*time.Second, func(place int, r *record.Result) {
		told++
		assert.Equal(t, record.Connect, r.Kind)
		assert.Positive(t, r.Pause)
	})
	assert.Equal(t, 1, told)
	assert.False(t, expired)
	assert.Less(t, time.Since(began), 4*time.Second, "the caller must look after the pause")
}

// Dials that fail or are given up make room for others: else an outage would
// use the room up for good.
func TestFailedDialsMakeRoom(t *testing.T) {
	check := func(addr string, giveUp bool, kind record.Kind) {
		t.Helper()
		m := mux(t, addr).(*epollMux)
		defer m.Close()
		for n := range int64(3) {
			told := false
			done := func(_ int, r *record.Result) { told = true; assert.Equal(t, kind.String(), r.Kind.String()) }
			m.Start(0, n, 0)
			if giveUp {
				assert.Equal(t, 1, m.dialing)
				m.Expire(0)
			}
			for !told {
				m.Wait(time.Minute, done)
			}
			assert.Zero(t, m.dialing)
		}
	}
	check(closedPort, false, record.ConnectRefused)

	full := targettest.FullServer(t)
	c, err := net.Dial("tcp", full) // the only place there is
	require.NoError(t, err)
	defer c.Close()
	check(full, true, record.ConnectTimeout)
}

// A connection that cannot be watched fails its request at once: its response
// would never be seen.
func TestConnectionThatCannotBeWatched(t *testing.T) {
	for _, addr := range []string{raw(t, nil).Addr, targettest.FullServer(t)} { // connected at once, and not
		m := mux(t, addr).(*epollMux)
		fd := m.fd
		m.fd = -1
		m.Start(0, 0, 0)
		m.fd = fd
		told := 0
		m.Wait(0, func(_ int, r *record.Result) {
			told++
			assert.Equal(t, record.Connect, r.Kind)
			assert.ErrorContains(t, r.Err, "epoll_ctl")
		})
		assert.Equal(t, 1, told)
		assert.Zero(t, m.dialing)
		m.Close()
	}
}

// Requests that are given up together while they wait to connect are never
// dialed for: that would be a burst of connections at a server that has no room.
func TestGivingUpOpensNothing(t *testing.T) {
	full := targettest.FullServer(t)
	c, err := net.Dial("tcp", full) // the only place there is
	require.NoError(t, err)
	defer c.Close()
	const permits = 3 * dialsAtOnce
	plain, err := poolTo(t, full).NewMux(permits, 1, false)
	require.NoError(t, err)
	m := plain.(*epollMux)
	defer m.Close()
	for i := range permits {
		m.Start(i, int64(i), 0)
	}
	assert.Equal(t, dialsAtOnce, m.dialing)
	for i := range permits {
		m.Expire(i)
	}
	told := 0
	m.Wait(0, func(_ int, r *record.Result) { told++; assert.Equal(t, record.ConnectTimeout, r.Kind) })
	assert.Equal(t, permits, told)
	assert.Zero(t, m.dialing)
	for i := range m.places {
		assert.Equal(t, i < dialsAtOnce, m.places[i].fd > 0, "place %d", i)
	}
}

// However many connections have ended between two stretches, the second uses
// none of them.
func TestConnectionsThatEndedBetweenStretches(t *testing.T) {
	const permits = 2*eventsAtOnce + 10
	conns := make(chan net.Conn, permits)
	var arrived sync.WaitGroup
	arrived.Add(permits)
	s := raw(t, func(n int64, c *target.RawConn) {
		if n < permits { // each permit needs a connection of its own
			conns <- c.Conn
			arrived.Done()
			arrived.Wait()
		}
		c.Answer(200)
	})
	w := poolTo(t, s.Addr)
	w.Timeout = time.Minute
	plain, err := w.NewMux(permits, 1, false)
	require.NoError(t, err)
	m := plain.(*epollMux)
	defer m.Close()
	stretch := func() {
		t.Helper()
		o := load.New(load.Config{
			Requests: permits, Concurrency: permits, Timeout: time.Minute, Grace: time.Minute, Muxes: []load.Mux{m},
		}).Run(t.Context(), t.Context())
		assert.Equal(t, int64(permits), o.Succeeded, "%v", o.Failures)
	}
	stretch()
	var served []net.Conn
	for range permits {
		served = append(served, <-conns)
	}
	for _, c := range slices.Backward(served) { // the first to be used are the last to be seen
		c.Close()
	}
	for i := range m.places {
		require.Eventually(t, func() bool {
			n, _, err := unix.Recvfrom(m.places[i].fd, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
			return n == 0 && err == nil
		}, time.Minute, time.Millisecond)
	}
	stretch()
}

// A context may end just when the run does: the alarm's descriptor may then
// belong to somebody else.
func TestWakeAfterCloseTouchesNothing(t *testing.T) {
	m := mux(t, closedPort).(*epollMux)
	m.Wake()
	assert.False(t, m.Wait(5*time.Second, nil), "woken")
	m.Close()
	assert.Equal(t, -1, m.wakeFD)
	m.Wake()
}

// An exchange that has ended and has not been told of cannot time out as well:
// it would be told of twice, and counted twice.
func TestAnExchangeEndsOnce(t *testing.T) {
	m := mux(t, "255.255.255.255:80") // refused by the kernel at once
	defer m.Close()
	m.Start(0, 0, 0)
	m.Expire(0)
	told := 0
	m.Wait(0, func(_ int, r *record.Result) { told++; assert.Equal(t, record.Connect, r.Kind) })
	m.Wait(0, func(int, *record.Result) { told++ })
	assert.Equal(t, 1, told)
}

// Where one port is left to connect from, and nobody listens there, a socket is
// connected to itself: that is a refusal, and leaves the port to the target. In
// a network of its own.
func TestConnectionToItself(t *testing.T) {
	if os.Getenv("TO_ITSELF") == "" {
		const onePort = "ip link set lo up && echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range"
		if out, err := exec.Command("unshare", "-n", "sh", "-c", onePort).CombinedOutput(); err != nil {
			t.Skipf("no network namespace to be had here: %v %s", err, out)
		}
		cmd := exec.Command("unshare", "-n", "sh", "-c", onePort+` && exec "$0" -test.run='^TestConnectionToItself$' -test.count=1`, os.Args[0])
		cmd.Env = append(os.Environ(), "TO_ITSELF=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	for _, addr := range []string{"127.0.0.1:40000", "0.0.0.0:40000"} {
		m := mux(t, addr)
		exchange := func(want record.Kind) {
			m.Start(0, 0, 0)
			for told := false; !told; {
				m.Wait(time.Minute, func(_ int, r *record.Result) {
					told = true
					assert.Equal(t, want.String(), r.Kind.String(), addr)
					assert.Zero(t, r.Octets.Sent)
				})
			}
		}
		l, err := net.Listen("tcp", "127.0.0.1:40000")
		require.NoError(t, err)
		exchange(record.NoPorts) // the target has the only one
		require.NoError(t, l.Close())
		exchange(record.ConnectRefused)
		m.Close()
		l, err = net.Listen("tcp", "127.0.0.1:40000")
		require.NoError(t, err, "the target comes up again")
		require.NoError(t, l.Close())
	}
}

// What loops share is divided among them.
func TestLoopsShare(t *testing.T) {
	m, err := poolTo(t, closedPort).NewMux(100, 3, false)
	require.NoError(t, err)
	defer m.Close()
	assert.Len(t, m.(*epollMux).places, 34)
	assert.Equal(t, dialsAtOnce/3, m.(*epollMux).dialsAtOnce)
}

func TestLoops(t *testing.T) {
	check := func(permits int, addr string, processors, want int, why string) {
		t.Helper()
		p := New(Config{Dialer: http1.Dialer{Addr: addr}})
		assert.Equal(t, want, p.Loops(permits, processors), why)
	}
	const here, elsewhere = "127.0.0.1:80", "192.0.2.1:80"
	check(1000, elsewhere, 8, 8, "one for each processor")
	check(1000, here, 8, 4, "a target on this machine needs some too")
	check(1000, here, 1, 1, "one at least")
	check(100, elsewhere, 8, 3, "with too few permits loops idle")
	check(1, elsewhere, 8, 1, "one at least")
	check(10_000, elsewhere, 128, loopsMost, "memory is bounded")
}
