//go:build unix

package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commandRole is the environment variable that makes this test binary a server; see
// serveAs.
const commandRole = "TARGET_TEST_COMMAND"

// serveAs is a server that listens at the address in its first argument, or does what
// its role says instead.
func serveAs(role, addr string) {
	alive := os.NewFile(3, "alive")
	switch role {
	case "exit":
		fmt.Println("first line")
		fmt.Fprintln(os.Stderr, "no such database")
		os.Exit(3)
	case "leave": // something behind
		if err := roleCommand("hang", "", alive).Start(); err != nil {
			panic(err)
		}
		os.Exit(4)
	case "hang":
		signal.Ignore(syscall.SIGTERM)
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		if err := roleCommand("hang", "", alive).Start(); err != nil {
			panic(err)
		}
	case "parent":
		if _, err := StartCommand(context.Background(), func(addr string) *exec.Cmd { return roleCommand("serve", addr, alive) }); err != nil {
			panic(err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/exit" {
			os.Exit(5)
		}
		fmt.Fprint(w, "served")
	}))
}

// roleCommand is a command of this test binary in a role, which gets a file as its file 3.
func roleCommand(role, addr string, alive *os.File) *exec.Cmd {
	c := exec.Command(os.Args[0], addr)
	c.Env = append(os.Environ(), commandRole+"="+role)
	c.ExtraFiles = []*os.File{alive}
	return c
}

// A family is a command and all that it starts: each holds one end of a pipe.
type family struct {
	t    *testing.T
	r, w *os.File
}

func newFamily(t *testing.T) *family {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	return &family{t, r, w}
}

// as returns what makes the first of the family, in a role.
func (f *family) as(role string) func(addr string) *exec.Cmd {
	return func(addr string) *exec.Cmd {
		return roleCommand(role, addr, f.w)
	}
}

// wait waits until all of the family have ended.
func (f *family) wait() {
	f.t.Helper()
	f.w.Close()
	defer f.r.Close()
	require.NoError(f.t, f.r.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, err := f.r.Read(make([]byte, 1))
	require.ErrorIs(f.t, err, io.EOF, "a process is left")
}

func body(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(b)
}

// A command serves when it has been started, and is gone with all that it started when
// it has been closed, also if it ignores SIGTERM.
func TestCommand(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"serve", "stubborn"} {
		f := newFamily(t)
		c, err := StartCommand(t.Context(), f.as(role))
		require.NoError(t, err, role)
		assert.Equal(t, "served", body(t, c.URL))
		u, err := url.Parse(c.URL)
		require.NoError(t, err)
		port, err := strconv.Atoi(u.Port())
		require.NoError(t, err)
		assert.Less(t, port, 32768, "no connection is given such a port")
		require.NoError(t, c.Err())
		require.NoError(t, c.Close())
		require.NoError(t, c.Close(), "twice")
		f.wait()
	}
}

// A command that does not start leaves nothing behind, and the error has its last words.
func TestCommandDoesNotStart(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{
		"exit":  "the server ended: exit status 3; its output ends with: first line\nno such database",
		"leave": "the server ended: exit status 4",
	} {
		f := newFamily(t)
		_, err := StartCommand(t.Context(), f.as(role))
		require.EqualError(t, err, want)
		f.wait()
	}
	_, err := StartCommand(t.Context(), func(string) *exec.Cmd { return exec.Command("./nosuchfile") })
	require.ErrorContains(t, err, "starting a server: fork/exec ./nosuchfile: no such file")
	_, err = StartCommand(t.Context(), func(string) *exec.Cmd { return nil })
	require.EqualError(t, err, "starting a server: the command is nil")
}

// One that never listens is ended with the context.
func TestCommandNeverListens(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := StartCommand(ctx, func(addr string) *exec.Cmd {
		time.AfterFunc(50*time.Millisecond, cancel)
		return f.as("hang")(addr)
	})
	require.ErrorIs(t, err, context.Canceled)
	f.wait()
}

// One that ends by itself is noticed.
func TestCommandEnds(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	c, err := StartCommand(t.Context(), f.as("serve"))
	require.NoError(t, err)
	_, err = http.Get(c.URL + "/exit")
	require.Error(t, err)
	<-c.ended
	require.EqualError(t, c.Err(), "the server ended: exit status 5")
	require.NoError(t, c.Close())
	f.wait()
}

// One whose port another process took is not taken for that process.
func TestCommandPortIsTaken(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	var other net.Listener
	c, err := StartCommand(t.Context(), func(addr string) *exec.Cmd {
		var err error
		other, err = net.Listen("tcp", addr)
		require.NoError(t, err)
		return f.as("serve")(addr)
	})
	defer other.Close()
	if err == nil { // it has not noticed yet
		<-c.ended
		err = c.Err()
	}
	require.ErrorContains(t, err, "address already in use")
	f.wait()
}

// What the command does with its output stays as it is.
func TestCommandHasOwnOutput(t *testing.T) {
	t.Parallel()
	f := newFamily(t)
	var out strings.Builder
	_, err := StartCommand(t.Context(), func(addr string) *exec.Cmd {
		c := f.as("exit")(addr)
		c.Stdout = &out
		return c
	})
	require.EqualError(t, err, "the server ended: exit status 3; its output ends with: no such database")
	assert.Equal(t, "first line\n", out.String())
	f.wait()
}

func TestTail(t *testing.T) {
	check := func(want string, writes ...string) {
		t.Helper()
		var b tail
		for _, w := range writes {
			n, err := b.Write([]byte(w))
			require.NoError(t, err)
			require.Equal(t, len(w), n)
		}
		assert.True(t, want == b.String(), "%.9q and so on, want %.9q", b.String(), want)
		assert.LessOrEqual(t, len(b.kept), tailMost)
	}
	long := strings.Repeat("x", tailMost)
	check("")
	check("a\nb", "a\n", "b\n")
	check("b", long+"\nb\n")
	check("b", long[1:], "\nb")
	check("c\nd", long, "\nc\n", "d")
	check(long, long)
	check(long, "y"+long)
	check(long[3:]+"abc", long, "abc")
}

// What is started does not outlive this process, even if that is killed.
func TestCommandDiesWithParent(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other systems do not see to it")
	}
	f := newFamily(t)
	var ended *exec.ExitError
	require.True(t, errors.As(f.as("parent")("").Run(), &ended))
	require.Equal(t, "signal: killed", ended.Error())
	f.wait()
}
