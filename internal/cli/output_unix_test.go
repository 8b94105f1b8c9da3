//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fatih/color"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOutputReplacesWhole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	link := filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o640))
	require.NoError(t, os.Symlink("report", link))
	s := &session{}
	o, err := s.openOutput(link)
	require.NoError(t, err)
	old, _ := os.ReadFile(path)
	assert.Equal(t, "old", string(old), "until the new one is whole")
	require.NoError(t, o.commit([]byte("new")))
	now, _ := os.ReadFile(path)
	assert.Equal(t, "new", string(now))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode(), "keeps its mode")
	assert.Equal(t, []string{"link", "report"}, names(t, dir), "the link is still one, and nothing else is left")
}

func TestOutputDropped(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	s := &session{}
	o, err := s.openOutput(path)
	require.NoError(t, err)
	o.drop()
	o.drop()
	assert.Empty(t, names(t, dir), "no file appears")

	o, err = s.openOutput(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(dir))
	assert.EqualError(t, o.commit([]byte("new")), "its directory does not exist, create it first")
}

// What a link leads to is written, whether or not it is there yet, and a file with
// several names keeps them all.
func TestOutputKeepsLinks(t *testing.T) {
	dir := t.TempDir()
	dangling, target := filepath.Join(dir, "dangling"), filepath.Join(dir, "target")
	file, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
	require.NoError(t, os.Symlink("target", dangling))
	require.NoError(t, os.WriteFile(file, []byte("old and longer"), 0o600))
	require.NoError(t, os.Link(file, other))
	for _, path := range []string{dangling, file} {
		o, err := (&session{}).openOutput(path)
		require.NoError(t, err)
		require.NoError(t, o.commit([]byte("new")))
	}
	for _, path := range []string{target, other} {
		b, _ := os.ReadFile(path)
		assert.Equal(t, "new", string(b), path)
	}
	assert.Equal(t, []string{"dangling", "file", "other", "target"}, names(t, dir))
	assert.True(t, sameFile(dangling, target))
	assert.True(t, sameFile(file, other))
	assert.True(t, sameFile(filepath.Join(dir, "no", "..", "x"), filepath.Join(dir, "x")))
	assert.False(t, sameFile(file, target))
}

// The new file can be read by nobody who could not read the old one.
func TestOutputIsNeverMoreReadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	o, err := (&session{}).openOutput(path)
	require.NoError(t, err)
	f, err := o.openTemp()
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestOutputRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{
		".report.ABCDEFG2.tmp": time.Hour, // goes
		".report.ABCDEFG3.tmp": 0, ".report.notes.tmp": time.Hour, ".other.ABCDEFG2.tmp": time.Hour,
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
	}
	_, err := (&session{}).openOutput(filepath.Join(dir, "report"))
	require.NoError(t, err)
	assert.Equal(t, []string{".other.ABCDEFG2.tmp", ".report.ABCDEFG3.tmp", ".report.notes.tmp"}, names(t, dir))
}

func TestOutputRefused(t *testing.T) {
	s := &session{}
	_, err := s.openOutput(filepath.Join(t.TempDir(), "no", "report"))
	assert.EqualError(t, err, "its directory does not exist, create it first")
	_, err = s.openOutput(t.TempDir())
	assert.EqualError(t, err, "is a directory, want a file")

	raw := serve(t, nil)
	r := newTrial()
	assert.Equal(t, statusNotMeasured, r.run(raw.URL, "-o", "/nowhere/report"))
	assert.Equal(t, "load-tester: --output \"/nowhere/report\": its directory does not exist, create it first\n", r.Stderr.String())
	r = newTrial()
	dir := t.TempDir()
	assert.Equal(t, statusNotMeasured, r.run(raw.URL, "-o", filepath.Join(dir, "report"), "--hdr-log", "/nowhere/log"))
	assert.Contains(t, r.Stderr.String(), `--hdr-log "/nowhere/log": `)
	assert.Empty(t, names(t, dir))
	assert.Zero(t, raw.Seen(), "the output is opened before the first request")
}

func TestOutputFiles(t *testing.T) {
	raw := serve(t, nil)
	dir := t.TempDir()
	r := newTrial()
	report, log := filepath.Join(dir, "report"), filepath.Join(dir, "log")
	require.Zero(t, r.run(raw.URL, "-n", "50", "-f", "hgrm", "-o", report, "--hdr-log", log))
	assert.Empty(t, r.Stdout.String())
	b, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(b), "1/(1-Percentile)")
	b, err = os.ReadFile(log)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(b), "#[Histogram log format version 1.3]\n"), "%.80s", b)
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	raw := serve(t, nil)
	r := newTrial()
	assert.Equal(t, statusNotMeasured, r.run(raw.URL, "-n", "5", "-o", "/dev/full"))
	assert.Contains(t, r.Stderr.String(), "load-tester: writing the report to /dev/full: no space left on device; here it is:\nMeasured ")
	assert.Empty(t, r.Stdout.String())
	info, err := os.Stat("/dev/full")
	require.NoError(t, err)
	assert.False(t, info.Mode().IsRegular(), "it is still a device")
}

// A pipe with a name, as >(program) of a shell is one, is written to.
func TestOutputPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, unix.Mkfifo(path, 0o600))
	// Open at both ends: opening does not wait.
	pipe, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer pipe.Close()
	o, err := (&session{}).openOutput(path)
	require.NoError(t, err)
	require.NoError(t, o.commit([]byte("report")))
	got := make([]byte, 6)
	_, err = io.ReadFull(pipe, got)
	require.NoError(t, err)
	assert.Equal(t, "report", string(got))
	assert.Equal(t, []string{"pipe"}, names(t, filepath.Dir(path)))
}

func TestClosedPipe(t *testing.T) {
	raw := serve(t, nil)
	for _, args := range [][]string{{raw.URL, "-n", "5"}, {"schema"}, {"--help"}, {"--version"}} {
		in, out, err := os.Pipe()
		require.NoError(t, err)
		in.Close()
		r := newTrial()
		r.out = out
		assert.Equal(t, statusNotMeasured, r.run(args...), args)
		assert.Contains(t, r.Stderr.String(), "broken pipe", args)
		out.Close()
		if len(args) == 3 {
			assert.Contains(t, r.Stderr.String(), "Total:      5 requests", "the report is not lost")
		}
	}
}

func TestWasClosed(t *testing.T) {
	for flag, want := range map[int]bool{os.O_RDWR: true, os.O_WRONLY: false} {
		f, err := os.OpenFile(os.DevNull, flag, 0)
		require.NoError(t, err)
		defer f.Close()
		assert.Equal(t, want, wasClosed(f), "the runtime opens it to read and write")
		assert.True(t, same(f, f))
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "file"))
	require.NoError(t, err)
	defer f.Close()
	assert.False(t, wasClosed(f))
	assert.False(t, wasClosed(io.Discard))
	assert.False(t, same(f, io.Discard))
}

// Where one reader sees both streams, the text has the shape that people see.
func TestTogether(t *testing.T) {
	raw := serve(t, nil)
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer f.Close()
	s := newTrial().open()
	s.stdout, s.stderr = f, f
	assert.Equal(t, statusMissed, s.execute([]string{raw.URL, "-n", "20", "--limit", "errors>0"}))
	b, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	text := string(b)
	assert.True(t, strings.HasPrefix(text, "Measured ") && strings.Contains(text, "\nTarget: "+raw.URL+"\nRequests: 20, Concurrency: 10\n\nRunning...  [20/20] done\n\nLimits:\n"), text)
	assert.Equal(t, 1, strings.Count(text, "errors 0%"), "once is enough")
}

func TestPaint(t *testing.T) {
	before := color.NoColor
	assert.Equal(t, "\x1b[31m5\x1b[0m", paint(color.FgRed)("5"))
	assert.Equal(t, before, color.NoColor, "which is the whole process's")
	j := &job{session: newTrial().open()}
	assert.Nil(t, j.style(newStream()).Red, "no terminal, no colour")
}
