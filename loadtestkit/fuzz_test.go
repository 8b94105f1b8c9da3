package loadtestkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzHolder tests that whatever the lock file holds, one printable line is said of it,
// and only a file of ours is written to.
func FuzzHolder(f *testing.F) {
	for _, s := range []string{"", "loadtestkit: ", "loadtestkit: pid 1, TestA" + strings.Repeat(" ", 100), "loadtestkit: \x1b[2J\n--- PASS: x", "\x00loadtestkit: a", "somebody's diary", strings.Repeat("x", 300)} {
		f.Add(s)
	}
	path := filepath.Join(f.TempDir(), "lock")
	f.Fuzz(func(t *testing.T, content string) {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		who := readHolder(path)
		require.LessOrEqual(t, len(who), 10*holderSize)
		require.NotContains(t, who, "\n")
		require.NotContains(t, who, "\x1b")
		held, err := tryLock(path)
		require.NoError(t, err)
		require.NotNil(t, held)
		held.setHolder("TestB")
		held.close()
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		if content == "" || strings.HasPrefix(content, holderMark) && len(content) <= holderSize {
			require.Equal(t, ": TestB", readHolder(path))
		} else {
			require.Equal(t, content, string(now))
		}
	})
}
