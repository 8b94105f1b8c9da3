// Package host measures what the process and its machine did during a run:
// processor time, garbage collection, and whether something else (a neighbour,
// a quota, a suspended machine) took time that the run should have had.
//
// It reads files below /proc and /sys/fs/cgroup through an [fs.FS]. A sensor
// whose file is absent or unreadable is off and gives the reason; it never fails
// a run.
package host

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/loadtestkit/load-tester/internal/clock"
)

// Sensors hold the first of two readings of all counters. Their methods may be
// called from any goroutine.
type Sensors struct {
	fsys   fs.FS
	cgroup cgroup
	first  counters
	hiccup *hiccup
	rusage func() rusage
	stop   func() Usage
}

// Start takes the first reading and starts to look for hiccups. fsys is the
// root of the machine's file system, os.DirFS("/"). The caller must call
// [Sensors.Stop], which ends the one goroutine that Start leaves running.
func Start(fsys fs.FS) *Sensors { return start(fsys, readRusage) }

func start(fsys fs.FS, own func() rusage) *Sensors {
	w := &Sensors{fsys: fsys, cgroup: findCgroup(fsys), rusage: own}
	w.first = read(fsys, w.cgroup, own())
	w.stop = sync.OnceValue(w.finish)
	w.hiccup = startHiccup()
	w.first.stamp(time.Now())
	return w
}

// Stop takes the second reading and returns what happened in between. Later
// calls return the same again.
func (w *Sensors) Stop() Usage {
	u := w.stop()
	u.Off = slices.Clone(u.Off)
	return u
}

func (w *Sensors) finish() Usage {
	now := time.Now()
	last := read(w.fsys, w.cgroup, w.rusage())
	last.stamp(now)
	u := between(&w.first, &last)
	u.ClockTick = clock.Tick()
	u.Hiccup99, u.HiccupMax = w.hiccup.end()
	return u
}

// Readings are the sensors that read a share, in [0, 1]; nil where a sensor is
// off.
type Readings struct {
	Steal      *float64 `json:"steal"`        // processor time the hypervisor gave to others, of all there was
	Throttled  *float64 `json:"throttled"`    // periods in which a cgroup's CPU quota stopped this process, of all periods
	Pressure   *float64 `json:"cpu_pressure"` // part of the window in which some task of this machine waited for a processor
	ForeignCPU *float64 `json:"foreign_cpu"`  // processor time of other processes, of all there was; interrupts left out
	RunQueue   *float64 `json:"run_queue"`    // waiting / (running + waiting), over all threads of this process
}

// Usage is what happened between two readings.
type Usage struct {
	Wall time.Duration `json:"wall_ns"` // the window, on the monotonic clock

	HaveCPU   bool          `json:"have_cpu"`      // this system reports the next three
	CPUUser   time.Duration `json:"cpu_user_ns"`   // of this process, all threads
	CPUSystem time.Duration `json:"cpu_system_ns"` // likewise
	MaxRSS    int64         `json:"max_rss_bytes"` // the most this process ever had resident, since its start

	Readings

	RunQueueWait  time.Duration `json:"run_queue_wait_ns"` // summed over all threads; 0 when RunQueue is off
	ThrottledTime time.Duration `json:"throttled_time_ns"` // summed over processors; 0 when Throttled is off

	GCPauses     int64         `json:"gc_pauses"`         // stop-the-world pauses for garbage collection, two for each collection
	GCPauseTotal time.Duration `json:"gc_pause_total_ns"` // of the collections that ended in the window
	GCPauseMax   time.Duration `json:"gc_pause_max_ns"`   // the upper bound of its bucket of runtime/metrics: up to 25 % too high

	// How long runnable goroutines waited for a thread: upper bounds, as coarse.
	SchedLatencyP50 time.Duration `json:"sched_latency_p50_ns"`
	SchedLatencyP99 time.Duration `json:"sched_latency_p99_ns"`
	SchedLatencyMax time.Duration `json:"sched_latency_max_ns"`

	// How much too late a goroutine that sleeps 10 ms at a time woke.
	Hiccup99  time.Duration `json:"hiccup_p99_ns"`
	HiccupMax time.Duration `json:"hiccup_max_ns"`

	// ClockDrift is how much further the wall clock went than the monotonic
	// clock. More than a second either way is a clock that was set or, where
	// the monotonic clock stops during a suspension (Linux, macOS), a suspended
	// machine.
	ClockDrift time.Duration `json:"clock_drift_ns"`
	ClockTick  time.Duration `json:"clock_tick_ns,omitempty"` // for which the clock stands still before it moves on; 0 if that is too short to matter

	Off []string `json:"sensors_off,omitempty"` // one line for each sensor that is off: "name: why"
}

// CPU is the processor time of this process; 0 without HaveCPU.
func (u *Usage) CPU() time.Duration { return u.CPUUser + u.CPUSystem }

// CPUShare is the part of a number of processors that this process used; nil if
// that is unknown.
func (u *Usage) CPUShare(processors int) *float64 {
	if !u.HaveCPU || u.Wall <= 0 || processors <= 0 {
		return nil
	}
	return new(u.CPU().Seconds() / (u.Wall.Seconds() * float64(processors)))
}

// counters are the state of all counters at one instant. Each part carries the
// error that made it absent.
type counters struct {
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
func (c *counters) stamp(now time.Time) {
	c.at, c.wall = now, now.Round(0) // Round drops the monotonic clock
}

// read takes a reading. The cgroup is looked up once, by Start: a process that
// is moved to another one meanwhile is still read at its first. own is what the
// system reports of this process.
func read(fsys fs.FS, cg cgroup, own rusage) counters {
	return counters{
		own:      own,
		stat:     readStat(fsys),
		pressure: readPressure(fsys),
		tasks:    readTasks(fsys),
		quotas:   cg.read(fsys),
		runtime:  readRuntime(),
	}
}

// between returns what happened from a to b. It does no I/O.
func between(a, b *counters) Usage {
	mono := b.at.Sub(a.at)
	u := Usage{
		Wall:       max(0, mono),
		ClockDrift: b.wall.Sub(a.wall) - mono,
	}
	off := func(sensor string, err error) { u.Off = append(u.Off, fmt.Sprintf("%s: %v", sensor, err)) }
	share := func(sensor string, v float64, err error) *float64 {
		if err != nil {
			off(sensor, err)
			return nil
		}
		return new(min(max(v, 0), 1))
	}

	ownErr := firstOf(a.own.err, b.own.err)
	if ownErr != nil {
		off("own CPU", ownErr)
	} else {
		u.HaveCPU = true
		u.CPUUser = max(0, b.own.user-a.own.user)
		u.CPUSystem = max(0, b.own.system-a.own.system)
		u.MaxRSS = b.own.maxRSS
	}

	v, err := stolen(a.stat, b.stat)
	u.Steal = share("steal", v, err)

	if v, err = 0, ownErr; err == nil {
		v, err = foreign(a.stat, b.stat, u.CPU())
	}
	u.ForeignCPU = share("foreign CPU", v, err)

	v, err = stalled(a.pressure, b.pressure, u.Wall)
	u.Pressure = share("pressure", v, err)

	v, u.RunQueueWait, err = queued(a.tasks, b.tasks)
	u.RunQueue = share("run queue", v, err)

	v, u.ThrottledTime, err = throttled(a.quotas, b.quotas)
	u.Throttled = share("throttling", v, err)

	if err := u.addRuntime(a.runtime, b.runtime); err != nil {
		off("runtime", err)
	}
	return u
}

// rise returns how far a counter went up. A counter that wrapped or went back (a
// processor taken out, a machine moved to another host) says nothing.
func rise(name string, before, after uint64) (float64, error) {
	if after < before {
		return 0, fmt.Errorf("%s went backwards, from %d to %d", name, before, after)
	}
	return float64(after - before), nil
}

// nanoseconds turns a number of ns into a duration, the longest there is if
// it is too large: that is garbage, but must not turn negative.
func nanoseconds(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
