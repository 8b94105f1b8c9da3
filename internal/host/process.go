package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"
)

// rusage is what getrusage(2) reports of this process.
type rusage struct {
	user, system time.Duration
	maxRSS       int64 // bytes
	err          error
}

// tasks is the state of all threads of this process. /proc/self/schedstat
// will not do: it has the main thread alone.
type tasks struct {
	times map[string]taskTimes // by thread id
	err   error
}

// taskTimes are how long, in ns, one thread ran and how long it was runnable
// and waited (Documentation/scheduler/sched-stats.rst).
type taskTimes struct{ run, wait uint64 }

func readTasks(fsys fs.FS) tasks {
	const dir = "proc/self/task"
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return tasks{err: err}
	}
	t := tasks{times: make(map[string]taskTimes, len(entries))}
	var last error
	kept := false
	for _, e := range entries {
		b, err := fs.ReadFile(fsys, dir+"/"+e.Name()+"/schedstat")
		if err != nil {
			last = err // the thread may have ended since ReadDir
			continue
		}
		times, err := parseSchedstat(b)
		if err != nil {
			return tasks{err: fmt.Errorf("%s/%s/schedstat: %w", dir, e.Name(), err)}
		}
		t.times[e.Name()] = times
		kept = kept || times != taskTimes{}
	}
	switch {
	case kept:
		return t
	case len(t.times) > 0:
		return tasks{err: errors.New(dir + ": this kernel keeps no times in schedstat")}
	case last != nil:
		return tasks{err: last}
	}
	return tasks{err: errors.New(dir + ": no threads")}
}

func parseSchedstat(b []byte) (t taskTimes, err error) {
	f := bytes.Fields(b)
	if len(f) < 2 {
		return taskTimes{}, fmt.Errorf("%d fields, want 3", len(f))
	}
	if t.run, err = strconv.ParseUint(string(f[0]), 10, 64); err != nil {
		return taskTimes{}, err
	}
	if t.wait, err = strconv.ParseUint(string(f[1]), 10, 64); err != nil {
		return taskTimes{}, err
	}
	return t, nil
}

// queued returns waiting / (running + waiting) and the waiting itself, over
// all threads. A thread that is new, or has the id of an earlier one, counts
// from its start; what a thread did that ended meanwhile is lost.
func queued(a, b tasks) (ratio float64, wait time.Duration, err error) {
	if err := firstOf(a.err, b.err); err != nil {
		return 0, 0, err
	}
	var running, waiting float64
	for id, after := range b.times {
		before := a.times[id]
		if after.run < before.run || after.wait < before.wait {
			before = taskTimes{}
		}
		running += float64(after.run - before.run)
		waiting += float64(after.wait - before.wait)
	}
	if waiting == 0 {
		return 0, 0, nil
	}
	return waiting / (running + waiting), nanoseconds(waiting), nil
}
