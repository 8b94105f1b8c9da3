//go:build unix

package testscripts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// exits STATUS PROGRAM [ARG...] runs a program as exec does and checks its exit status.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	got := 0
	if exit != nil {
		got = status(exit.ProcessState)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// status returns the exit status as a shell does: for a program that was ended by a
// signal, 128 plus its number.
func status(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

// A program is one that runs beside the script.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr *output
	ended          chan struct{} // closed when it has ended
}

// startProgram starts cmd and collects what it writes, unless that goes elsewhere.
func startProgram(cmd *exec.Cmd) (*program, error) {
	p := &program{cmd: cmd, stdout: newOutput(), stderr: newOutput(), ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait() // wait returns the status
	}()
	return p, nil
}

// wait waits for the end of the program and returns its exit status.
func (p *program) wait() int {
	late := time.AfterFunc(bound, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }) // prints its stacks
	defer late.Stop()
	stuck := time.AfterFunc(bound+5*time.Second, func() { _ = p.cmd.Process.Kill() }) // if nobody takes them
	defer stuck.Stop()
	<-p.ended
	return status(p.cmd.ProcessState)
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill() // it may already have ended
	<-p.ended
}

// start NAME PROGRAM [ARG...] starts a program beside the script; see finish.
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM [ARG...]")
	}
	begin(ts, args[0], commandIn(ts, args[1:]))
}

// begin starts a program under a name.
func begin(ts *testscript.TestScript, name string, cmd *exec.Cmd) *program {
	s := sessionOf(ts)
	if s.programs[name] != nil {
		ts.Fatalf("program %q is already running", name)
	}
	p, err := startProgram(cmd)
	ts.Check(err)
	s.programs[name] = p
	return p
}

// commandIn returns a command that runs in the script's directory and environment.
func commandIn(ts *testscript.TestScript, args []string) *exec.Cmd {
	path, err := exec.LookPath(args[0])
	ts.Check(err)
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(environ(ts), "PWD="+cmd.Dir)
	return cmd
}

// environ returns the script's environment. testscript gives access only to single
// variables.
func environ(ts *testscript.TestScript) (env []string) {
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE", "GOCOVERDIR", "TERM", "LANG", "NO_COLOR",
		"SSL_CERT_FILE", "GOMEMLIMIT", "URL", "TLS_URL", "ADDR", "TARGET"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// signal NAME INT|TERM|HUP|KILL|STOP|CONT sends a signal to a started program.
func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{
		"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP,
		"KILL": syscall.SIGKILL, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
	}
	if neg || len(args) != 2 || signals[args[1]] == nil {
		ts.Fatalf("usage: signal NAME INT|TERM|HUP|KILL|STOP|CONT")
	}
	ts.Check(programOf(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

// finish NAME STATUS waits for a started program and checks its exit status. The
// commands stdout and stderr then apply to its output.
func cmdFinish(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: finish NAME STATUS")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	p := programOf(ts, args[0])
	got := p.wait()
	fmt.Fprint(ts.Stdout(), p.stdout.String())
	fmt.Fprint(ts.Stderr(), p.stderr.String())
	delete(sessionOf(ts).programs, args[0])
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// line NAME stdout|stderr REGEXP [VARIABLE] waits until a started program has written
// something that matches, and sets an environment variable to the last group.
func cmdLine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 || len(args) > 4 || !slices.Contains([]string{"stdout", "stderr"}, args[1]) {
		ts.Fatalf("usage: line NAME stdout|stderr REGEXP [VARIABLE]")
	}
	p := programOf(ts, args[0])
	out := p.stdout
	if args[1] == "stderr" {
		out = p.stderr
	}
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	found, err := out.await(ctx, p.ended, args[2])
	ts.Check(err)
	if len(args) == 4 {
		ts.Setenv(args[3], found[len(found)-1])
	}
}

func programOf(ts *testscript.TestScript, name string) *program {
	p := sessionOf(ts).programs[name]
	if p == nil {
		ts.Fatalf("no program %q is running", name)
	}
	return p
}
