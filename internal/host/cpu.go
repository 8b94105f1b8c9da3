package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// CPU returns the name of the first processor and whether it is a virtual
// machine's, from /proc/cpuinfo (proc_cpuinfo(5)); "" and false where the system
// does not report it. ARM processors have numbers for a name, and do not report
// whether they are virtual.
func CPU(fsys fs.FS) (name string, virtual bool) {
	info, _ := fs.ReadFile(fsys, "proc/cpuinfo")
	first, _, _ := strings.Cut(string(info), "\n\n")
	var numbers []string
	for line := range strings.Lines(first) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "model name":
			name = value
		case "CPU implementer", "CPU variant", "CPU part":
			numbers = append(numbers, value)
		case "flags":
			virtual = strings.Contains(" "+value+" ", " hypervisor ")
		}
	}
	if name == "" {
		name = strings.Join(numbers, " ")
	}
	return name, virtual
}

// userHz is how many ticks of /proc/stat are one second: USER_HZ, which is 100
// on every architecture Go supports on Linux (asm-generic/param.h).
const userHz = 100

// cpuTicks is the first line of /proc/stat: ticks of all processors together
// since boot (proc_stat(5)). Time of guests is part of user and nice already.
type cpuTicks struct {
	user, nice, system, idle, iowait, irq, softirq, steal uint64
	err                                                   error
}

func readStat(fsys fs.FS) cpuTicks {
	b, err := fs.ReadFile(fsys, "proc/stat")
	if err != nil {
		return cpuTicks{err: err}
	}
	return parseStat(b)
}

func parseStat(b []byte) (t cpuTicks) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	f := bytes.Fields(line)
	into := []*uint64{&t.user, &t.nice, &t.system, &t.idle, &t.iowait, &t.irq, &t.softirq, &t.steal}
	if len(f) < 1+len(into) || string(f[0]) != "cpu" {
		return cpuTicks{err: errors.New("proc/stat: no line of all processors with 8 counters")}
	}
	for i, p := range into {
		n, err := strconv.ParseUint(string(f[1+i]), 10, 64)
		if err != nil {
			return cpuTicks{err: fmt.Errorf("proc/stat: counter %d: %w", i+1, err)}
		}
		*p = n
	}
	return t
}

// elapsed returns how many ticks all processors together had from a to b.
// idle and iowait may go back (proc_stat(5)) and then count as unchanged; the
// others must not.
func elapsed(a, b cpuTicks) (total float64, err error) {
	if err := firstOf(a.err, b.err); err != nil {
		return 0, err
	}
	for _, c := range []struct {
		name          string
		before, after uint64
	}{
		{"user", a.user, b.user},
		{"nice", a.nice, b.nice},
		{"system", a.system, b.system},
		{"idle", a.idle, max(a.idle, b.idle)},
		{"iowait", a.iowait, max(a.iowait, b.iowait)},
		{"irq", a.irq, b.irq},
		{"softirq", a.softirq, b.softirq},
		{"steal", a.steal, b.steal},
	} {
		d, err := rise("proc/stat: "+c.name, c.before, c.after)
		if err != nil {
			return 0, err
		}
		total += d
	}
	if total == 0 {
		return 0, errors.New("proc/stat: no tick passed between the readings")
	}
	return total, nil
}

// stolen returns the part of all processor time that the hypervisor gave to
// others while something here wanted to run.
func stolen(a, b cpuTicks) (float64, error) {
	total, err := elapsed(a, b)
	if err != nil {
		return 0, err
	}
	return float64(b.steal-a.steal) / total, nil
}

// foreign returns the part of all processor time that other processes took,
// given what this one took. Interrupts are left out: they belong to no
// process, and under load most of them are for our own packets.
func foreign(a, b cpuTicks, own time.Duration) (float64, error) {
	total, err := elapsed(a, b)
	if err != nil {
		return 0, err
	}
	busy := float64(b.user-a.user) + float64(b.nice-a.nice) + float64(b.system-a.system)
	return max(0, busy-own.Seconds()*userHz) / total, nil
}

// stall is how long, in µs since boot, some task waited for a processor
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

// Processors is how many processors this process may use: those of the
// scheduler, except the second that a poll gives it where there is one CPU.
func Processors() int {
	if runtime.NumCPU() == 1 {
		return 1
	}
	return runtime.GOMAXPROCS(0)
}
