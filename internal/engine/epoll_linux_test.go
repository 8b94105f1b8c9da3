package engine

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
)

// wireTo is a target at addr.
func wireTo(t *testing.T, addr string) *wire {
	t.Helper()
	request, err := http1.NewRequest(http1.Spec{URL: "http://" + addr, Run: "test"})
	require.NoError(t, err)
	return &wire{request: request, dialer: http1.Dialer{Addr: addr}, timeout: time.Second, dials: make(chan struct{}, dialsAtOnce)}
}

// mux makes an event loop for one place that sends to addr.
func mux(t *testing.T, addr string) load.Mux {
	m, err := wireTo(t, addr).newMux(1, 1, false)
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
	expired := m.Wait(5*time.Second, func(place int, r *load.Result) {
		told++
		assert.Equal(t, http1.Connect, r.Kind)
		assert.Positive(t, r.Pause)
	})
	assert.Equal(t, 1, told)
	assert.False(t, expired)
	assert.Less(t, time.Since(began), 4*time.Second, "the caller must look after the pause")
}

// Dials that fail or are given up make room for others: else an outage would
// use the room up for good.
func TestFailedDialsMakeRoom(t *testing.T) {
	check := func(addr string, giveUp bool, kind http1.Kind) {
		t.Helper()
		m := mux(t, addr).(*epollMux)
		defer m.Close()
		for n := range int64(3) {
			told := false
			done := func(_ int, r *load.Result) { told = true; assert.Equal(t, kind.String(), r.Kind.String()) }
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
	check(closedPort(t), false, http1.ConnectRefused)

	full := fullServer(t)
	c, err := net.Dial("tcp", full) // the only place there is
	require.NoError(t, err)
	defer c.Close()
	check(full, true, http1.ConnectTimeout)
}

// A context may end just when the run does: the alarm's descriptor may then
// belong to somebody else.
func TestWakeAfterCloseTouchesNothing(t *testing.T) {
	m := mux(t, "127.0.0.1:1").(*epollMux)
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
	m.Wait(0, func(_ int, r *load.Result) { told++; assert.Equal(t, http1.Connect, r.Kind) })
	m.Wait(0, func(int, *load.Result) { told++ })
	assert.Equal(t, 1, told)
}
