//go:build unix

// Package testscripts tests the command as its users run it. Each .txtar file is a
// shell session (github.com/rogpeppe/go-internal/testscript) about one behaviour, which
// its first line describes. commands_test.go lists the commands available besides those
// of testscript. Scripts do not wait for time to pass, but until the target has seen a
// number of requests.
//
// After an intended change, go test ./testscripts -update rewrites the expected output.
package testscripts

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/loadtestkit/load-tester/internal/cli"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestMain(m *testing.M) {
	// Most of the time scripts wait for their programs, but under the race detector
	// those keep the processors busy.
	parallel := 3 * runtime.GOMAXPROCS(0)
	if raceEnabled {
		parallel = 1
	}
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		panic(err) // there is no such flag
	}
	testscript.Main(m, map[string]func(){
		"load-tester":     func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"silent-resolver": silentResolver,
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	passSignals()
	testscript.Run(t, testscript.Params{
		Dir:                 ".",
		Setup:               setup,
		Cmds:                commands,
		Condition:           condition,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// setup gives a script its own targets, and their addresses in its environment.
func setup(env *testscript.Env) error {
	s, err := newSession()
	if err != nil {
		return err
	}
	env.Defer(s.close)
	env.Values[sessionKey{}] = s
	ca := filepath.Join(env.WorkDir, "ca.pem")
	if err := os.WriteFile(ca, theAuthority().pem, 0o666); err != nil {
		return err
	}
	for _, v := range [][2]string{
		{"URL", s.plain.url},      // a target with responses of every kind: see targettest.Sampler
		{"ADDR", s.plain.addr},    // its host and port
		{"TLS_URL", s.secure.url}, // the same over TLS
		{"CA", ca},                // the certificate authority to trust
		{"TERM", "xterm-256color"},
		{"LANG", "C.UTF-8"},
	} {
		env.Setenv(v[0], v[1])
	}
	if env.Getenv("GORACE") == "" {
		// Under the race detector every program sleeps for 1 s before it exits.
		env.Setenv("GORACE", "atexit_sleep_ms=10")
	}
	return nil
}

// condition evaluates the conditions that scripts have in brackets.
func condition(cond string) (bool, error) {
	if path, ok := strings.CutPrefix(cond, "exists:"); ok {
		_, err := os.Stat(path)
		return err == nil, nil
	}
	if number, ok := strings.CutPrefix(cond, "files:"); ok {
		want, err := strconv.ParseUint(number, 10, 64)
		return err == nil && mayOpen(want), err
	}
	switch cond {
	case "ipv6":
		return haveIPv6(), nil
	case "pty":
		return havePty(), nil
	case "race":
		return raceEnabled, nil
	case "root":
		return os.Geteuid() == 0, nil
	case "namespaces":
		return haveNamespaces(), nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// passSignals makes signals reach the programs that scripts start even if they were
// ignored when the tests began, as under nohup and in the background of a shell. A
// program starts with what its parent ignores, but not with what its parent handles.
func passSignals() {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			signal.Notify(make(chan os.Signal, 1), sig)
		}
	}
}
