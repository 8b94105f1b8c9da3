package lock

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const flag = os.O_RDWR | os.O_CREATE

// acquire returns the locked file, nil if it is locked already.
func acquire(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := Acquire(path, flag, 0o666)
	require.NoError(t, err)
	return f
}

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := acquire(t, path)
	require.NotNil(t, f)
	assert.Nil(t, acquire(t, path))
	require.NoError(t, f.Close())
	f = acquire(t, path)
	require.NotNil(t, f)
	require.NoError(t, f.Close())
}

// What is locked can be read and appended to by other handles, on any system.
func TestLockedFileCanBeUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f := acquire(t, path)
	defer f.Close()
	g, err := Open(path, os.O_RDWR|os.O_APPEND, 0)
	require.NoError(t, err)
	defer g.Close()
	_, err = g.WriteString("line\n")
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "line\n", string(b))
}

func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{"directory": dir, "device": os.DevNull} {
		_, err := Open(path, os.O_RDONLY, 0)
		assert.ErrorIs(t, err, ErrNotRegular, name)
		_, err = Acquire(path, os.O_RDONLY, 0)
		assert.ErrorIs(t, err, ErrNotRegular, name)
	}
	_, err := Open(filepath.Join(dir, "none"), os.O_RDONLY, 0)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestNoFollow(t *testing.T) {
	dir := t.TempDir()
	file, link, dangling := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	require.NoError(t, os.Symlink(filepath.Join(dir, "gone"), dangling))
	for _, path := range []string{link, dangling} {
		_, err := Acquire(path, flag|NoFollow, 0o666)
		assert.ErrorIs(t, err, ErrNotRegular)
		assert.NoFileExists(t, filepath.Join(dir, "gone"))
		f, err := Acquire(path, flag, 0o666)
		require.NoError(t, err)
		require.NotNil(t, f)
		f.Close()
	}
	assert.FileExists(t, filepath.Join(dir, "gone"), "a link is followed unless the flag is set")
}

// A file that was removed or replaced between opening and locking it is not the one
// that others lock.
func TestRemovedFileIsNotHeld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	var inside, entered atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for entered.Load() < 500 {
				f, err := Acquire(path, flag, 0o666)
				if f == nil {
					continue // somebody holds it, or on some systems is removing it
				}
				assert.NoError(t, err)
				assert.Equal(t, int64(1), inside.Add(1))
				entered.Add(1)
				held, err := f.Stat()
				assert.NoError(t, err)
				now, err := os.Stat(path) // which only the holder removes
				assert.NoError(t, err)
				assert.True(t, os.SameFile(held, now))
				inside.Add(-1)
				os.Remove(path)
				f.Close()
			}
		})
	}
	wg.Wait()
}
