package loadtestkit

import (
	"os"
	"strings"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// The process that holds the turn writes who it is into the lock file, for those that
// wait. It is a courtesy: what cannot be written or read is left out, and what a process
// that was killed left behind does no harm.
const (
	holderMark = "loadtestkit: "
	holderSize = 200 // octets
	// holderAt leaves out the octet that is locked, which nobody else may read on
	// Windows.
	holderAt = 1
)

// readHolder returns ": pid 4711, TestItems" of the process that holds the turn, "" if
// that is not known.
func readHolder(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	who, ours := held(f)
	if !ours || who == "" {
		return ""
	}
	return ": " + who
}

// writeHolder sets who holds the turn. It does not write to a file with a content that
// is not ours.
func writeHolder(path, who string) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if _, ours := held(f); !ours {
		return
	}
	text := holderMark + unit.Line(who)
	text = text[:min(len(text), holderSize)]
	f.WriteAt([]byte(text+strings.Repeat(" ", holderSize-len(text))), holderAt)
}

// held returns who holds the turn, according to the lock file. ours is false if that is
// a file of something else.
func held(f *os.File) (who string, ours bool) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > holderAt+holderSize {
		return "", false
	}
	b := make([]byte, holderSize)
	n, _ := f.ReadAt(b, holderAt)
	who, ours = strings.CutPrefix(string(b[:n]), holderMark)
	return unit.Line(strings.TrimSpace(who)), ours || info.Size() == 0
}
