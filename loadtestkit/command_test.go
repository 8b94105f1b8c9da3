package loadtestkit

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serverEnv makes this test binary a server that listens at the address in it.
const serverEnv = "LOADTESTKIT_TEST_SERVER"

// serveAt serves /NUMBER, which takes that many ms, and /crash.
func serveAt(addr string) {
	var served atomic.Int64
	_ = http.ListenAndServe(addr, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/crash" {
			if served.Add(1) == 96 {
				fmt.Fprintln(os.Stderr, "out of memory")
				os.Exit(9)
			}
			return
		}
		var ms time.Duration
		fmt.Sscanf(r.URL.Path, "/%d", &ms)
		time.Sleep(ms * time.Millisecond)
	}))
}

// started is a server in a process of its own. It counts how often it was started.
func started(starts *int) Server {
	return Command(func(addr string) *exec.Cmd {
		*starts++
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), serverEnv+"="+addr)
		return c
	})
}

// What may be done to any target may be done to one that a command starts.
func TestCommand(t *testing.T) {
	starts := 0
	server := started(&starts)
	r, err := Measure(context.Background(), Options{Target: server.Send(Request{Method: "POST", Path: "/0", Body: []byte("x")}), Count: 100})
	require.NoError(t, err)
	assert.EqualValues(t, 100, r.Succeeded)
	assert.Equal(t, 1, starts)

	f, r := runFake(&fakeTB{}, Options{Target: server, Count: 100})
	assert.Empty(t, f.errors)
	assert.EqualValues(t, 100, r.Succeeded)
	assert.Equal(t, 2, starts)
	assert.Contains(t, f.output.String(), "command, on loopback: GET /\n")
}

// A comparison that fails is repeated with servers that are started anew.
func TestCompareStartsServersAnew(t *testing.T) {
	needTimes(t)
	bases, heads := 0, 0
	f, c := compareFake(&fakeTB{}, CompareOptions{
		Base: started(&bases).Get("/0"), Head: started(&heads).Get("/2"), Tolerance: Tolerance{P50: 0.5},
	})
	require.NotEmpty(t, f.errors)
	assert.Contains(t, f.errors[0], "with fresh servers")
	assert.Equal(t, Failed, c.Verdict)
	assert.Equal(t, 2, bases)
	assert.Equal(t, 2, heads)
}

// A server that does not start, or dies, fails the test with its last words.
func TestCommandThatFails(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the commands are those of Unix")
	}
	f, _ := runFake(&fakeTB{}, Options{
		Target: Command(func(string) *exec.Cmd { return exec.Command("sh", "-c", "echo no; echo database; exit 3") }), Count: 1,
	})
	assert.True(t, f.fatal)
	assert.Equal(t, []string{"loadtestkit: the server ended: exit status 3; its output ends with: no; database"}, f.errors)

	starts := 0
	f, _ = runFake(&fakeTB{}, Options{Target: started(&starts).Get("/crash"), Count: 150, Limits: Limits{ErrorRatio: 1}})
	require.NotEmpty(t, f.errors)
	assert.Equal(t, "loadtestkit: the server ended: exit status 9; its output ends with: out of memory", f.errors[0])

	f, _ = runFake(&fakeTB{}, Options{Target: Command(nil), Count: 1})
	assert.True(t, f.fatal, "no command")
}
