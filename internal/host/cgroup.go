package host

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cgroup is where a CPU quota on this process shows: the cpu.stat files of its
// own cgroup and of those above it as far as they can be seen, since a quota on
// any of them stops it. A container sees no further than its own mount.
type cgroup struct {
	files []string
	err   error // why files is empty
}

// findCgroup follows /proc/self/cgroup and /proc/self/mountinfo (cgroups(7));
// where they lead to no file it tries the usual places of versions 1 and 2.
func findCgroup(fsys fs.FS) cgroup {
	c := existing(fsys, ownCgroups(fsys))
	for _, dir := range []string{"sys/fs/cgroup/cpu", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup"} {
		if len(c.files) == 0 {
			c = existing(fsys, []string{dir})
		}
	}
	return c
}

// existing keeps the cpu.stat files of dirs that can be read.
func existing(fsys fs.FS, dirs []string) (c cgroup) {
	for _, dir := range dirs {
		file := path.Join(dir, "cpu.stat")
		if _, err := fs.ReadFile(fsys, file); err != nil {
			c.err = err
			continue
		}
		c.files = append(c.files, file)
	}
	return c
}

// ownCgroups returns the directories of the cgroup that may limit this
// process, its own first, up to the mount point; none if they cannot be found.
// Version 1 wins where both are in use: then it has the cpu controller.
func ownCgroups(fsys fs.FS) []string {
	own, err := fs.ReadFile(fsys, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := fs.ReadFile(fsys, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	name, v1, ok := parseCgroup(own)
	if !ok {
		return nil
	}
	for line := range bytes.Lines(mounts) {
		m, ok := parseMount(string(line))
		if !ok || m.v1 != v1 {
			continue
		}
		dir := path.Join(m.point, below(m.root, name))
		dirs := []string{dir}
		for dir != m.point {
			dir = path.Dir(dir)
			dirs = append(dirs, dir)
		}
		return dirs
	}
	return nil
}

// parseCgroup finds the name of the cgroup of the cpu controller in
// /proc/self/cgroup, whose lines are id:controllers:name; version 2 has id 0
// and no controllers.
func parseCgroup(b []byte) (name string, v1, ok bool) {
	for line := range strings.Lines(string(b)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		switch {
		case len(f) != 3:
		case slices.Contains(strings.Split(f[1], ","), "cpu"):
			return f[2], true, true
		case f[0] == "0" && f[1] == "":
			name, ok = f[2], true
		}
	}
	return name, false, ok
}

// mount is a mounted hierarchy of cgroups with the cpu controller.
type mount struct {
	root  string // the cgroup that is mounted at point
	point string // without the slash in front, as fs.FS wants it
	v1    bool
}

// parseMount reads a line of /proc/self/mountinfo (proc_pid_mountinfo(5)):
// id parent device root point options [tags...] - type source superoptions.
func parseMount(line string) (m mount, ok bool) {
	before, after, _ := strings.Cut(line, " - ")
	f, g := strings.Fields(before), strings.Fields(after)
	if len(f) < 6 || len(g) < 3 {
		return mount{}, false
	}
	switch g[0] {
	case "cgroup":
		m.v1 = true
		if !slices.Contains(strings.Split(g[2], ","), "cpu") {
			return mount{}, false
		}
	case "cgroup2":
	default:
		return mount{}, false
	}
	m.root = unescape(f[3])
	m.point = path.Clean(strings.TrimPrefix(unescape(f[4]), "/"))
	return m, fs.ValidPath(m.point)
}

// below returns the path of the cgroup name below root, "" if it is not there:
// the name may be one that only the host can see, or contain "..".
func below(root, name string) string {
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(root, "/"))
	if !ok || !strings.HasPrefix(rest, "/") || slices.Contains(strings.Split(rest, "/"), "..") {
		return ""
	}
	return rest
}

// unescape replaces each \ooo of mountinfo, which is how it writes blanks and the
// like.
func unescape(s string) string {
	for i := 0; ; i++ {
		j := strings.IndexByte(s[i:], '\\')
		if j < 0 {
			return s
		}
		i += j
		if len(s) < i+4 {
			return s
		}
		if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
			s = s[:i] + string([]byte{byte(n)}) + s[i+4:]
		}
	}
}

// Quota returns how many processors' worth of time the cgroups of this process
// allow it: the least of their quotas, 0 if they have none or cannot be read.
// fsys is the root of the machine's file system.
func Quota(fsys fs.FS) float64 {
	least := 0.0
	for _, file := range findCgroup(fsys).files {
		if q := quotaIn(fsys, path.Dir(file)); q > 0 && (least == 0 || q < least) {
			least = q
		}
	}
	return least
}

// quotaIn reads the quota of one cgroup: cpu.max of version 2, as "150000
// 100000", or two files of version 1. No limit is "max" or -1.
func quotaIn(fsys fs.FS, dir string) float64 {
	read := func(name string) []string {
		b, _ := fs.ReadFile(fsys, path.Join(dir, name))
		return strings.Fields(string(b))
	}
	f := read("cpu.max")
	if len(f) != 2 {
		f = append(read("cpu.cfs_quota_us"), read("cpu.cfs_period_us")...)
	}
	if len(f) != 2 {
		return 0
	}
	quota, err := strconv.ParseFloat(f[0], 64)
	period, err2 := strconv.ParseFloat(f[1], 64)
	q := quota / period
	if err != nil || err2 != nil || !(quota > 0 && period > 0 && q <= math.MaxFloat64) {
		return 0
	}
	return q
}

// quotas are the counters of the cgroups of this process.
type quotas struct {
	levels map[string]quota // by file
	err    error
}

// quota counts the periods of one cgroup (Documentation/scheduler/sched-bwc.rst)
// and those in which its quota was used up and it had to stop. All counts are 0
// where no quota is set.
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

// parseQuota reads cpu.stat of either version. Version 2 leaves out the periods
// where the cpu controller is not on, and then there can be no quota.
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

// throttled returns the part of the periods in which the process was stopped,
// and for how long it was, each from the cgroup that was stopped most.
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
