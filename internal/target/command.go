package target

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// startMost is how long a command may take until its server takes connections:
	// enough to compile it first.
	startMost = time.Minute
	// startPoll is how often a connection is tried until then.
	startPoll = 5 * time.Millisecond
	// refuseMost is how long a port where nothing listens may take to refuse: on
	// Windows connecting is tried for seconds.
	refuseMost = 100 * time.Millisecond
	// stopGrace is how long a server may take to end on its own. After a second
	// Ctrl+C two of them have less than a second.
	stopGrace = 300 * time.Millisecond
	// killGrace is how long the system may take to end a process that was killed,
	// and how long the output of what it left behind is read.
	killGrace = 100 * time.Millisecond
	// tailMost is how many octets of a server's last output are kept.
	tailMost = 1 << 10
)

// A Command is a server in a process of its own.
type Command struct {
	URL string // without a path: http://127.0.0.1:1234

	cmd    *exec.Cmd
	output tail
	ended  chan struct{} // closed once the process has ended, and what it started was killed
	err    error         // how it ended
}

// StartCommand starts the command that newCommand returns and waits until it takes
// connections at the address that newCommand is given, of a port that is free. It
// returns an error if the command ends before that, or takes longer than a minute.
// The caller must close the Command.
func StartCommand(ctx context.Context, newCommand func(addr string) *exec.Cmd) (*Command, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	c := &Command{URL: "http://" + addr, cmd: newCommand(addr), ended: make(chan struct{})}
	if c.cmd == nil {
		return nil, errors.New("starting a server: the command is nil")
	}
	c.keepOutput()
	c.cmd.WaitDelay = cmp.Or(c.cmd.WaitDelay, killGrace)
	leadGroup(c.cmd)
	started := make(chan error)
	go c.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting a server: %w", err)
	}
	if err := c.wait(ctx, addr); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// freeAddr returns an address of loopback at which nothing listens. Its port is not one
// of those that systems give to connections and to servers that want any port, or
// another process would often get it before the server is there.
func freeAddr() (string, error) {
	const least, most, tries = 20000, 32767, 100
	for range tries {
		port := strconv.Itoa(least + rand.IntN(most-least+1))
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			continue
		}
		if addr := l.Addr().String(); l.Close() == nil && refuses(addr) {
			return addr, nil
		}
	}
	l, err := listenLoopback()
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// refuses reports whether nothing takes connections at addr. A listener that was closed
// still takes them for a moment while another process is being started: until that runs
// its program, it has a copy of the socket.
func refuses(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, refuseMost)
	if err == nil {
		conn.Close()
	}
	return err != nil
}

// keepOutput keeps the end of what the server writes, unless it goes elsewhere.
func (c *Command) keepOutput() {
	if c.cmd.Stdout == nil {
		c.cmd.Stdout = &c.output
	}
	if c.cmd.Stderr == nil {
		c.cmd.Stderr = &c.output
	}
}

// run starts the process, reports whether that could be done, and waits for its end.
// The thread is kept meanwhile: where the system kills the process when its parent
// dies, the parent is a thread.
func (c *Command) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	if c.err = c.cmd.Wait(); c.err == nil || errors.Is(c.err, exec.ErrWaitDelay) {
		c.err = errors.New(c.cmd.ProcessState.String())
	}
	sweep(c.cmd)
	close(c.ended)
}

// wait waits until something takes connections at addr while the process runs.
func (c *Command) wait(ctx context.Context, addr string) error {
	late := time.NewTimer(startMost)
	defer late.Stop()
	poll := time.NewTicker(startPoll)
	defer poll.Stop()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", addr)
		if err == nil {
			conn.Close()
			return c.Err()
		}
		select {
		case <-poll.C:
		case <-c.ended:
			return c.Err()
		case <-late.C:
			return fmt.Errorf("the server does not listen at %s after %v%s", addr, startMost, c.said())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Err returns an error if the server has ended, with the end of its output; nil while it
// runs.
func (c *Command) Err() error {
	select {
	case <-c.ended:
		return fmt.Errorf("the server ended: %w%s", c.err, c.said())
	default:
		return nil
	}
}

// Check is Err for a server that may be ending at this moment: one that takes no more
// connections is given some time for it.
func (c *Command) Check() error {
	if c.Err() == nil && refuses(strings.TrimPrefix(c.URL, "http://")) {
		select {
		case <-c.ended:
		case <-time.After(stopGrace):
		}
	}
	return c.Err()
}

// said is the end of the server's output, for an error; "" if it wrote nothing.
func (c *Command) said() string {
	if s := c.output.String(); s != "" {
		return "; its output ends with: " + s
	}
	return ""
}

// Close ends the server, and all that it started and left in its process group. It
// asks first, and kills what has not ended after a moment.
func (c *Command) Close() error {
	if c.Err() != nil {
		return nil
	}
	terminate(c.cmd)
	for _, patience := range []time.Duration{stopGrace, 10 * killGrace} {
		select {
		case <-c.ended:
			return nil
		case <-time.After(patience):
			kill(c.cmd)
		}
	}
	return fmt.Errorf("process %d, a server, cannot be killed", c.cmd.Process.Pid)
}

// A tail keeps the last octets that were written to it. It may be used by several
// goroutines.
type tail struct {
	mu   sync.Mutex
	kept []byte
	cut  bool // there were more
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b[max(0, len(b)-tailMost):]...)
	if more := len(t.kept) - tailMost; more > 0 || len(b) > tailMost {
		t.kept, t.cut = append(t.kept[:0], t.kept[max(0, more):]...), true
	}
	return len(b), nil
}

// String returns what was kept, without a first line that is not whole.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.kept
	if _, rest, ok := bytes.Cut(b, []byte("\n")); t.cut && ok {
		b = rest
	}
	return strings.TrimSpace(string(b))
}
