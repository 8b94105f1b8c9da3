package loadtestkit

import (
	"os"
	"strings"

	"github.com/loadtestkit/load-tester/internal/lock"
	"github.com/loadtestkit/load-tester/internal/unit"
)

// The process that holds the turn writes who it is into the lock file, for those that
// wait. It is a courtesy: what cannot be written or read is left out, and what a process
// that was killed left behind does no harm.
const (
	holderMark = "loadtestkit: "
	holderSize = 200 // octets
)

// readHolder returns ": pid 4711, TestItems" of the process that holds the turn, "" if
// that is not known.
func readHolder(path string) string {
	f, err := lock.Open(path, os.O_RDONLY|lock.NoFollow, 0)
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

// setHolder writes who holds the turn, unless the file has a content that is not ours or
// has another name too, and so may be anything.
func (f *lockFile) setHolder(who string) {
	info, err := f.Stat()
	if _, ours := held(f.File); err != nil || !ours || lock.HasOtherNames(info) {
		return
	}
	text := holderMark + unit.Line(who)
	text = text[:min(len(text), holderSize)]
	f.WriteAt([]byte(text+strings.Repeat(" ", holderSize-len(text))), 0)
}

// held returns who holds the turn, according to the lock file. ours is false if that is
// a file of something else.
func held(f *os.File) (who string, ours bool) {
	info, err := f.Stat()
	if err != nil || info.Size() > holderSize {
		return "", false
	}
	b := make([]byte, holderSize)
	n, _ := f.ReadAt(b, 0)
	who, ours = strings.CutPrefix(string(b[:n]), holderMark)
	return unit.Line(strings.TrimSpace(who)), ours || info.Size() == 0
}
