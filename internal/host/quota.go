package host

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Quota returns how many processors' worth of time the cgroups of this process
// allow it, the least of them; 0 if they set no limit or cannot be read. fsys
// is the root of the machine's file system.
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
	if err != nil || err2 != nil || quota <= 0 || period <= 0 {
		return 0
	}
	return quota / period
}
