package baseline

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// Revision returns what revision the program was built from: what its build
// says, else, as in go test, what Git has checked out above the working
// directory. It is empty if there is neither. dirty reports changes since, and
// is known to the build only.
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

// checkedOut returns the commit that HEAD of the Git repository around dir
// names, "" if there is none (gitrepository-layout(5)).
func checkedOut(dir string) string {
	for {
		git := filepath.Join(dir, ".git")
		if info, err := os.Stat(git); err == nil {
			if !info.IsDir() {
				// Of a linked working tree or a submodule: a file that says where.
				where, _ := strings.CutPrefix(content(git), "gitdir: ")
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

// head resolves HEAD of a repository. Those of linked working trees share the
// references of another.
func head(git string) string {
	ref, symbolic := strings.CutPrefix(content(filepath.Join(git, "HEAD")), "ref: ")
	if !symbolic {
		return ref
	}
	shared := git
	if common := content(filepath.Join(git, "commondir")); common != "" {
		shared = absolute(git, common)
	}
	for _, dir := range []string{git, shared} {
		if commit := content(filepath.Join(dir, filepath.FromSlash(ref))); commit != "" {
			return commit
		}
	}
	return packed(filepath.Join(shared, "packed-refs"), ref)
}

// packed looks a reference up in a file of lines "commit reference".
func packed(path, ref string) string {
	f, err := os.Open(path)
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

// content returns a file's text without the white space around it, "" if it
// cannot be read.
func content(path string) string {
	b, _ := os.ReadFile(path)
	return strings.TrimSpace(string(b))
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
