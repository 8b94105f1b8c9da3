package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endless is a device such as /dev/zero.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestReadingIsBounded(t *testing.T) {
	const most = 1e4
	file := filepath.Join(t.TempDir(), "file")
	for size, fits := range map[int]bool{0: true, most: true, most + 1: false, 3 * most: false} {
		content := bytes.Repeat([]byte("x"), size)
		require.NoError(t, os.WriteFile(file, content, 0o600))
		fromFile, err := readFile(file, most)
		fromStream, err2 := readAll(bytes.NewReader(content), most)
		if fits {
			assert.NoError(t, err)
			assert.NoError(t, err2)
			assert.Equal(t, content, fromFile)
			assert.Equal(t, content, fromStream)
		} else {
			assert.EqualError(t, err, "longer than 10 kB")
			assert.EqualError(t, err2, "longer than 10 kB")
		}
	}
	_, err := readAll(endless{}, most)
	assert.EqualError(t, err, "longer than 10 kB")
	_, err = readAll(iotest.ErrReader(os.ErrClosed), most)
	assert.ErrorIs(t, err, os.ErrClosed)
}

func TestBodiesAreBounded(t *testing.T) {
	const most = 1e4
	for _, b := range newBodyFlags() {
		assert.EqualValues(t, 1e9, b.most, b.name)
		b.most = most
		_, err := b.content("@-", endless{})
		assert.EqualError(t, err, "reading standard input: longer than 10 kB", b.name)
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, make([]byte, most+1), 0o600))
		_, err = b.content("@"+file, endless{})
		assert.EqualError(t, err, "longer than 10 kB, want text, @FILE or @- for standard input", b.name)
	}
}

func TestFilesOfTLSAreBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, []byte(strings.Repeat("x", maxPEM+1)), 0o600))
	for _, flag := range []string{"cacert", "cert", "key"} {
		j := newJob(newTrial().open(), newRoot(newTrial().open()), "")
		_, ok := j.readPEM(flag, file)
		assert.False(t, ok)
		assert.ErrorContains(t, j.faults.err(), "longer than 10 MB", flag)
	}
}
