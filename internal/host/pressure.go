package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"
)

// stall is for how long, in µs since boot, some task waited for a processor
// (Documentation/accounting/psi.rst). The running total is read, since avg10
// looks back 10 s, whatever the window.
type stall struct {
	total uint64
	err   error
}

func readPressure(fsys fs.FS) stall {
	b, err := fs.ReadFile(fsys, "proc/pressure/cpu")
	if err != nil {
		return stall{err: err}
	}
	return parsePressure(b)
}

func parsePressure(b []byte) stall {
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) == 0 || string(f[0]) != "some" {
			continue
		}
		for _, kv := range f[1:] {
			v, ok := bytes.CutPrefix(kv, []byte("total="))
			if !ok {
				continue
			}
			n, err := strconv.ParseUint(string(v), 10, 64)
			if err != nil {
				return stall{err: fmt.Errorf("proc/pressure/cpu: total: %w", err)}
			}
			return stall{total: n}
		}
	}
	return stall{err: errors.New(`proc/pressure/cpu: no line "some" with a total`)}
}

// stalled returns the part of the window in which some task waited.
func stalled(a, b stall, wall time.Duration) (float64, error) {
	if err := firstOf(a.err, b.err); err != nil {
		return 0, err
	}
	d, err := rise("proc/pressure/cpu: total", a.total, b.total)
	if err != nil || wall <= 0 {
		return 0, err
	}
	return d / (wall.Seconds() * 1e6), nil
}
