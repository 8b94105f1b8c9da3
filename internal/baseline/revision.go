package baseline

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/loadtestkit/load-tester/internal/lock"
)

// Revision returns the revision that the program was built from: the one in its
// build information or, as in go test, if there is none, the commit that Git has
// checked out in the working directory. It is empty if there is neither. dirty
// reports uncommitted changes, which only the build information knows.
func Revision() (revision string, dirty bool) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				revision = s.Value
			case "vcs.modified":
				dirty = s.Value == "true"
			}
		}
	}
	if dir, err := os.Getwd(); revision == "" && err == nil {
		return checkedOut(dir), false
	}
	return revision, dirty
}

// checkedOut returns the commit of HEAD in the Git repository that contains dir,
// "" if there is none (gitrepository-layout(5)).
func checkedOut(dir string) string {
	for {
		git := filepath.Join(dir, ".git")
		if info, err := os.Stat(git); err == nil {
			if !info.IsDir() {
				// In a linked working tree or a submodule it is a file with the path.
				where, _ := strings.CutPrefix(readText(git), "gitdir: ")
				git = absolute(dir, where)
			}
			return head(git)
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// head resolves HEAD of a repository. A linked working tree shares the references
// of its main one.
func head(git string) string {
	ref, symbolic := strings.CutPrefix(readText(filepath.Join(git, "HEAD")), "ref: ")
	if !symbolic {
		return ref
	}
	shared := git
	if common := readText(filepath.Join(git, "commondir")); common != "" {
		shared = absolute(git, common)
	}
	for _, dir := range []string{git, shared} {
		if commit := readText(filepath.Join(dir, filepath.FromSlash(ref))); commit != "" {
			return commit
		}
	}
	return packedRef(filepath.Join(shared, "packed-refs"), ref)
}

// packedRef looks up a reference in a file of lines "commit reference".
func packedRef(path, ref string) string {
	f, err := lock.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if commit, name, _ := strings.Cut(lines.Text(), " "); name == ref {
			return commit
		}
	}
	return ""
}

// readText returns a short file's text without surrounding white space, "" if it
// cannot be read. Above a directory such as /tmp, a .git may be anyone's.
func readText(path string) string {
	f, err := lock.Open(path, os.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxText))
	return strings.TrimSpace(string(b))
}

// maxText is longer than any name of a commit, a reference or a directory, in octets.
const maxText = 8 << 10

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
