package loadtestkit

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loadtestkit/load-tester/internal/lock"
)

// packageDir is the directory of the package under test, in which go test starts
// its binary: asked for at once, as tests may leave it.
var packageDir, errPackageDir = os.Getwd()

// markAge is how far in the future the mark is dated: longer than any test goes on
// after a measurement, and within the dates of every file system.
const markAge = 365 * 24 * time.Hour

// preventCaching makes the go command run this test again next time, instead of
// showing the result of today's measurement as "(cached)".
//
// The go command saves a result together with the names of the files in its module
// that the test opened, and shows it again while they have not changed. So a file
// that will have, the mark, is opened by a name that begins with the package's
// directory. The mark itself is beside the list of names, in a directory that the go
// command makes for one run and removes afterwards. Where it is kept (go test -work)
// the mark's date serves: a result is not saved if a file is less than two seconds
// old, or of the future.
func preventCaching() error {
	list := flag.Lookup("test.testlogfile")
	if list == nil || list.Value.String() == "" {
		return nil // the go command will not save the result
	}
	mark := filepath.Join(filepath.Dir(list.Value.String()), "loadtestkit-measured")
	name, err := within(packageDir, mark)
	if err = errors.Join(errPackageDir, err); err == nil {
		err = openMark(mark, name)
	}
	if err != nil {
		return fmt.Errorf("go test may show this result again without a measurement, run it with -count=1: %w", err)
	}
	return nil
}

// within returns a name of a file that begins with the name of a directory, which it
// leaves again.
func within(dir, file string) (string, error) {
	volume := filepath.VolumeName(dir)
	if !strings.EqualFold(volume, filepath.VolumeName(file)) {
		return "", fmt.Errorf("%s and %s are on different volumes", dir, file)
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	const separator = string(filepath.Separator)
	// One step too many stays at the root.
	steps := strings.Count(dir, separator) + strings.Count(real, separator)
	return dir + strings.Repeat(separator+"..", steps) + file[len(volume):], nil
}

// openMark makes the mark and opens it by another of its names.
func openMark(mark, name string) error {
	f, err := lock.Open(mark, os.O_CREATE|os.O_RDONLY|lock.NoFollow, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	future := time.Now().Add(markAge)
	if err := os.Chtimes(mark, future, future); err != nil {
		return err
	}
	if f, err = lock.Open(name, os.O_RDONLY|lock.NoFollow, 0); err != nil {
		return err
	}
	return f.Close()
}
