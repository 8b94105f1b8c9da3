package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
)

// poolTo returns a pool of connections to addr.
func poolTo(t *testing.T, addr string) *Pool {
	t.Helper()
	request, err := http1.NewRequest(http1.Spec{URL: "http://" + addr, Run: "test"})
	require.NoError(t, err)
	return New(Options{Request: request, Dialer: http1.Dialer{Addr: addr}, Timeout: time.Second})
}

// raw starts a server that calls behave for each request.
func raw(t testing.TB, behave func(n int64, c *target.RawConn)) *targettest.Raw {
	s, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Behave: behave})
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}
