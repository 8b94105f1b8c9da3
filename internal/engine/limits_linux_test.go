package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/target/targettest"
	"github.com/loadtestkit/load-tester/internal/wire"
)

func init() {
	children["few files"] = fewFiles
	children["no files left"] = noFilesLeft
	children["no ports left"] = noPortsLeft
	children["memory"] = peakMemory
}

// measure is run for a child, which has no testing.T.
func measure(o RunOptions) (*report.Document, error) {
	p, err := NewRun(o)
	if err != nil {
		return nil, err
	}
	r, err := p.Run(context.Background(), context.Background(), nil)
	if err != nil {
		return nil, err
	}
	return r, r.Record.Check()
}

func limitFiles(n uint64) error {
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: n})
}

// fewFiles asks for more permits than there are descriptors.
func fewFiles(url string) (any, error) {
	if err := limitFiles(100); err != nil {
		return nil, err
	}
	_, err := measure(RunOptions{Target: Target{URL: url}, Settings: Settings{Load: Load{Concurrency: 60}}, Requests: 1000})
	if err == nil {
		return nil, errors.New("want an error")
	}
	// Fewer requests than permits need no more descriptors than requests.
	if _, err := measure(RunOptions{Target: Target{URL: url}, Settings: Settings{Load: Load{Concurrency: 40}}, Requests: 30}); err != nil {
		return nil, err
	}
	// Connections in memory need none.
	if _, err := measure(RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Concurrency: 500}}, Requests: 500}); err != nil {
		return nil, err
	}
	return err.Error(), nil
}

func TestPreflightCountsFiles(t *testing.T) {
	s := raw(t, nil)
	var message string
	result(t, child(t, "few files", s.URL), &message)
	assert.Equal(t, "concurrency 60 needs 124 file descriptors and this process may open 100: raise the limit (ulimit -n 124) or lower the concurrency", message)
	assert.Equal(t, int64(30), s.Seen(), "of the second run alone")
}

// noFilesLeft lets the preflight pass and then has next to no descriptors, as
// when a handler or a test opens many files.
func noFilesLeft(url string) (any, error) {
	if err := limitFiles(150); err != nil {
		return nil, err
	}
	for range 128 - openFiles() {
		if _, err := os.Open(os.DevNull); err != nil {
			return nil, err
		}
	}
	return measure(RunOptions{
		Target:   Target{URL: url},
		Settings: Settings{Load: Load{Concurrency: 60}, Portable: os.Getenv("PORTABLE") != ""},
		Duration: 500 * time.Millisecond,
	})
}

func TestNoFilesLeft(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		s := raw(t, nil)
		var r report.Document
		cmd := child(t, "no files left", s.URL)
		if portable {
			cmd.Env = append(cmd.Env, "PORTABLE=1")
		}
		result(t, cmd, &r)
		k := kinds(&r)
		assert.Equal(t, map[string]int64{"no_fds": k["no_fds"]}, k)
		// 40 permits or more have no connection, and try with a back-off.
		assert.GreaterOrEqual(t, k["no_fds"], int64(40*2))
		assert.LessOrEqual(t, k["no_fds"], int64(60*10))
		assert.Contains(t, r.Errors[0].First, "too many open files")
		assert.Positive(t, r.Requests.Succeeded, "the others go on")
		assert.Equal(t, s.Seen(), reached(&r))
	})
}

// noPortsLeft runs in a network of its own with 20 local ports.
func noPortsLeft(string) (any, error) {
	if err := loopbackUp(); err != nil {
		return nil, err
	}
	s, err := targettest.ListenRaw("127.0.0.1:0", target.RawOptions{Behave: func(_ int64, c *target.RawConn) { targettest.Hold(c) }})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40019"), 0); err != nil {
		return nil, err
	}
	return measure(RunOptions{
		Target:   Target{URL: s.URL},
		Settings: Settings{Load: Load{Concurrency: 30}, Timeout: time.Second, Portable: os.Getenv("PORTABLE") != ""},
		Requests: 30,
	})
}

// loopbackUp switches on the loopback interface of a new network.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

func TestNoPortsLeft(t *testing.T) {
	together(t, func(t *testing.T, portable bool) {
		cmd := child(t, "no ports left", "")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
		if portable {
			cmd.Env = append(cmd.Env, "PORTABLE=1")
		}
		out, err := cmd.Output()
		var failed *exec.ExitError
		if err != nil && (!errors.As(err, &failed) || strings.Contains(string(failed.Stderr), "not permitted")) {
			t.Skipf("needs a network of its own, which takes privileges: %v", err)
		}
		require.NoError(t, err)
		r, err := readDocument(out)
		require.NoError(t, err)
		assert.Equal(t, map[string]int64{"timeout": 20, "no_ports": 10}, kinds(r))
		assert.Equal(t, int64(20), reached(r))
		for _, e := range r.Errors {
			if e.Kind == "no_ports" {
				assert.Contains(t, e.First, "cannot assign requested address")
			}
		}
	})
}

// peakMemory measures the most memory that a run has had resident, in bytes.
func peakMemory(url string) (any, error) {
	number := func(name string) int64 { n, _ := strconv.ParseInt(os.Getenv(name), 10, 64); return n }
	_, err := measure(RunOptions{
		Target:   Target{URL: url},
		Settings: Settings{Load: Load{Concurrency: int(number("CONCURRENCY"))}, Portable: os.Getenv("PORTABLE") != ""},
		Requests: number("REQUESTS"),
	})
	if err != nil {
		return nil, err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return nil, err
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	_, err = fmt.Sscan(after, &kilobytes)
	return kilobytes << 10, err
}

func TestPeakMemory(t *testing.T) {
	t.Parallel() // its work is done in other processes
	if raceEnabled {
		t.Skip("the race detector takes memory")
	}
	check := func(requests, concurrency, most int64, portable string) {
		t.Helper()
		// The server's ends are in this process.
		if err := wire.CheckFiles(int(concurrency), 1); err != nil {
			t.Logf("not measured: %v", err)
			return
		}
		s := raw(t, nil)
		defer s.Close()
		cmd := child(t, "memory", s.URL)
		cmd.Env = append(cmd.Env, fmt.Sprint("REQUESTS=", requests), fmt.Sprint("CONCURRENCY=", concurrency), "PORTABLE="+portable)
		var peak int64
		result(t, cmd, &peak)
		t.Logf("%d connections, portable %q: %d MB", concurrency, portable, peak>>20)
		assert.Less(t, peak, most<<20)
		assert.Equal(t, requests, s.Seen())
	}
	check(10_000, 64, 40, "")
	check(10_000, 64, 40, "1")
	check(6_000, 5000, 250, "")
	check(6_000, 5000, 250, "1")
}
