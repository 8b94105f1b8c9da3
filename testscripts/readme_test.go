//go:build unix

package testscripts

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/target"
)

// blocks returns the fenced code blocks of a page in a language.
func blocks(t *testing.T, file, language string) []string {
	t.Helper()
	page, err := os.ReadFile("../" + file)
	require.NoError(t, err)
	var found []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		found = append(found, m[1])
	}
	require.NotEmpty(t, found, "no block in %s", language)
	return found
}

// Every `$ load-tester` line in the README works as written, except that its target has
// another port and its duration is bounded.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "load-tester")
	out, err := exec.Command("go", "build", "-o", binary, "../cmd/load-tester").CombinedOutput()
	require.NoError(t, err, "%s", out)
	latency, err := target.ParseLatency("p50=2ms,p99=40ms")
	require.NoError(t, err)
	server, err := target.ListenRaw("127.0.0.1:0", target.RawOptions{Timing: target.Timing{Latency: latency}})
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	ran := 0
	for _, block := range blocks(t, "README.md", "console") {
		for line := range strings.Lines(block) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "$ load-tester ")
			require.True(t, ok, "not a load-tester command: %s", line)
			if strings.HasPrefix(command, "target ") {
				continue // it would serve until a signal; target.txtar tests it
			}
			command = strings.ReplaceAll(command, "127.0.0.1:8080", server.Addr)
			t.Run(strings.Fields(command)[0], func(t *testing.T) {
				t.Parallel()
				readmeCommand(t, binary, command)
			})
			ran++
		}
	}
	assert.GreaterOrEqual(t, ran, 6)
}

var (
	judgedCommand  = regexp.MustCompile(`^(compare|capacity) |--limit`)
	boundedCommand = regexp.MustCompile(` (-n|-z|--requests|--duration|--stage) `)
)

// readmeCommand runs a command. One that would go on until its verdict is clear is given
// little time, so on a busy machine it may be inconclusive, or find one target slower.
func readmeCommand(t *testing.T, binary, command string) {
	judged := judgedCommand.MatchString(command)
	if judged && !boundedCommand.MatchString(command) {
		command += " --budget 2s"
	}
	out, err := exec.Command("sh", "-c", binary+" "+command).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if code == 3 && judged || code == 1 && strings.HasPrefix(command, "compare ") {
			return
		}
	}
	assert.NoError(t, err, "%s\n%s", command, out)
}

// The README's tests compile in a module of their own, and the first one runs.
func TestReadmeTests(t *testing.T) {
	t.Parallel()
	// On a busy machine it may miss its limits or run out of time, but it compiles and
	// measures.
	out, err := pageTests(t, "README.md", "-timeout", "10s", "-run", "TestAPIUnderLoad")
	assert.Regexp(t, `(?m)^ +. p99 .*, want <= 50ms`, out, "%v", err)
}

// The recipes work as they stand.
func TestRecipes(t *testing.T) {
	t.Parallel()
	out, err := pageTests(t, "docs/recipes.md", "-timeout", "2m")
	assert.NoError(t, err, out)
	assert.Equal(t, strings.Count(strings.Join(blocks(t, "docs/recipes.md", "go"), ""), "\nfunc Test"), strings.Count(out, "--- PASS: "), out)
}

// pageTests runs go test on the Go code of a page, in a module of its own.
func pageTests(t *testing.T, page string, args ...string) (output string, err error) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a module")
	}
	dir := t.TempDir()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	const module = "github.com/loadtestkit/load-tester"
	text := strings.Replace(string(mod), "module "+module, "module example.com/api", 1) +
		"\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + root + "\n"
	for name, content := range map[string]string{
		"go.mod": text, "go.sum": string(sum), "page_test.go": strings.Join(blocks(t, page, "go"), "\n"),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666))
	}
	cmd := exec.Command("go", append([]string{"test", "-mod=mod", "-count=1", "-v"}, args...)...)
	cmd.Dir = dir
	// With its own TMPDIR it does not wait for the lock of other load tests.
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}
