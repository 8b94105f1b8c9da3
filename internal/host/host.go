// Package host tells what the process and its machine did while a run was on:
// processor time, garbage collection, and whether something else (a
// neighbour, a quota, a suspended machine) took time the run should have had.
//
// It reads files below /proc and /sys/fs/cgroup through an [fs.FS]. A sensor
// whose file is absent or unreadable is off and says why; it never fails a run.
package host

import (
	"io/fs"
	"slices"
	"sync"
	"time"
)

// A Watch is the first of two readings. Its methods may be called from any
// goroutine.
type Watch struct {
	fsys   fs.FS
	cgroup cgroup
	first  reading
	hiccup *hiccup
	stop   func() Usage
}

// Start takes the first reading and starts to look for hiccups. fsys is the
// root of the machine's file system, os.DirFS("/"). The caller must call
// [Watch.Stop], which ends the one goroutine that Start leaves running.
func Start(fsys fs.FS) *Watch {
	w := &Watch{fsys: fsys, cgroup: findCgroup(fsys)}
	w.first = read(fsys, w.cgroup)
	w.stop = sync.OnceValue(w.finish)
	w.hiccup = startHiccup()
	w.first.stamp(time.Now())
	return w
}

// Stop takes the second reading and returns what happened in between. Later
// calls return the same again.
func (w *Watch) Stop() Usage {
	u := w.stop()
	u.Off = slices.Clone(u.Off)
	return u
}

func (w *Watch) finish() Usage {
	now := time.Now()
	last := read(w.fsys, w.cgroup)
	last.stamp(now)
	u := between(&w.first, &last)
	u.Hiccup99, u.HiccupMax = w.hiccup.end()
	return u
}

// A Reading is the value of one sensor. OK is false when the sensor is off,
// and then Value is 0.
type Reading struct {
	Value float64 // a ratio in [0, 1]
	OK    bool
}

// Usage is what happened between two readings.
type Usage struct {
	Wall time.Duration // the window, on the monotonic clock

	HaveCPU            bool          // whether this system tells the next four
	CPU                time.Duration // processor time of this process, all threads: CPUUser + CPUSystem
	CPUUser, CPUSystem time.Duration
	MaxRSS             int64 // bytes, the most this process ever had resident, from its start on

	Steal      Reading // processor time the hypervisor gave to others, of all there was
	ForeignCPU Reading // processor time of other processes, of all there was; interrupts apart
	Pressure   Reading // part of the window in which some task of this machine waited for a processor
	RunQueue   Reading // waiting / (running + waiting), over all threads of this process

	RunQueueWait time.Duration // summed over all threads; 0 when RunQueue is off

	Throttled     Reading       // periods in which a cgroup's CPU quota stopped this process, of all periods
	ThrottledTime time.Duration // summed over processors; 0 when Throttled is off

	GCPauses     int64         // stop-the-world pauses for garbage collection, two for each collection
	GCPauseTotal time.Duration // of the collections that ended in the window
	GCPauseMax   time.Duration // the upper bound of its bucket of runtime/metrics: up to 25 % too high

	// How long runnable goroutines waited for a thread: upper bounds, as coarse.
	SchedLatencyP50, SchedLatencyP99, SchedLatencyMax time.Duration

	Hiccup99, HiccupMax time.Duration // how much too late a goroutine that sleeps 10 ms at a time woke

	// ClockDrift is how much further the wall clock went than the monotonic
	// clock. More than a second either way is a clock that was set or, where
	// the monotonic clock stands still then (Linux, macOS), a suspended machine.
	ClockDrift time.Duration

	Off []string // one line for each sensor that is off: which and why
}

// CPUShare is the part of a number of processors that this process used; off
// where that is not known.
func (u *Usage) CPUShare(processors int) Reading {
	if !u.HaveCPU || u.Wall <= 0 || processors <= 0 {
		return Reading{}
	}
	return Reading{Value: u.CPU.Seconds() / (u.Wall.Seconds() * float64(processors)), OK: true}
}
