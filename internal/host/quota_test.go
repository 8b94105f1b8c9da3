package host

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQuota(t *testing.T) {
	const stat = "nr_periods 0\nnr_throttled 0\n"
	const v2 = "25 30 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	const v1 = "25 30 0:23 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	for _, tc := range []struct {
		files tree
		want  float64
		why   string
	}{
		{tree{"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/cpu.stat": stat, "sys/fs/cgroup/a/cpu.max": "150000 100000\n"}, 1.5, "version 2"},
		{tree{"proc/self/cgroup": "0::/a/b\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/b/cpu.stat": stat, "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
			"sys/fs/cgroup/a/cpu.stat": stat, "sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 2, "the least counts"},
		{tree{"proc/self/cgroup": "0::/a\n", "proc/self/mountinfo": v2, "sys/fs/cgroup/a/cpu.stat": stat, "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 0, "none"},
		{tree{"proc/self/cgroup": "4:cpu:/a\n", "proc/self/mountinfo": v1, "sys/fs/cgroup/cpu/a/cpu.stat": stat,
			"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n"}, 0.5, "version 1"},
		{tree{"proc/self/cgroup": "4:cpu:/a\n", "proc/self/mountinfo": v1, "sys/fs/cgroup/cpu/a/cpu.stat": stat,
			"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/a/cpu.cfs_period_us": "100000\n"}, 0, "version 1, none"},
		{tree{"sys/fs/cgroup/cpu.stat": stat, "sys/fs/cgroup/cpu.max": "lots\n"}, 0, "garbage"},
		{tree{}, 0, "a system without cgroups"},
	} {
		assert.Equal(t, tc.want, Quota(tc.files.fs()), tc.why)
	}
}
