package loadtestkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// measuring are packages of tests that do not fail, each with one way to measure.
var measuring = map[string]string{
	"skipped": `loadtestkit.Run(t, loadtestkit.Options{Target: target, Count: 1, Limits: loadtestkit.Limits{P99: time.Minute}})`,
	"elsewhere": `
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	loadtestkit.Measure(t.Context(), loadtestkit.Options{Target: target, Count: 10})`,
}

// module makes a module beside this one, with tests that measure and one that does
// not.
func module(t *testing.T) (dir string) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	const name = "github.com/loadtestkit/load-tester"
	files := map[string]string{
		"go.mod": strings.Replace(string(mod), "module "+name, "module example.com/api", 1) +
			"\nrequire " + name + " v0.0.0\n\nreplace " + name + " => " + root + "\n",
		"go.sum":              string(sum),
		"plain/plain_test.go": "package plain\n\nimport \"testing\"\n\nfunc Test(t *testing.T) {}\n",
		"api/api.go":          "package api\n\nimport \"context\"\n\nfunc Call(context.Context) error { return nil }\n",
	}
	for pkg, body := range measuring {
		files[pkg+"/"+pkg+"_test.go"] = `package ` + pkg + `

import (
	"testing"
	"time"

	"example.com/api/api"
	"github.com/loadtestkit/load-tester/loadtestkit"
)

var (
	target = loadtestkit.Func(api.Call)
	_      = time.Second
)

func Test(t *testing.T) {` + body + `}
`
	}
	dir = filepath.Join(t.TempDir(), "a", "b", "c")
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o666))
	}
	return dir
}

// The go command shows the result of an earlier test again if its binary, and the
// files and variables that it read, are the same. The result of a measurement must
// not be: its target may be another one by now.
func TestGoTestMeasuresAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module")
	}
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: ", err)
	}
	t.Parallel()
	dir, env := module(t), append(os.Environ(), "TMPDIR="+t.TempDir(), "GOFLAGS=-mod=mod", "GOPROXY=off")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err == nil {
		dir = link
	}
	run := func() string {
		cmd := exec.Command("go", "test", "./...")
		cmd.Dir, cmd.Env = dir, append(env, "PWD="+dir)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	run()
	again := run()
	assert.Regexp(t, `ok\s+example.com/api/plain\s+\(cached\)`, again, "the go command caches what does not measure")
	for pkg := range measuring {
		assert.Regexp(t, `ok\s+example.com/api/`+pkg+`\s+[0-9.]+s`, again)
	}
}

// The mark is too new for the go command also if other tests go on for hours, and is
// found by a name in the package's directory, which may be a symbolic link.
func TestMark(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	require.NoError(t, os.MkdirAll(dir, 0o777))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		link = dir
	}
	mark := filepath.Join(t.TempDir(), "mark")
	for _, from := range []string{dir, link} {
		name, err := within(from, mark)
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(name, from+string(filepath.Separator)), name)
		require.NoError(t, openMark(mark, name))
		made, err := os.Stat(mark)
		require.NoError(t, err)
		opened, err := os.Stat(name)
		require.NoError(t, err)
		assert.True(t, os.SameFile(made, opened), name)
		assert.Greater(t, time.Until(opened.ModTime()), 30*24*time.Hour)
	}
	_, err := within(filepath.Join(dir, "gone"), mark)
	assert.Error(t, err)
	assert.Error(t, openMark(filepath.Join(dir, "gone", "mark"), mark))

	victim := filepath.Join(t.TempDir(), "victim")
	require.NoError(t, os.WriteFile(victim, []byte("text"), 0o600))
	require.NoError(t, os.Remove(mark))
	if os.Symlink(victim, mark) != nil {
		return
	}
	assert.Error(t, openMark(mark, mark), "a link is not followed")
	info, err := os.Stat(victim)
	require.NoError(t, err)
	assert.Equal(t, int64(len("text")), info.Size())
	assert.Less(t, time.Until(info.ModTime()), time.Hour)
}
