package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// eachPoll runs f with both kinds of poll.
func eachPoll(t *testing.T, f func(t *testing.T, p *poll)) {
	t.Helper()
	for name, alone := range map[string]bool{"parked": false, "alone": true} {
		t.Run(name, func(t *testing.T) {
			p := &poll{}
			require.NoError(t, p.open(alone))
			defer p.free()
			if alone && p.file != nil {
				t.Skip("this kernel has no epoll_pwait2")
			}
			f(t, p)
		})
	}
}

func TestPollExpires(t *testing.T) {
	eachPoll(t, func(t *testing.T, p *poll) {
		for range 3 { // a timer that has fired can be armed again
			began := time.Now()
			_, expired := p.wait(2 * time.Millisecond)
			assert.True(t, expired)
			assert.GreaterOrEqual(t, time.Since(began), 2*time.Millisecond)
		}
		events, expired := p.wait(0)
		assert.True(t, expired, "no event")
		assert.Empty(t, events)
		p.wake()
		_, expired = p.wait(0)
		assert.False(t, expired, "a wake is pending")
	})
}

func TestPollIsWoken(t *testing.T) {
	eachPoll(t, func(t *testing.T, p *poll) {
		p.wake()
		p.wake()
		_, expired := p.wait(time.Hour)
		assert.False(t, expired, "woken before the wait")
		go p.wake()
		_, expired = p.wait(time.Hour)
		assert.False(t, expired, "woken during the wait")
		_, expired = p.wait(time.Millisecond)
		assert.True(t, expired, "each wake ends one wait")
	})
}

// A wait that is woken just as its time ends has not merely expired.
func TestPollIsWokenAsItExpires(t *testing.T) {
	p := &poll{}
	require.NoError(t, p.open(false))
	defer p.free()
	p.arm(time.Nanosecond)
	_, err := unix.Poll([]unix.PollFd{{Fd: int32(p.timer), Events: unix.POLLIN}}, -1)
	require.NoError(t, err)
	p.wake()
	events, expired := p.wait(time.Hour)
	assert.Len(t, events, 2)
	assert.False(t, expired)
}

func TestPollReportsSockets(t *testing.T) {
	eachPoll(t, func(t *testing.T, p *poll) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		require.NoError(t, err)
		defer unix.Close(pair[0])
		defer unix.Close(pair[1])
		p.watch(unix.EPOLL_CTL_ADD, pair[0], 7, unix.EPOLLIN)
		_, expired := p.wait(time.Millisecond)
		assert.True(t, expired)
		_, err = unix.Write(pair[1], []byte("x"))
		require.NoError(t, err)
		events, expired := p.wait(time.Hour)
		assert.False(t, expired)
		require.Len(t, events, 1)
		assert.Equal(t, int32(7), events[0].Fd)
		events, _ = p.wait(time.Hour)
		assert.Len(t, events, 1, "until it is read")
	})
}
