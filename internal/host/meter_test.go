package host

import (
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The time of this process is known finely where the system counts it so.
func TestProcessorTime(t *testing.T) {
	before, ok := ProcessorTime()
	if !ok {
		require.NotContains(t, []string{"linux", "darwin"}, runtime.GOOS)
		_, err := NewMeter(nil)
		require.ErrorContains(t, err, "not known on "+runtime.GOOS)
		return
	}
	for after := before; after < before+time.Millisecond; {
		after, _ = ProcessorTime()
	}
	for _, pids := range [][]int{nil, {os.Getpid()}} {
		m, err := NewMeter(pids)
		require.NoError(t, err)
		d, err := m.Read()
		require.NoError(t, err)
		assert.GreaterOrEqual(t, d, before+time.Millisecond)
	}
}

func TestMutexWait(t *testing.T) {
	before := MutexWait()
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	require.Eventually(t, func() bool {
		go func() {
			mu.Lock()
			defer mu.Unlock()
		}()
		mu.Unlock()
		mu.Lock()
		return MutexWait() > before
	}, 10*time.Second, time.Millisecond)
}

// statLine is a line of /proc/PID/stat.
func statLine(pid, parent int, name, state string) string {
	line := strconv.Itoa(pid) + " (" + name + ") " + state + " " + strconv.Itoa(parent)
	for field := 5; field <= 22; field++ {
		line += " " + strconv.Itoa(field)
	}
	return line + "\n"
}

func TestParseProcess(t *testing.T) {
	p, err := parseProcess("7 (a (b) S 1) S 3 5 6 7 8 9 10 11 12 13 14 15 160 170 18 19 20 21 2200 23\n")
	require.NoError(t, err)
	assert.Equal(t, process{parent: 3, name: "a (b) S 1", children: 330, started: 2200}, p)
	for line, want := range map[string]string{
		"":            "no name in parentheses",
		") 7 (":       "no name in parentheses",
		"7 (a) S 1 5": "3 fields after the name",
		"7 (a) Z 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22": "has ended",
		"7 (a) S 3 5 6 7 8 9 10 11 12 13 14 15 -1 17 18 19 20 21 22": "field 16",
		"7 (a) S 3 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 2x": "field 22",
	} {
		_, err := parseProcess(line)
		assert.ErrorContains(t, err, want, line)
	}
}

// tcp is a file like /proc/net/tcp of a little-endian machine.
func tcp(rows ...string) string {
	s := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	for _, row := range rows {
		s += row + "\n"
	}
	return s
}

// listening is a row of it.
func listening(at, inode string) string {
	return "   0: " + at + " 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 " + inode + " 1 0 100 0 0 10 0"
}

// openSockets makes a process that has some sockets open.
func openSockets(m fstest.MapFS, pid string, inodes ...string) {
	for i, inode := range inodes {
		m["proc/"+pid+"/fd/"+strconv.Itoa(i)] = &fstest.MapFile{Mode: os.ModeSymlink, Data: []byte("socket:[" + inode + "]")}
	}
}

func TestServersOf(t *testing.T) {
	machine := func(tcp4, tcp6 string) fstest.MapFS {
		m := tree{
			"proc/net/tcp": tcp4, "proc/net/tcp6": tcp6,
			"proc/10/stat": statLine(10, 1, "nginx", "S"),
			"proc/11/stat": statLine(11, 10, "nginx", "S"),
			"proc/12/stat": statLine(12, 11, "cgi", "S"),
			"proc/13/stat": statLine(13, 10, "old", "Z"),
			"proc/20/stat": statLine(20, 1, "docker-proxy", "S"),
			"proc/30/stat": statLine(30, 1, "make", "S"),
			"proc/31/stat": statLine(31, 30, "load-tester", "S"),
			"proc/32/stat": statLine(32, 31, "sh", "S"),
			"proc/version": "Linux",
		}.fs()
		openSockets(m, "10", "1", "100")
		openSockets(m, "11", "100")
		openSockets(m, "20", "200")
		openSockets(m, "30", "300")
		openSockets(m, "31", "310")
		return m
	}
	check := func(why, at, tcp4, tcp6 string, want []int, wantErr string) {
		t.Helper()
		got, err := serversOf(machine(tcp4, tcp6), netip.MustParseAddrPort(at), 31)
		if wantErr != "" {
			assert.ErrorContains(t, err, wantErr, why)
			return
		}
		require.NoError(t, err, why)
		assert.Equal(t, want, got, why)
	}
	nginx := []int{10, 11, 12}
	const any4, any6 = "00000000:1F90", "00000000000000000000000000000000:1F90"
	const one6 = "00000000000000000000000001000000:1F90"
	const mapped = "0000000000000000FFFF00000100007F:1F90"
	check("its address", "127.0.0.1:8080", tcp(listening("0100007F:1F90", "100")), "", nginx, "")
	check("all addresses", "127.0.0.1:8080", tcp(listening(any4, "100")), tcp(), nginx, "")
	check("all of both versions", "127.0.0.1:8080", tcp(), tcp(listening(any6, "100")), nginx, "")
	check("mapped", "127.0.0.1:8080", tcp(), tcp(listening(mapped, "100")), nginx, "")
	check("asked for as mapped", "[::ffff:127.0.0.1]:8080", tcp(listening(any4, "100")), tcp(), nginx, "")
	check("version 6", "[::1]:8080", tcp(), tcp(listening(one6, "100")), nginx, "")
	check("the nearest counts", "127.0.0.1:8080", tcp(listening(any4, "300"), listening("0100007F:1F90", "100")), tcp(listening(any6, "300")), nginx, "")
	check("version 4 for version 4", "127.0.0.1:8080", tcp(listening(any4, "100")), tcp(listening(any6, "300")), nginx, "")
	check("not version 4 for version 6", "[::1]:8080", tcp(listening(any4, "100")), tcp(), nil, "no process that can be seen listens at [::1]:8080")
	check("several sockets for one address", "127.0.0.1:8080", tcp(listening(any4, "100"), listening(any4, "310")), tcp(), []int{10, 11, 12, 31}, "")
	check("above this process, but not what it started", "127.0.0.1:8080", tcp(listening(any4, "300")), tcp(), []int{30}, "")
	check("this process, but not what it started", "127.0.0.1:8080", tcp(listening(any4, "310")), tcp(), []int{31}, "")
	check("another port", "127.0.0.1:8081", tcp(listening(any4, "100")), tcp(), nil, "no process that can be seen listens at 127.0.0.1:8081")
	check("another address", "127.0.0.1:8080", tcp(listening("0200007F:1F90", "100")), tcp(), nil, "no process")
	check("a connection", "127.0.0.1:8080", tcp("0: 0100007F:1F90 0100007F:0001 01 0:0 0:0 0 1000 0 100 1"), tcp(), nil, "no process")
	check("in a container", "127.0.0.1:8080", tcp(listening(any4, "999")), tcp(), nil, "not visible")
	check("a forwarder", "127.0.0.1:8080", tcp(listening(any4, "200")), tcp(), nil, "docker-proxy only forwards to the server")
	check("another machine", "10.0.0.1:8080", tcp(listening(any4, "100")), tcp(), nil, "10.0.0.1:8080 is not a loopback address")
	for _, row := range []string{"0: 0100007F:1F90 0 0A 0:0 0:0 0 1000 0", listening("0100007F", "1"), listening("0100007F:x", "1"), listening("01007F:1F90", "1"), listening("0100007g:1F90", "1")} {
		check("garbage", "127.0.0.1:8080", tcp(row), tcp(), nil, "proc/net/tcp: ")
	}
	check("no /proc", "127.0.0.1:8080", "", "", nil, "proc/net/tcp: file does not exist")
}

// A server with too many processes is not read.
func TestServersOfMany(t *testing.T) {
	m := tree{"proc/net/tcp": tcp(listening("00000000:1F90", "100"))}.fs()
	openSockets(m, "100", "100")
	add := func(n int) {
		for pid := 100; pid < 100+n; pid++ {
			m["proc/"+strconv.Itoa(pid)+"/stat"] = &fstest.MapFile{Data: []byte(statLine(pid, 100, "apache", "S"))}
		}
	}
	add(64)
	pids, err := serversOf(m, netip.MustParseAddrPort("127.0.0.1:8080"), 1)
	require.NoError(t, err)
	assert.Len(t, pids, 64)
	add(65)
	_, err = serversOf(m, netip.MustParseAddrPort("127.0.0.1:8080"), 1)
	assert.ErrorContains(t, err, "the server has 65 processes")
}
