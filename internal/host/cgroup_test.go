package host

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFindCgroup(t *testing.T) {
	const stat = "nr_periods 0\nnr_throttled 0\n"
	tests := []struct {
		name           string
		cgroup, mounts string
		existing       []string
		want           []string
		why            string
	}{
		{"version 2", "0::/a.slice/b.service\n", "25 30 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			[]string{"sys/fs/cgroup/a.slice/b.service", "sys/fs/cgroup/a.slice"},
			[]string{"sys/fs/cgroup/a.slice/b.service", "sys/fs/cgroup/a.slice"},
			"own first, then up; the root has no cpu.stat here"},
		{"version 1", "9:name=systemd:/x\n4:cpu,cpuacct:/a\n0::/y\n",
			"24 30 0:22 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n26 30 0:24 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n25 30 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n",
			[]string{"sys/fs/cgroup/cpu,cpuacct/a", "sys/fs/cgroup/cpu,cpuacct", "sys/fs/cgroup/unified/y"},
			[]string{"sys/fs/cgroup/cpu,cpuacct/a", "sys/fs/cgroup/cpu,cpuacct"},
			"with both versions the cpu controller is where the line says; cpuset is not cpu"},
		{"container seen from the host's names", "4:cpu:/docker/abc\n", "25 30 0:23 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
			[]string{"sys/fs/cgroup/cpu"}, []string{"sys/fs/cgroup/cpu"},
			"the mount shows the container's own cgroup as its root"},
		{"name outside of the mount", "0::/../../init\n", "25 30 0:23 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			[]string{"sys/fs/cgroup", "init"}, []string{"sys/fs/cgroup"},
			"a name that leads out of the namespace (cgroup_namespaces(7)) must not lead out of the mount"},
		{"name beside the mount's root", "0::/docker/abcd\n", "25 30 0:23 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			[]string{"sys/fs/cgroup", "sys/fs/cgroup/d"}, []string{"sys/fs/cgroup"},
			"/docker/abcd is not below /docker/abc"},
		{"mounted on a name with a blank", "0::/a\n", `25 30 0:23 / /my\040cg rw - cgroup2 cgroup2 rw` + "\n",
			[]string{"my cg/a"}, []string{"my cg/a"},
			"mountinfo writes a blank as \\040"},
		{"no mountinfo", "0::/a\n", "",
			[]string{"sys/fs/cgroup", "sys/fs/cgroup/a"}, []string{"sys/fs/cgroup"},
			"falls back to the root"},
		{"cgroup of another mount namespace", "0::/a\n", "25 30 0:23 / /elsewhere rw - cgroup2 cgroup2 rw\n",
			[]string{"sys/fs/cgroup/cpu"}, []string{"sys/fs/cgroup/cpu"},
			"falls back to the root of version 1"},
		{"garbage", "::\n0:\n\n", "cgroup - cgroup2\n - \n",
			[]string{"sys/fs/cgroup"}, []string{"sys/fs/cgroup"}, ""},
		{"none", "", "", nil, nil, "a system without cgroups"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := tree{"proc/self/cgroup": test.cgroup, "proc/self/mountinfo": test.mounts}
			for _, dir := range test.existing {
				m[dir+"/cpu.stat"] = stat
			}
			var want []string
			for _, dir := range test.want {
				want = append(want, dir+"/cpu.stat")
			}
			c := findCgroup(m.fs())
			assert.Equal(t, want, c.files, test.why)
			if want == nil {
				assert.ErrorContains(t, c.err, "sys/fs/cgroup/cpu.stat")
			}
		})
	}
}

func TestThrottledVersion1(t *testing.T) {
	m := idle.with(tree{
		"proc/self/cgroup":             "4:cpu,cpuacct:/a\n",
		"proc/self/mountinfo":          "25 30 0:23 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
		"sys/fs/cgroup/cpu/a/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n",
	})
	u := watch(t, m, m.with(tree{
		"sys/fs/cgroup/cpu/a/cpu.stat": "nr_periods 11\nnr_throttled 10\nthrottled_time 812345678\nnr_bursts 0\nburst_time 0\n",
	}))
	require.NotNil(t, u.Throttled)
	assert.InEpsilon(t, 10./11, *u.Throttled, 1e-9)
	assert.Equal(t, 812345678*time.Nanosecond, u.ThrottledTime, "version 1 counts ns")
}

func TestThrottledWithoutQuota(t *testing.T) {
	m := idle.with(tree{"sys/fs/cgroup/app/cpu.stat": "usage_usec 9\n"})
	u := watch(t, m, m)
	assert.Equal(t, new(0.0), u.Throttled, "where the cpu controller is off there is no quota")
}

func TestUnescape(t *testing.T) {
	check := func(in, want string) {
		t.Helper()
		assert.Equal(t, want, unescape(in))
	}
	check(`/a\040b\134c\012`, "/a b\\c\n")
	check(`/plain`, "/plain")
	check(`\999`, `\999`) // not octal
	check(`\04`, `\04`)   // cut off
	check(`\134040`, `\040`)
}

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
