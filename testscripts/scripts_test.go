//go:build unix

// Package testscripts tries out the command as its users do. Each .txtar file
// is a session at a shell (github.com/rogpeppe/go-internal/testscript) about
// one behaviour, which its first line says; commands_test.go lists the words
// it can use besides those of testscript. Nothing in a script waits for time:
// it waits until the target has seen a number of requests.
//
// After a change that was meant, go test ./testscripts -update rewrites what
// the scripts compare with.
package testscripts

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/loadtestkit/load-tester/internal/cli"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the scripts compare with")

func TestMain(m *testing.M) {
	// Most scripts wait for what they started, but under the race detector that
	// is busy.
	atOnce := 3 * runtime.GOMAXPROCS(0)
	if raceEnabled {
		atOnce = 1
	}
	if err := flag.Set("test.parallel", strconv.Itoa(atOnce)); err != nil {
		panic(err) // there is no such flag
	}
	testscript.Main(m, map[string]func(){
		"load-tester":     func() { os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"silent-resolver": silentResolver,
	})
}

func TestScripts(t *testing.T) {
	t.Parallel()
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

// setup gives a script its own targets and says where they are.
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
		{"URL", s.plain.url},      // a target with answers of every kind: see targettest.Sampler
		{"ADDR", s.plain.addr},    // its host and port
		{"TLS_URL", s.secure.url}, // the same over TLS
		{"CA", ca},                // whom to trust to reach it
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

// condition answers what scripts ask in brackets.
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
