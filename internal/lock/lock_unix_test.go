//go:build unix

package lock

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Opening a FIFO would wait for its other end.
func TestFIFO(t *testing.T) {
	dir := t.TempDir()
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	require.NoError(t, syscall.Mkfifo(fifo, 0o666))
	require.NoError(t, os.Symlink(fifo, link))
	for _, flag := range []int{os.O_RDONLY, os.O_WRONLY, os.O_RDWR | os.O_CREATE} {
		for _, path := range []string{fifo, link} {
			_, err := Open(path, flag, 0o666)
			assert.ErrorIs(t, err, ErrNotRegular)
		}
		f, err := os.OpenFile(fifo, system(flag)&^os.O_WRONLY, 0) // that took the name at the last moment
		require.NoError(t, err, "it does not wait")
		f.Close()
	}
}

func TestHasOtherNames(t *testing.T) {
	dir := t.TempDir()
	one := filepath.Join(dir, "one")
	require.NoError(t, os.WriteFile(one, nil, 0o666))
	for _, want := range []bool{false, true} {
		info, err := os.Stat(one)
		require.NoError(t, err)
		assert.Equal(t, want, HasOtherNames(info))
		os.Link(one, filepath.Join(dir, "other"))
	}
}
