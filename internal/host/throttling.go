package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"time"
)

// quotas is what the cgroups of this process say of their CPU quota.
type quotas struct {
	levels map[string]quota // by file
	err    error
}

// quota counts the periods of one cgroup (Documentation/scheduler/sched-bwc.rst)
// and those in which its quota was used up and it had to stop. All are 0 where
// no quota is set.
type quota struct {
	periods, throttled uint64
	time               uint64 // ns stopped, summed over processors
}

func (c cgroup) read(fsys fs.FS) quotas {
	q := quotas{levels: map[string]quota{}, err: c.err}
	for _, file := range c.files {
		b, err := fs.ReadFile(fsys, file)
		if err != nil {
			q.err = err
			continue
		}
		level, err := parseQuota(b)
		if err != nil {
			q.err = fmt.Errorf("%s: %w", file, err)
			continue
		}
		q.levels[file] = level
	}
	return q
}

// parseQuota reads cpu.stat of either version. Version 2 leaves the periods
// out where the cpu controller is not on, and there can be no quota then.
func parseQuota(b []byte) (q quota, err error) {
	var known bool
	for line := range bytes.Lines(b) {
		f := bytes.Fields(line)
		if len(f) != 2 {
			continue
		}
		unit := uint64(1)
		var into *uint64
		switch string(f[0]) {
		case "usage_usec":
			known = true
			continue
		case "nr_periods":
			known, into = true, &q.periods
		case "nr_throttled":
			into = &q.throttled
		case "throttled_time": // version 1
			into = &q.time
		case "throttled_usec": // version 2
			into, unit = &q.time, 1000
		default:
			continue
		}
		n, err := strconv.ParseUint(string(f[1]), 10, 64)
		if err != nil {
			return quota{}, fmt.Errorf("%s: %w", f[0], err)
		}
		if n > math.MaxUint64/unit {
			return quota{}, fmt.Errorf("%s: %d is out of range", f[0], n)
		}
		*into = n * unit
	}
	if !known {
		return quota{}, errors.New("neither nr_periods nor usage_usec")
	}
	return q, nil
}

// throttled returns the part of the periods in which the process was stopped
// and for how long, each from the cgroup that was stopped most.
func throttled(a, b quotas) (ratio float64, stopped time.Duration, err error) {
	err = firstOf(a.err, b.err)
	var seen bool
	for file, after := range b.levels {
		before, ok := a.levels[file]
		if !ok {
			continue
		}
		periods, err1 := rise(file+": nr_periods", before.periods, after.periods)
		times, err2 := rise(file+": nr_throttled", before.throttled, after.throttled)
		ns, err3 := rise(file+": throttled time", before.time, after.time)
		if e := firstOf(err1, err2, err3); e != nil {
			err = e
			continue
		}
		seen = true
		if periods > 0 {
			ratio = max(ratio, times/periods)
		}
		stopped = max(stopped, nanoseconds(ns))
	}
	if !seen {
		return 0, 0, firstOf(err, errors.New("no cgroup was there at both readings"))
	}
	return ratio, stopped, nil
}
