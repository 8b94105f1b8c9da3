//go:build !old

package trust

import (
	"os"
	"os/exec"
	"testing"

	"github.com/loadtestkit/load-tester/loadtestkit"
)

// commandCases are those of servers that the comparison starts and renews itself.
func commandCases() []trial {
	return []trial{
		{"two commands, equal", 100, passed, 0, 0, compareCommands("1", "1")},
		{"two commands, +20 % work", 30, failed, 0.95, 0, compareCommands("1", "1.2")},
	}
}

func compareCommands(base, head string) func(testing.TB, *part) {
	return func(t testing.TB, _ *part) {
		loadtestkit.Compare(t, loadtestkit.CompareOptions{Base: command(base), Head: command(head)})
	}
}

func command(share string) loadtestkit.Target {
	return loadtestkit.Command(func(addr string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), roleEnv+"="+share+" "+addr)
		return cmd
	})
}
