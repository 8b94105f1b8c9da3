//go:build unix

package baseline

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What has the name of a baseline or of a Git repository by accident or malice is never
// waited for.
func TestNamesOfOtherThings(t *testing.T) {
	dir := t.TempDir()
	fifo, zero := filepath.Join(dir, ".git"), filepath.Join(dir, "zero")
	require.NoError(t, syscall.Mkfifo(fifo, 0o666))
	require.NoError(t, os.Symlink("/dev/zero", zero))
	for _, path := range []string{fifo, zero} {
		_, err := Read(path)
		assert.EqualError(t, err, "reading baseline: "+path+" is not a regular file, name one")
		assert.ErrorContains(t, Append(path, some("TestA")), "is not a regular file")
		assert.Empty(t, readText(path))
		assert.Empty(t, packedRef(path, "refs/heads/main"))
	}
	assert.Empty(t, checkedOut(dir))
}
