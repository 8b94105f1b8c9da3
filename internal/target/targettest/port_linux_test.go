package targettest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Runs in a network namespace with a single ephemeral port.
func TestHeldPort(t *testing.T) {
	if os.Getenv("HELD_PORT") == "" {
		const onePort = "ip link set lo up && echo 40000 40000 >/proc/sys/net/ipv4/ip_local_port_range"
		if out, err := exec.Command("unshare", "-n", "sh", "-c", onePort).CombinedOutput(); err != nil {
			t.Skipf("cannot make a network namespace: %v %s", err, out)
		}
		cmd := exec.Command("unshare", "-n", "sh", "-c", onePort+` && exec "$0" -test.run='^TestHeldPort$' -test.count=1`, os.Args[0])
		cmd.Env = append(os.Environ(), "HELD_PORT=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	p, err := HoldPort()
	require.NoError(t, err)
	defer p.Release()
	require.Equal(t, 40000, p.Number)
	addr := fmt.Sprintf("127.0.0.1:%d", p.Number)

	_, err = net.Listen("tcp", "127.0.0.1:0")
	assert.ErrorIs(t, err, syscall.EADDRINUSE, "to a server at any port")
	_, err = net.Dial("tcp", addr)
	assert.ErrorIs(t, err, syscall.EADDRNOTAVAIL, "to a client")
	for range 2 {
		l, err := net.Listen("tcp", addr)
		require.NoError(t, err, "a server that asks for it")
		require.NoError(t, l.Close())
	}
}
