package baseline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckedOut(t *testing.T) {
	for _, tc := range []struct {
		files     map[string]string
		from      string
		want, why string
	}{
		{map[string]string{"r/.git/HEAD": "0123abcd\n"}, "r", "0123abcd", "detached"},
		{map[string]string{"r/.git/HEAD": "ref: refs/heads/a/b\n", "r/.git/refs/heads/a/b": "0123abcd\n"}, "r", "0123abcd", "on a branch"},
		{map[string]string{"r/.git/HEAD": "0123abcd\n", "r/x/y/z": ""}, "r/x/y", "0123abcd", "from below"},
		{map[string]string{"r/.git/HEAD": "ref: refs/heads/main\n", "r/.git/packed-refs": "# pack-refs with: peeled\n77 refs/heads/main2\n0123abcd refs/heads/main\n^88\n"}, "r", "0123abcd", "packed"},
		{map[string]string{"r/.git/HEAD": "ref: refs/heads/main\n", "r/.git/packed-refs": "77 refs/heads/main\n", "r/.git/refs/heads/main": "0123abcd\n"}, "r", "0123abcd", "a loose reference wins"},
		{map[string]string{"r/.git/HEAD": "ref: refs/heads/main\n"}, "r", "", "no commit yet"},
		{map[string]string{"w/.git": "gitdir: ../r/.git/worktrees/w\n", "r/.git/worktrees/w/HEAD": "ref: refs/heads/w\n",
			"r/.git/worktrees/w/commondir": "../..\n", "r/.git/refs/heads/w": "0123abcd\n"}, "w", "0123abcd", "a linked working tree"},
		{map[string]string{"r/sub/.git": "gitdir: ../.git/modules/sub\n", "r/.git/modules/sub/HEAD": "0123abcd\n"}, "r/sub", "0123abcd", "a submodule"},
	} {
		root := t.TempDir()
		for name, text := range tc.files {
			path := filepath.Join(root, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o777))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o666))
		}
		assert.Equal(t, tc.want, checkedOut(filepath.Join(root, filepath.FromSlash(tc.from))), tc.why)
	}
}

func TestRevisionOfThisTest(t *testing.T) {
	revision, dirty := Revision()
	assert.False(t, dirty, "not known in go test")
	if revision != "" { // the sources need not be in a repository
		assert.Regexp(t, `^[0-9a-f]{40,64}$`, revision)
	}
}
