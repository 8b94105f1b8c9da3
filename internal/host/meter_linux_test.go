package host

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serverRole is the environment variable that makes this test binary a server; see
// serveAs.
const serverRole = "HOST_TEST_SERVER"

func TestMain(m *testing.M) {
	if role := os.Getenv(serverRole); role != "" {
		serveAs(role)
		return
	}
	m.Run()
}

// serveAs is a server that listens on its file 3. It obeys lines on standard input:
//
//	burn D   uses D of processor time and says how much it had used before and after
//	start R  starts a process like itself in the role R, and passes on all further lines to it
//
// It ends with its standard input. In the role "worker" it keeps the socket, in the
// role "helper" it closes it.
func serveAs(role string) {
	f := os.NewFile(3, "listener")
	if role == "helper" {
		f.Close()
	}
	lines := bufio.NewScanner(os.Stdin)
	fmt.Println("ready", os.Getpid())
	for lines.Scan() {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "burn":
			d, _ := time.ParseDuration(rest)
			before, _ := ProcessorTime()
			after := before
			for after < before+d {
				after, _ = ProcessorTime()
			}
			fmt.Println("burned", int64(before), int64(after))
		case "start":
			in, out := io.Pipe()
			child := asServer(rest, f)
			child.Stdin, child.Stdout = in, os.Stdout
			if err := child.Start(); err != nil {
				panic(err)
			}
			for lines.Scan() && lines.Text() != "end" {
				fmt.Fprintln(out, lines.Text())
			}
			out.Close()
			_ = child.Wait()
			fmt.Println("ended")
		}
	}
}

// asServer is the command of this test binary as a server.
func asServer(role string, socket *os.File) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), serverRole+"="+role)
	c.Stderr = os.Stderr
	c.ExtraFiles = []*os.File{socket}
	return c
}

// A child is a server that listens at addr.
type child struct {
	t     *testing.T
	addr  netip.AddrPort
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
}

func startServer(t *testing.T, listen string) *child {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	require.NoError(t, err)
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	require.NoError(t, err)
	defer socket.Close()
	c := &child{t: t, cmd: asServer("worker", socket), addr: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), l.Addr().(*net.TCPAddr).AddrPort().Port())}
	c.in, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.lines = bufio.NewScanner(out)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(c.end)
	c.read("ready %d", new(int))
	return c
}

// end ends the server, once.
func (c *child) end() {
	c.in.Close()
	for c.lines.Scan() {
	}
	_ = c.cmd.Wait()
}

func (c *child) tell(line string) { fmt.Fprintln(c.in, line) }

func (c *child) read(format string, into ...any) {
	c.t.Helper()
	require.True(c.t, c.lines.Scan(), "the server has ended")
	_, err := fmt.Sscanf(c.lines.Text(), format, into...)
	require.NoError(c.t, err, c.lines.Text())
}

// burn makes the server use processor time, and returns its own readings of its clock
// before and after.
func (c *child) burn(d time.Duration) (before, after time.Duration) {
	c.t.Helper()
	c.tell("burn " + d.String())
	c.read("burned %d %d", &before, &after)
	return before, after
}

func (c *child) servers() []int {
	c.t.Helper()
	pids, err := ServersOf(c.addr)
	require.NoError(c.t, err)
	return pids
}

func (c *child) meter() *Meter {
	c.t.Helper()
	m, err := NewMeter(c.servers())
	require.NoError(c.t, err)
	return m
}

func reading(t *testing.T, m *Meter) time.Duration {
	t.Helper()
	d, err := m.Read()
	require.NoError(t, err)
	return d
}

// What a server used is between what its own clock said before and after.
func TestMeterOfServer(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0", ":0"} {
		c := startServer(t, listen)
		require.Equal(t, []int{c.cmd.Process.Pid}, c.servers(), "listening at %s", listen)
		m := c.meter()
		first := reading(t, m)
		before, after := c.burn(2 * time.Millisecond)
		second := reading(t, m)
		_, last := c.burn(time.Microsecond)
		assert.LessOrEqual(t, first, before)
		assert.LessOrEqual(t, after, second)
		assert.LessOrEqual(t, second, last)
		assert.GreaterOrEqual(t, second-first, 2*time.Millisecond)
	}
}

// Workers that have the socket in common with their master count, and so do those that
// get their connections from it.
func TestMeterOfWorkers(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"worker", "helper"} {
		c := startServer(t, "127.0.0.1:0")
		c.tell("start " + role)
		var worker int
		c.read("ready %d", &worker)
		require.ElementsMatch(t, []int{c.cmd.Process.Pid, worker}, c.servers(), role)
		m := c.meter()
		first := reading(t, m)
		before, after := c.burn(2 * time.Millisecond)
		assert.GreaterOrEqual(t, reading(t, m)-first, after-before, "the %s's time", role)

		c.tell("end")
		c.read("ended")
		_, err := m.Read()
		require.ErrorContains(t, err, "(host.test): ")
		_, again := m.Read()
		assert.Equal(t, err, again, "it stays unknown")
	}
}

// A server that forks for each request works in processes that are gone when its clock
// is read.
func TestMeterOfPassingChildren(t *testing.T) {
	t.Parallel()
	c := startServer(t, "127.0.0.1:0")
	m := c.meter()
	c.tell("start helper")
	c.read("ready %d", new(int))
	c.burn(20 * time.Millisecond) // two ticks
	c.tell("end")
	c.read("ended")
	_, err := m.Read()
	assert.ErrorContains(t, err, "works in processes that end before the measurement does")
}

// A process that ended counts no more, waited for or not.
func TestMeterOfEndedServer(t *testing.T) {
	t.Parallel()
	c := startServer(t, "127.0.0.1:0")
	m := c.meter()
	require.NoError(t, c.cmd.Process.Kill())
	for c.lines.Scan() { // until its end closed its output: it may not be dead yet
	}
	require.Eventually(t, func() bool { _, err := m.Read(); return err != nil }, 10*time.Second, time.Millisecond)
	_, err := m.Read()
	require.ErrorIs(t, err, errEnded, "not waited for")
	_ = c.cmd.Wait()
	_, err = NewMeter([]int{c.cmd.Process.Pid})
	require.ErrorIs(t, err, errEnded)
	_, err = ServersOf(c.addr)
	assert.ErrorContains(t, err, "no process that can be seen listens at "+c.addr.String())
}

// A later process with the same id does not count as the one that was there.
func TestMeterOfReusedID(t *testing.T) {
	t.Parallel()
	c := startServer(t, "127.0.0.1:0")
	m := c.meter()
	m.processes[0].started--
	_, err := m.Read()
	require.ErrorIs(t, err, errEnded)
}

// The servers of this process are found as itself, whatever it started.
func TestServersOfThisProcess(t *testing.T) {
	t.Parallel()
	startServer(t, "127.0.0.1:0")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	pids, err := ServersOf(l.Addr().(*net.TCPAddr).AddrPort())
	require.NoError(t, err)
	assert.Equal(t, []int{os.Getpid()}, pids)
}
