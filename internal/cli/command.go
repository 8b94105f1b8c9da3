package cli

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/loadtestkit/load-tester/internal/engine"
)

// server sets the target from the flags of a name: a URL, or a command that starts a
// server. missing says what to give if there is neither.
func (j *job) server(to *engine.Target, name string, urls, commands []string, missing string) {
	switch {
	case len(commands) == 0:
		to.URL = j.one(name, urls, missing)
	case len(urls) > 0:
		j.faults.add("--%s and --%s-command are both given, want one of them", name, name)
	case len(commands) > 1:
		j.faults.add("--%s-command is given %d times, want it once", name, len(commands))
	default:
		to.CommandName = programOf(commands[0])
		to.Command = func(addr string) *exec.Cmd { return shellCommand(commands[0], addr) }
	}
}

// shellCommand is a command of the shell that starts a server. It gets the address to
// listen at in place of {addr}, and the port in place of {port} and in PORT, as servers
// of many platforms expect it.
func shellCommand(line, addr string) *exec.Cmd {
	_, port, _ := net.SplitHostPort(addr)
	c := shell(strings.NewReplacer("{addr}", addr, "{port}", port).Replace(line))
	c.Env = append(os.Environ(), "PORT="+port)
	return c
}

// assignment is a variable that a shell command sets in front of its program.
var assignment = regexp.MustCompile(`^\w+=`)

// programOf returns the program of a shell command, for the report: the rest of the
// line may have secrets in it.
func programOf(line string) string {
	last := line[strings.LastIndexAny(line, ";&|")+1:]
	for _, word := range strings.Fields(last) {
		if word != "exec" && word != "env" && !assignment.MatchString(word) {
			return filepath.ToSlash(word)
		}
	}
	return "command"
}

// parsePath reads a path with its query.
func parsePath(s string) (string, error) {
	if !strings.HasPrefix(s, "/") {
		return "", errors.New("want a path such as /api/items?limit=10")
	}
	return s, nil
}
