package trust

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// roleEnv makes the test binary another process of a trial: the hog, or a server that
// does a multiple of the usual work and may be given an address.
const roleEnv = "LOADTESTKIT_TRUST_ROLE"

const hog = "hog"

// play has a role until standard input ends, as it does with the test, or, with an
// address, until the process is ended.
func play(role string) {
	share, addr, given := strings.Cut(role, " ")
	switch {
	case given:
		serve(share, addr)
		select {}
	case role == hog:
		go hogging()
	default:
		serve(share, "127.0.0.1:0")
	}
	io.Copy(io.Discard, os.Stdin)
}

// hogging keeps one processor busy, at random: on for 0.1 to 3 s, and half of the time
// off for as long.
func hogging() {
	for {
		for end := time.Now().Add(aWhile()); time.Now().Before(end); {
		}
		if rand.N(2) == 0 {
			time.Sleep(aWhile())
		}
	}
}

func aWhile() time.Duration { return 100*time.Millisecond + rand.N(2900*time.Millisecond) }

// serve starts a server and prints its URL.
func serve(share, addr string) {
	times, err := strconv.ParseFloat(share, 64)
	if err != nil {
		panic(err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		panic(err)
	}
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, work(times)) }))
	fmt.Println("http://" + l.Addr().String())
}

// start starts this binary in a role; stop ends it.
func start(t testing.TB, role string) (out io.Reader, stop func()) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err = cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return out, func() { in.Close(); cmd.Wait() }
}

func startHog(t *testing.T) {
	_, stop := start(t, hog)
	t.Cleanup(stop)
}

func startServer(t testing.TB, share string) (url string, stop func()) {
	out, stop := start(t, share)
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		stop()
		require.FailNow(t, "a server did not start", lines.Err())
	}
	return lines.Text(), stop
}

// A meter knows the processor time at its start, in ticks.
type meter struct{ busy, all, own float64 }

func startMeter() (m meter) {
	m.busy, m.all = machineTicks()
	m.own = ownTicks()
	return m
}

// foreign is the part of the processors' time since the start that other processes
// used; 0 where it is not known.
func (m meter) foreign() float64 {
	now := startMeter()
	if now.all <= m.all {
		return 0
	}
	return max(0, (now.busy-m.busy-(now.own-m.own))/(now.all-m.all))
}

// machineTicks reads how long the processors were busy so far, and how long they had.
func machineTicks() (busy, all float64) {
	stat, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(stat), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal guest guest_nice
	for i, field := range fields[min(1, len(fields)):min(9, len(fields))] {
		ticks, _ := strconv.ParseFloat(field, 64)
		all += ticks
		if i != 3 && i != 4 {
			busy += ticks
		}
	}
	return busy, all
}

// ownTicks reads what this process used, and its children that have ended.
func ownTicks() (own float64) {
	stat, _ := os.ReadFile("/proc/self/stat")
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	for _, field := range fields[min(11, len(fields)):min(15, len(fields))] { // utime stime cutime cstime
		ticks, _ := strconv.ParseFloat(field, 64)
		own += ticks
	}
	return own
}
