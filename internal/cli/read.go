package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/loadtestkit/load-tester/internal/unit"
)

// What is read of a file or of standard input at most, in octets: a device such as
// /dev/zero has no end.
const (
	maxBody = 1e9
	maxPEM  = 1e7 // all authorities that browsers trust are 230 kB
)

// readFile reads a file of at most most octets.
func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		return nil, tooLong(most)
	}
	return readAll(f, most)
}

// readAll reads at most most octets, and no more follow.
func readAll(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if int64(len(b)) > most {
		return nil, tooLong(most)
	}
	return b, err
}

func tooLong(most int64) error { return fmt.Errorf("longer than %s", unit.Size(most)) }
