package host

import (
	"fmt"
	"io/fs"
	"time"
)

// reading is the state of all counters at one instant. Each part carries the
// error that made it absent.
type reading struct {
	at       time.Time // with the monotonic clock
	wall     time.Time // the same instant on the wall clock alone
	own      rusage
	stat     cpuTicks
	pressure stall
	tasks    tasks
	quotas   quotas
	runtime  runtimeStats
}

// stamp sets the instant of a reading: the window of a run begins when its
// first reading has been taken and ends before its last.
func (r *reading) stamp(now time.Time) {
	r.at, r.wall = now, now.Round(0) // Round drops the monotonic clock
}

// rusage is what getrusage(2) tells of this process.
type rusage struct {
	user, system time.Duration
	maxRSS       int64 // bytes
	err          error
}

// read takes a reading. The cgroup is looked for once, by Start: a process
// that is moved to another one meanwhile is still read at its first.
func read(fsys fs.FS, cg cgroup) reading {
	return reading{
		own:      readRusage(),
		stat:     readStat(fsys),
		pressure: readPressure(fsys),
		tasks:    readTasks(fsys),
		quotas:   cg.read(fsys),
		runtime:  readRuntime(),
	}
}

// between returns what happened from a to b. It does no I/O.
func between(a, b *reading) Usage {
	mono := b.at.Sub(a.at)
	u := Usage{
		Wall:       max(0, mono),
		ClockDrift: b.wall.Sub(a.wall) - mono,
	}
	off := func(sensor string, err error) { u.Off = append(u.Off, fmt.Sprintf("%s: %v", sensor, err)) }
	ratio := func(sensor string, v float64, err error) Reading {
		if err != nil {
			off(sensor, err)
			return Reading{}
		}
		return Reading{Value: min(max(v, 0), 1), OK: true}
	}

	ownErr := firstOf(a.own.err, b.own.err)
	if ownErr != nil {
		off("own CPU", ownErr)
	} else {
		u.HaveCPU = true
		u.CPUUser = max(0, b.own.user-a.own.user)
		u.CPUSystem = max(0, b.own.system-a.own.system)
		u.CPU = u.CPUUser + u.CPUSystem
		u.MaxRSS = b.own.maxRSS
	}

	v, err := stolen(a.stat, b.stat)
	u.Steal = ratio("steal", v, err)

	if v, err = 0, ownErr; err == nil {
		v, err = foreign(a.stat, b.stat, u.CPU)
	}
	u.ForeignCPU = ratio("foreign CPU", v, err)

	v, err = stalled(a.pressure, b.pressure, u.Wall)
	u.Pressure = ratio("pressure", v, err)

	v, u.RunQueueWait, err = queued(a.tasks, b.tasks)
	u.RunQueue = ratio("run queue", v, err)

	v, u.ThrottledTime, err = throttled(a.quotas, b.quotas)
	u.Throttled = ratio("throttling", v, err)

	if err := u.addRuntime(a.runtime, b.runtime); err != nil {
		off("runtime", err)
	}
	return u
}

// rise returns how far a counter went up. One that wrapped or went back (a
// processor taken out, a machine moved to another host) has told nothing.
func rise(name string, before, after uint64) (float64, error) {
	if after < before {
		return 0, fmt.Errorf("%s went backwards, from %d to %d", name, before, after)
	}
	return float64(after - before), nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
