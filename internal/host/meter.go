package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
)

// finest is the longest step of a clock of processor time that a request can be
// measured by: Windows moves that of a process on by 15.6 ms at a time.
const finest = 10 * time.Microsecond

// ProcessorTime returns how much processor time this process has used so far, over
// all threads. It reports false where that is unknown or moves on in steps of more
// than 10 µs.
func ProcessorTime() (time.Duration, bool) {
	t, err := processorTime()
	return t, err == nil && isFine()
}

// isFine reports whether the clock of this process moves on in short steps. Other
// threads may use time between two readings, so one short step is enough; the clock
// of Windows has none in the time that this takes at most.
var isFine = sync.OnceValue(func() bool {
	const patience = 20 * time.Millisecond
	last, err := processorTime()
	for began := clock.System.Now(); err == nil && clock.System.Since(began) < patience; {
		var now time.Duration
		now, err = processorTime()
		if step := now - last; step > 0 && step <= finest {
			return true
		}
		last = now
	}
	return false
})

// A Meter reads the processor time that some processes use. It may be used by one
// goroutine at a time.
type Meter struct {
	fsys      fs.FS
	processes []process // none: this process
	err       error     // why it is unknown from now on
}

// NewMeter returns a meter of the processes with the given ids; without any, or
// with only its own, of this process. Its error says why their time is not known.
func NewMeter(pids []int) (*Meter, error) { return newMeter(os.DirFS("/"), pids) }

func newMeter(fsys fs.FS, pids []int) (*Meter, error) {
	m := &Meter{fsys: fsys}
	if len(pids) == 0 || len(pids) == 1 && pids[0] == os.Getpid() {
		if _, ok := ProcessorTime(); !ok {
			return nil, fmt.Errorf("the processor time of a process is not known on %s, or not finely enough", runtime.GOOS)
		}
		return m, nil
	}
	for _, pid := range pids {
		p, err := readProcess(fsys, pid)
		if err != nil {
			return nil, err
		}
		m.processes = append(m.processes, p)
	}
	_, err := m.Read()
	return m, err
}

// Read returns the processor time that the processes have used so far, together. A
// thread that runs at this instant may count up to the last tick of the scheduler,
// a few ms ago. The time is unknown for good once one of the processes has ended,
// and once a child that is not one of them has: what it used is not counted.
func (m *Meter) Read() (time.Duration, error) {
	if len(m.processes) == 0 {
		return processorTime()
	}
	var sum time.Duration
	for _, p := range m.processes {
		var t time.Duration
		if m.err == nil {
			t, m.err = p.time(m.fsys)
		}
		sum += t
	}
	if m.err != nil {
		return 0, m.err
	}
	return sum, nil
}

// A process is what /proc/PID/stat says of a process (proc_pid_stat(5)).
type process struct {
	pid, parent int
	name        string
	started     uint64 // ticks from boot; no two processes with one id have it in common
	children    uint64 // ticks used by children that ended and were waited for
}

// time returns the processor time of p so far. p is looked at after its clock: if it
// is still there, the clock was its own, and not that of a later process with the
// same id.
func (p process) time(fsys fs.FS) (time.Duration, error) {
	t, err := timeOf(p.pid)
	if err != nil {
		return 0, p.describe(err)
	}
	now, err := readProcess(fsys, p.pid)
	switch {
	case err != nil:
		return 0, p.describe(err)
	case now.started != p.started:
		return 0, p.describe(errEnded)
	case now.children != p.children:
		return 0, p.describe(errors.New("works in processes that end before the measurement does"))
	}
	return t, nil
}

// describe adds to an error which process it is about.
func (p process) describe(err error) error {
	return fmt.Errorf("process %d (%s): %w", p.pid, p.name, err)
}

// errEnded is the error of a process that is gone.
var errEnded = errors.New("has ended")

// readProcess looks at a process, which must not have ended.
func readProcess(fsys fs.FS, pid int) (process, error) {
	b, err := fs.ReadFile(fsys, "proc/"+strconv.Itoa(pid)+"/stat")
	if errors.Is(err, fs.ErrNotExist) {
		return process{}, fmt.Errorf("process %d %w", pid, errEnded)
	}
	if err != nil {
		return process{}, err
	}
	p, err := parseProcess(string(b))
	if err != nil {
		return process{}, fmt.Errorf("process %d: %w", pid, err)
	}
	p.pid = pid
	return p, nil
}

// parseProcess reads the line of /proc/PID/stat. The name of the program comes in
// parentheses and may have any character in it, parentheses too.
func parseProcess(line string) (p process, err error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return process{}, errors.New("stat: no name in parentheses")
	}
	p.name = line[open+1 : end]
	f := strings.Fields(line[end+1:]) // from the third field on, the state
	const third = 3
	if len(f) <= 22-third {
		return process{}, fmt.Errorf("stat: %d fields after the name, want at least 20", len(f))
	}
	if slices.Contains([]string{"Z", "X", "x"}, f[0]) {
		return process{}, errEnded
	}
	number := func(field int) (n uint64) {
		if err == nil {
			if n, err = strconv.ParseUint(f[field-third], 10, 63); err != nil {
				err = fmt.Errorf("stat: field %d: %w", field, err)
			}
		}
		return n
	}
	p.parent = int(number(4))
	p.children = number(16) + number(17)
	p.started = number(22)
	return p, err
}
