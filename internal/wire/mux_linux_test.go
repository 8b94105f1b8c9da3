package wire

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
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

// closedPort is an address on which nothing listens.
const closedPort = "127.0.0.1:1"

// mux returns an event loop with one slot that sends to addr.
func mux(t *testing.T, addr string) load.Mux {
	m, err := poolTo(t, addr).NewMux(1, 1, false)
	require.NoError(t, err)
	require.NotNil(t, m)
	return m
}

func TestWaitReturnsAfterReporting(t *testing.T) {
	m := mux(t, "255.255.255.255:80") // refused by the kernel at once
	defer m.Close()
	m.Start(0, 0)
	reported := 0
	began := time.Now()
	expired := m.Wait(5*time.Second, func(slot int, r *record.Result) {
		reported++
		assert.Equal(t, record.Connect, r.Kind)
		assert.Positive(t, r.Pause)
	})
	assert.Equal(t, 1, reported)
	assert.False(t, expired)
	assert.Less(t, time.Since(began), 4*time.Second, "the caller has a pause to see to")
}

// Dials that fail or are given up make room for others, or an outage would use up
// the room for good.
func TestFailedDialsMakeRoom(t *testing.T) {
	check := func(addr string, giveUp bool, kind record.Kind) {
		t.Helper()
		m := mux(t, addr).(*epollMux)
		defer m.Close()
		for n := range int64(3) {
			reported := false
			done := func(_ int, r *record.Result) { reported = true; assert.Equal(t, kind.String(), r.Kind.String()) }
			m.Start(0, n)
			if giveUp {
				assert.Len(t, m.dials, 1)
				m.Expire(0)
			}
			for !reported {
				m.Wait(time.Minute, done)
			}
			assert.Empty(t, m.dials)
		}
	}
	check(closedPort, false, record.ConnectRefused)

	full := targettest.FullServer(t)
	c, err := net.Dial("tcp", full) // takes the only place in its queue
	require.NoError(t, err)
	defer c.Close()
	check(full, true, record.ConnectTimeout)
}

// If a connection cannot be watched, its request fails at once, because its
// response would never be seen.
func TestConnectionThatCannotBeWatched(t *testing.T) {
	for _, addr := range []string{raw(t, nil).Addr, targettest.FullServer(t)} { // one connects at once, one does not
		m := mux(t, addr).(*epollMux)
		fd := m.fd
		m.fd = -1
		m.Start(0, 0)
		m.fd = fd
		reported := 0
		m.Wait(0, func(_ int, r *record.Result) {
			reported++
			assert.Equal(t, record.Connect, r.Kind)
			assert.ErrorContains(t, r.Err, "epoll_ctl")
		})
		assert.Equal(t, 1, reported)
		assert.Empty(t, m.dials)
		m.Close()
	}
}

// No connections are opened for requests that are given up together while they
// wait for their turn: that would be a burst on a server that has no room.
func TestGivingUpOpensNothing(t *testing.T) {
	full := targettest.FullServer(t)
	c, err := net.Dial("tcp", full) // takes the only place in its queue
	require.NoError(t, err)
	defer c.Close()
	const permits = 3 * maxDials
	plain, err := poolTo(t, full).NewMux(permits, 1, false)
	require.NoError(t, err)
	m := plain.(*epollMux)
	defer m.Close()
	for i := range permits {
		m.Start(i, int64(i))
	}
	assert.Len(t, m.dials, maxDials)
	for i := range permits {
		m.Expire(i)
	}
	reported := 0
	m.Wait(0, func(_ int, r *record.Result) { reported++; assert.Equal(t, record.ConnectTimeout, r.Kind) })
	assert.Equal(t, permits, reported)
	assert.Empty(t, m.dials)
	assert.Empty(t, m.waiting)
	assert.Equal(t, maxDials, m.used, "connections that were ever opened")
}

// A stretch uses none of the connections that ended before it, however many they
// are.
func TestConnectionsThatEndedBetweenStretches(t *testing.T) {
	const permits = 2*maxEvents + 10
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
	p := poolTo(t, s.Addr)
	p.Timeout = time.Minute
	plain, err := p.NewMux(permits, 1, false)
	require.NoError(t, err)
	m := plain.(*epollMux)
	defer m.Close()
	stretch := func() {
		t.Helper()
		o := load.New(load.Workload{
			Requests: permits, Concurrency: permits, Timeout: time.Minute, Grace: time.Minute, Muxes: []load.Mux{m},
		}).Run(t.Context(), t.Context())
		assert.Equal(t, int64(permits), o.Succeeded, "%v", o.Failures)
	}
	stretch()
	var served []net.Conn
	for range permits {
		served = append(served, <-conns)
	}
	for _, c := range slices.Backward(served) { // in an order that has the first used seen last
		c.Close()
	}
	for i := range m.conns {
		require.Eventually(t, func() bool {
			n, _, err := unix.Recvfrom(m.conns[i].fd, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
			return n == 0 && err == nil
		}, time.Minute, time.Millisecond)
	}
	stretch()
}

// A context may end just as the run does, when the wake event's descriptor may
// already belong to another file.
func TestWakeAfterCloseTouchesNothing(t *testing.T) {
	m := mux(t, closedPort).(*epollMux)
	m.Wake()
	assert.False(t, m.Wait(5*time.Second, nil), "woken")
	m.Close()
	assert.Equal(t, -1, m.wakeFD)
	m.Wake()
}

// An exchange that has ended and is yet to be reported cannot time out as well: it
// would be reported and counted twice.
func TestAnExchangeEndsOnce(t *testing.T) {
	m := mux(t, "255.255.255.255:80") // refused by the kernel at once
	defer m.Close()
	m.Start(0, 0)
	m.Expire(0)
	reported := 0
	m.Wait(0, func(_ int, r *record.Result) { reported++; assert.Equal(t, record.Connect, r.Kind) })
	m.Wait(0, func(int, *record.Result) { reported++ })
	assert.Equal(t, 1, reported)
}

// If only one local port is left and nothing listens on it, a socket that connects
// to that port is connected to itself. That counts as refused, and leaves the port
// to the target. The test runs in a network namespace of its own.
func TestConnectionToItself(t *testing.T) {
	if os.Getenv("TO_ITSELF") == "" {
		const onePort = "ip link set lo up && echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range"
		if out, err := exec.Command("unshare", "-n", "sh", "-c", onePort).CombinedOutput(); err != nil {
			t.Skipf("no network namespace available: %v %s", err, out)
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
			m.Start(0, 0)
			for reported := false; !reported; {
				m.Wait(time.Minute, func(_ int, r *record.Result) {
					reported = true
					assert.Equal(t, want.String(), r.Kind.String(), addr)
					assert.Zero(t, r.Octets.Sent)
				})
			}
		}
		l, err := net.Listen("tcp", "127.0.0.1:40000")
		require.NoError(t, err)
		exchange(record.NoPorts) // the target has the only port
		require.NoError(t, l.Close())
		exchange(record.ConnectRefused)
		m.Close()
		l, err = net.Listen("tcp", "127.0.0.1:40000")
		require.NoError(t, err, "the target comes up again")
		require.NoError(t, l.Close())
	}
}

// Loops divide among them what they share.
func TestLoopsShare(t *testing.T) {
	m, err := poolTo(t, closedPort).NewMux(100, 3, false)
	require.NoError(t, err)
	defer m.Close()
	assert.Len(t, m.(*epollMux).slots, 34)
	assert.Equal(t, maxDials/3, m.(*epollMux).maxDials)
}

func TestLoops(t *testing.T) {
	check := func(permits int, addr string, processors, want int, why string) {
		t.Helper()
		p := New(Options{Dialer: http1.Dialer{Addr: addr}})
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

// muxTo returns an event loop with the given number of slots that sends to addr, and
// what its done function was called with, in order.
func muxTo(t *testing.T, addr string, slots int) (m *epollMux, wait func() record.Result) {
	t.Helper()
	plain, err := poolTo(t, addr).NewMux(slots, 1, false)
	require.NoError(t, err)
	m = plain.(*epollMux)
	t.Cleanup(m.Close)
	var reported []record.Result
	return m, func() record.Result {
		for len(reported) == 0 {
			m.Wait(time.Minute, func(_ int, r *record.Result) { reported = append(reported, *r) })
		}
		r := reported[0]
		reported = reported[1:]
		return r
	}
}

// A request that waits for a connection goes to the one that falls idle first, in the
// order of arrival. What is sent again waits for a new one, but no longer than others.
func TestRequestsGoToAConnectionThatFallsIdle(t *testing.T) {
	answer := make(chan int)
	s, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Log: 10, Behave: func(n int64, c *target.RawConn) {
		c.Answer(<-answer)
	}})
	require.NoError(t, err)
	defer s.Close()
	m, wait := muxTo(t, s.Addr, 4)
	m.Start(0, 0)
	m.maxDials = 0 // no others come into being
	m.Start(1, 1)
	m.Start(2, 2)
	m.Start(3, 3)
	m.slots[2].result.SentAgain = true
	assert.Equal(t, []int{1, 2, 3}, m.waiting)
	for _, status := range []int{201, 202, 203} {
		answer <- status
		assert.Equal(t, status, wait().Status)
	}
	assert.Equal(t, []int{2}, m.waiting)
	assert.Len(t, m.idle, 1)
	m.maxDials = 1
	m.Start(0, 4) // on the idle one
	answer <- 204
	assert.Equal(t, 204, wait().Status)
	answer <- 205
	assert.Equal(t, 205, wait().Status)
	assert.Equal(t, int64(2), m.opened.Load())
	var ids []string
	for _, a := range s.Arrivals() {
		ids = append(ids, a.ID[len(a.ID)-1:])
	}
	assert.Equal(t, []string{"0", "1", "3"}, ids[:3])
}

// A connection that is still being opened when its request has gone elsewhere is there
// for the next, and is given up with it. No more are open than there are slots.
func TestADialOutlivesItsRequest(t *testing.T) {
	addr, accept := listenFull(t)
	m, wait := muxTo(t, addr, 2)
	m.Start(0, 0)
	served := accept()
	fill, err := net.Dial("tcp", addr) // takes the only place in the queue
	require.NoError(t, err)
	defer fill.Close()
	m.Start(1, 1)
	require.Len(t, m.dials, 1)
	for n := range 2 {
		served(200)
		r := wait()
		require.NoError(t, r.Err)
		assert.Equal(t, n == 0, r.Disconnected, "the other request has the connection now")
	}
	assert.Empty(t, m.waiting)
	m.Start(0, 2) // on the one that is idle
	m.Start(1, 3)
	assert.Equal(t, []int{1}, m.waiting)
	assert.Len(t, m.dials, 1, "no second one")
	m.Expire(1)
	assert.Equal(t, record.ConnectTimeout.String(), wait().Kind.String())
	assert.Empty(t, m.dials)
	served(200)
	require.NoError(t, wait().Err)
	assert.LessOrEqual(t, m.used, 2)
}

// listenFull listens with a queue for one connection. accept accepts a connection and
// returns a function that reads one request on it and answers.
func listenFull(t *testing.T) (addr string, accept func() (serve func(status int))) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 0))
	f := os.NewFile(uintptr(fd), "listener")
	l, err := net.FileListener(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() func(int) {
		c, err := l.Accept()
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		requests := bufio.NewReader(c)
		return func(status int) {
			_, err := http.ReadRequest(requests)
			require.NoError(t, err)
			fmt.Fprintf(c, "HTTP/1.1 %d OK\r\nContent-Length: 0\r\n\r\n", status)
		}
	}
}

// The server has closed a connection, and the loop does not know yet: the write fails.
func TestARequestIsWrittenToAClosedConnection(t *testing.T) {
	s := raw(t, func(n int64, c *target.RawConn) {
		c.Answer(200)
		if n == 0 {
			reset(c)
		}
	})
	m, wait := muxTo(t, s.Addr, 1)
	m.Start(0, 0)
	require.NoError(t, wait().Err)
	require.Eventually(t, func() bool {
		_, _, err := unix.Recvfrom(m.conns[0].fd, make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return err == unix.ECONNRESET
	}, time.Minute, time.Millisecond)
	m.Start(0, 1)
	r := wait()
	assert.NoError(t, r.Err)
	assert.True(t, r.SentAgain)
}

// Of the connections that were opened ahead the first is used first, because a server
// that serves one at a time accepts that one first.
func TestConnectionsAheadAreUsedInOrder(t *testing.T) {
	s := raw(t, nil)
	m, wait := muxTo(t, s.Addr, 3)
	m.Connect(t.Context(), 3)
	require.Len(t, m.unproven, 3)
	first := m.unproven[0]
	m.Start(2, 0)
	assert.Same(t, first, m.slots[2].conn)
	require.NoError(t, wait().Err)
	m.Start(1, 1)
	assert.Same(t, first, m.slots[1].conn, "which has been answered on")
	require.NoError(t, wait().Err)

	first.idleLimit = 10 * time.Second
	m.now += 9 * time.Second
	m.base = m.base.Add(-9 * time.Second)
	m.Start(1, 2)
	assert.Same(t, first, m.slots[1].conn)
	require.NoError(t, wait().Err)
	first.idleLimit = 10 * time.Second
	m.now += 10 * time.Second
	m.base = m.base.Add(-10 * time.Second)
	m.Start(1, 3)
	assert.NotSame(t, first, m.slots[1].conn, "the server is about to close it")
	require.NoError(t, wait().Err)

	m.drop(m.idle[0]) // as if the server had closed it
	m.Connect(t.Context(), 3)
	assert.Len(t, slices.Concat(m.idle, m.unproven), 3)
	assert.LessOrEqual(t, m.used, 3)
}

// A server that says that it closes the connection gets the next request on another.
func TestLoopHonoursKeepAlive(t *testing.T) {
	check := func(field string, opened int64) {
		t.Helper()
		s := raw(t, func(_ int64, c *target.RawConn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n"+field+"\r\nContent-Length: 0\r\n\r\n")
		})
		p := poolTo(t, s.Addr)
		p.Timeout = time.Minute
		m, err := p.NewMux(1, 1, false)
		require.NoError(t, err)
		defer m.Close()
		o := load.New(load.Workload{
			Requests: 3, Concurrency: 1, Timeout: time.Minute, Grace: time.Minute, Muxes: []load.Mux{m},
		}).Run(t.Context(), t.Context())
		assert.Equal(t, int64(3), o.Succeeded, "%v", o.Failures)
		assert.Zero(t, o.SentAgain)
		assert.Equal(t, opened, p.Opened(), field)
	}
	check("Keep-Alive: timeout=5", 1)
	check("Keep-Alive: timeout=5, max=0", 3)
	check("Keep-Alive: timeout=0", 3)
}
