package http1

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/stretchr/testify/require"
)

// A listener that accepts nothing and has no queue lets one connection wait;
// the next SYN gets no answer.
func TestDialTimeout(t *testing.T) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer syscall.Close(fd)
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	d := Dialer{Addr: fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)}
	for range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		nc, err := d.Dial(ctx)
		cancel()
		if err != nil {
			assertKind(t, record.ConnectTimeout, "i/o timeout", Response{Err: err})
			return
		}
		defer nc.Close()
	}
	t.Skip("the kernel queues more than it was asked to")
}

func TestDialNoFDs(t *testing.T) {
	s := serve(t, func(p *peer) { p.head() })
	s.connect(t).Close() // the runtime opens its own descriptors with the first socket
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	none := limit
	none.Cur = 3
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none))
	_, err := s.Dial(t.Context())
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	assertKind(t, record.NoFDs, "too many open files", Response{Err: err})
}
