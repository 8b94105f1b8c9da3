package host

import (
	"encoding/json"
	"io/fs"
	"maps"
	"math"
	"os"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree is a machine's files by name. What is empty is not there.
type tree map[string]string

func (t tree) fs() fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range t {
		if text != "" {
			m[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return m
}

// with returns t with some files replaced, or taken out by "".
func (t tree) with(changes tree) tree {
	c := maps.Clone(t)
	maps.Copy(c, changes)
	return c
}

// idle is a machine with two processors, a quota that was never used up, and
// this process in a cgroup of version 2.
var idle = tree{
	"proc/stat":                              "cpu  100 0 50 10000 3 0 7 20 0 0\ncpu0 100 0 50 10000 3 0 7 20 0 0\nintr 5\n",
	"proc/pressure/cpu":                      "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9000\n",
	"proc/self/task/10/schedstat":            "1000000 1000 5\n",
	"proc/self/task/11/schedstat":            "2000000 2000 6\n",
	"proc/self/cgroup":                       "0::/app\n",
	"proc/self/mountinfo":                    "25 30 0:23 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
	"sys/fs/cgroup/cpu.stat":                 "usage_usec 99\nuser_usec 50\nsystem_usec 49\n",
	"sys/fs/cgroup/app/cpu.stat":             "usage_usec 9\nnr_periods 100\nnr_throttled 10\nthrottled_usec 500\n",
	"sys/fs/cgroup/elsewhere/other/cpu.stat": "usage_usec 9\nnr_periods 1\nnr_throttled 1\nthrottled_usec 1\n",
}

// watch runs a Watch for 10 s of fake time over a machine that goes from
// before to after meanwhile.
func watch(t *testing.T, before, after tree) (u Usage) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := before.fs()
		w := start(m, func() rusage { return rusage{user: time.Second} })
		time.Sleep(10 * time.Second)
		clear(m)
		maps.Copy(m, after.fs())
		u = w.Stop()
		assert.Equal(t, u, w.Stop(), "a second Stop returns the same")
	})
	assert.Equal(t, 10*time.Second, u.Wall)
	return u
}

func TestWatch(t *testing.T) {
	on := func(v float64) *float64 { return &v }
	var off *float64
	tests := []struct {
		name   string
		change tree
		get    func(Usage) *float64
		want   *float64
		off    string // a line of Off
		why    string
	}{
		{"steal", tree{"proc/stat": "cpu  1000 0 50 10900 3 0 7 220 0 0\n"},
			func(u Usage) *float64 { return u.Steal }, on(200. / 2000), "", "200 of 2000 ticks: 10 %"},
		{"steal with a sleeping idle counter", tree{"proc/stat": "cpu  200 0 50 9000 0 0 7 120 0 0\n"},
			func(u Usage) *float64 { return u.Steal }, on(0.5), "", "idle and iowait may go back: they count as 0"},
		{"steal going back", tree{"proc/stat": "cpu  200 0 50 10100 3 0 7 2 0 0\n"},
			func(u Usage) *float64 { return u.Steal }, off, "steal: proc/stat: steal went backwards, from 20 to 2", "a machine moved to another host"},
		{"no ticks", nil,
			func(u Usage) *float64 { return u.Steal }, off, "steal: proc/stat: no tick passed between the readings", "a sandbox that fakes /proc/stat"},
		{"foreign CPU", tree{"proc/stat": "cpu  600 200 350 10900 3 40 67 20 0 0\n"},
			func(u Usage) *float64 { return u.ForeignCPU }, on(0.5), "", "1000 of 2000 ticks are user, nice and system; interrupts are nobody's"},
		{"foreign CPU with guests", tree{"proc/stat": "cpu  600 200 350 11000 3 0 7 20 300 200\n"},
			func(u Usage) *float64 { return u.ForeignCPU }, on(0.5), "", "guest time is in user and nice already"},
		{"proc/stat absent", tree{"proc/stat": ""},
			func(u Usage) *float64 { return u.ForeignCPU }, off, "foreign CPU: open proc/stat: file does not exist", ""},
		{"proc/stat short", tree{"proc/stat": "cpu 1 2 3\n"},
			func(u Usage) *float64 { return u.Steal }, off, "steal: proc/stat: no line of all processors with 8 counters", "kernels before 2.6.11 had no steal"},
		{"proc/stat garbage", tree{"proc/stat": "cpu  1 2 3 4 x 6 7 8\n"},
			func(u Usage) *float64 { return u.Steal }, off, `steal: proc/stat: counter 5: strconv.ParseUint: parsing "x": invalid syntax`, ""},

		{"pressure", tree{"proc/pressure/cpu": "some avg10=1.00 avg60=0.00 avg300=0.00 total=2501000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n"},
			func(u Usage) *float64 { return u.Pressure }, on(0.25), "", "2.5 s of 10 s, whatever the averages say"},
		{"pressure beyond the window", tree{"proc/pressure/cpu": "some total=99999999999\n"},
			func(u Usage) *float64 { return u.Pressure }, on(1), "", "reading takes time; a ratio is at most 1"},
		{"pressure going back", tree{"proc/pressure/cpu": "some total=999\n"},
			func(u Usage) *float64 { return u.Pressure }, off, "pressure: proc/pressure/cpu: total went backwards, from 1000 to 999", ""},
		{"pressure garbage", tree{"proc/pressure/cpu": "some total\nfull total=5\n"},
			func(u Usage) *float64 { return u.Pressure }, off, `pressure: proc/pressure/cpu: no line "some" with a total`, ""},
		{"pressure absent", tree{"proc/pressure/cpu": ""},
			func(u Usage) *float64 { return u.Pressure }, off, "pressure: open proc/pressure/cpu: file does not exist", "a kernel without PSI"},

		{"run queue", tree{"proc/self/task/10/schedstat": "4000000 1001000 9\n"},
			func(u Usage) *float64 { return u.RunQueue }, on(0.25), "", "1 ms waited, 3 ms ran; the other thread did nothing"},
		{"run queue of a new thread", tree{"proc/self/task/12/schedstat": "3000000 1000000 9\n"},
			func(u Usage) *float64 { return u.RunQueue }, on(0.25), "", "counts from its birth"},
		{"run queue of an ended thread", tree{"proc/self/task/11/schedstat": ""},
			func(u Usage) *float64 { return u.RunQueue }, on(0), "", "what it did is lost, the rest goes on"},
		{"run queue of a reused id", tree{"proc/self/task/10/schedstat": "300000 100000 1\n"},
			func(u Usage) *float64 { return u.RunQueue }, on(0.25), "", "counters that went back belong to another thread"},
		{"run queue not kept", tree{"proc/self/task/10/schedstat": "0 0 0\n", "proc/self/task/11/schedstat": "0 0 0\n"},
			func(u Usage) *float64 { return u.RunQueue }, off, "run queue: proc/self/task: this kernel keeps no times in schedstat", ""},
		{"run queue garbage", tree{"proc/self/task/10/schedstat": "12\n"},
			func(u Usage) *float64 { return u.RunQueue }, off, "run queue: proc/self/task/10/schedstat: 1 fields, want 3", ""},

		{"throttled", tree{"sys/fs/cgroup/app/cpu.stat": "usage_usec 9\nnr_periods 200\nnr_throttled 35\nthrottled_usec 700500\n"},
			func(u Usage) *float64 { return u.Throttled }, on(0.25), "", "25 of 100 periods"},
		{"throttled above", tree{
			"sys/fs/cgroup/cpu.stat":     "nr_periods 10\nnr_throttled 5\nthrottled_usec 1\n",
			"sys/fs/cgroup/app/cpu.stat": "nr_periods 110\nnr_throttled 11\nthrottled_usec 501\n"},
			func(u Usage) *float64 { return u.Throttled }, on(0.5), "", "the quota of a cgroup above stops this process too: 5 of 10 there, 1 of 10 here"},
		{"throttling garbage", tree{"sys/fs/cgroup/cpu.stat": "x\n", "sys/fs/cgroup/app/cpu.stat": "nr_periods -1\n"},
			func(u Usage) *float64 { return u.Throttled }, off, "", "each level has its own fault"},
		{"cgroup gone", tree{"sys/fs/cgroup/cpu.stat": "", "sys/fs/cgroup/app/cpu.stat": ""},
			func(u Usage) *float64 { return u.Throttled }, off, "throttling: open sys/fs/cgroup/cpu.stat: file does not exist", ""},
		{"cgroup made anew", tree{"sys/fs/cgroup/cpu.stat": "", "sys/fs/cgroup/app/cpu.stat": "nr_periods 1\nnr_throttled 0\nthrottled_usec 0\n"},
			func(u Usage) *float64 { return u.Throttled }, off, "throttling: sys/fs/cgroup/app/cpu.stat: nr_periods went backwards, from 100 to 1", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := watch(t, idle, idle.with(test.change))
			got := test.get(u)
			if test.off != "" {
				assert.Contains(t, u.Off, test.off)
			}
			if test.want == nil {
				assert.Nil(t, got, test.why)
				return
			}
			require.NotNil(t, got, test.why)
			assert.InDelta(t, *test.want, *got, 1e-9, test.why)
		})
	}
}

func TestWatchTimes(t *testing.T) {
	u := watch(t, idle, idle.with(tree{
		"proc/self/task/10/schedstat": "4000000 1001000 9\n",
		"sys/fs/cgroup/app/cpu.stat":  "usage_usec 9\nnr_periods 200\nnr_throttled 35\nthrottled_usec 700500\n",
	}))
	assert.Equal(t, time.Millisecond, u.RunQueueWait)
	assert.Equal(t, 700*time.Millisecond, u.ThrottledTime)
	assert.Zero(t, u.ClockDrift)
	assert.Zero(t, u.HiccupMax, "fake time is never late")
}

func TestWatchNothing(t *testing.T) {
	u := watch(t, tree{}, tree{})
	assert.Equal(t, Readings{}, u.Readings)
	want := []string{
		"steal: open proc/stat: file does not exist",
		"foreign CPU: open proc/stat: file does not exist",
		"pressure: open proc/pressure/cpu: file does not exist",
		"run queue: open proc/self/task: file does not exist",
		"throttling: open sys/fs/cgroup/cpu.stat: file does not exist",
	}
	assert.Equal(t, want, u.Off)
}

// The real machine, whatever it is: no sensor may say what cannot be.
func TestWatchHere(t *testing.T) {
	w := Start(os.DirFS("/"))
	sum := 0.
	for i := range 1_000_000 {
		sum += math.Sqrt(float64(i))
	}
	u := w.Stop()
	require.NotZero(t, sum)
	assert.Positive(t, u.Wall)
	possible(t, u)
	if u.HaveCPU {
		assert.Greater(t, u.MaxRSS, int64(1<<20), "in bytes")
		assert.Less(t, u.MaxRSS, int64(1<<40), "in bytes")
	}
}

// possible checks what holds for any usage.
func possible(t *testing.T, u Usage) {
	t.Helper()
	for _, r := range []*float64{u.Steal, u.ForeignCPU, u.Pressure, u.RunQueue, u.Throttled} {
		if r != nil {
			require.GreaterOrEqual(t, *r, 0.)
			require.LessOrEqual(t, *r, 1.)
		}
	}
	for _, d := range []time.Duration{
		u.Wall, u.CPUUser, u.CPUSystem, u.RunQueueWait, u.ThrottledTime, u.GCPauseTotal, u.GCPauseMax,
		u.SchedLatencyP50, u.SchedLatencyP99, u.SchedLatencyMax, u.Hiccup99, u.HiccupMax,
	} {
		require.GreaterOrEqual(t, d, time.Duration(0))
	}
	require.LessOrEqual(t, u.SchedLatencyP50, u.SchedLatencyP99)
	require.LessOrEqual(t, u.SchedLatencyP99, u.SchedLatencyMax)
	require.LessOrEqual(t, u.Hiccup99, u.HiccupMax)
}

func TestClockDrift(t *testing.T) {
	check := func(mono, wall, want time.Duration, why string) {
		t.Helper()
		now := time.Now()
		var a, b counters
		a.stamp(now)
		b.stamp(now.Add(mono))
		b.wall = a.wall.Add(wall)
		u := between(&a, &b)
		assert.Equal(t, want, u.ClockDrift, why)
		assert.Equal(t, mono, u.Wall, "the window is monotonic time")
	}
	check(10*time.Second, 10*time.Second, 0, "clocks agree")
	check(10*time.Second, time.Hour+10*time.Second, time.Hour, "suspended for an hour, or set ahead")
	check(10*time.Second, -time.Hour, -time.Hour-10*time.Second, "set back")
}

func TestCPUNeverNegative(t *testing.T) {
	a := counters{own: rusage{user: 5, system: 9}}
	b := counters{own: rusage{user: 3, system: 10}}
	u := between(&a, &b)
	assert.Equal(t, time.Duration(1), u.CPU(), "a clock of the kernel that went back counts as 0")
}

func TestCPUShare(t *testing.T) {
	u := Usage{Wall: 10 * time.Second, HaveCPU: true, CPUUser: 4 * time.Second, CPUSystem: time.Second}
	require.NotNil(t, u.CPUShare(2))
	assert.InDelta(t, 0.25, *u.CPUShare(2), 1e-12)
	assert.Nil(t, u.CPUShare(0), "never divides by 0")
	u.HaveCPU = false
	assert.Nil(t, u.CPUShare(2))
	assert.Nil(t, (&Usage{HaveCPU: true}).CPUShare(2), "no time passed")
}

// Records are saved with the usage in them.
func TestJSON(t *testing.T) {
	u := Usage{
		Wall: 1, HaveCPU: true, CPUUser: 2, CPUSystem: 3, MaxRSS: 4,
		Readings:     Readings{Steal: new(0.1), Throttled: new(0.2), Pressure: new(0.3), ForeignCPU: new(0.4)},
		RunQueueWait: 5, ThrottledTime: 6, GCPauses: 7, GCPauseTotal: 8, GCPauseMax: 9,
		SchedLatencyP50: 10, SchedLatencyP99: 11, SchedLatencyMax: 12, Hiccup99: 13, HiccupMax: 14, ClockDrift: -15,
		Off: []string{"run queue: why"},
	}
	b, err := json.Marshal(u)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"wall_ns": 1, "have_cpu": true, "cpu_user_ns": 2, "cpu_system_ns": 3, "max_rss_bytes": 4,
		"steal": 0.1, "throttled": 0.2, "cpu_pressure": 0.3, "foreign_cpu": 0.4, "run_queue": null,
		"run_queue_wait_ns": 5, "throttled_time_ns": 6, "gc_pauses": 7, "gc_pause_total_ns": 8, "gc_pause_max_ns": 9,
		"sched_latency_p50_ns": 10, "sched_latency_p99_ns": 11, "sched_latency_max_ns": 12,
		"hiccup_p99_ns": 13, "hiccup_max_ns": 14, "clock_drift_ns": -15, "sensors_off": ["run queue: why"]
	}`, string(b))
	var back Usage
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, u, back)
}

func TestForeignLessOwn(t *testing.T) {
	check := func(own time.Duration, want float64, why string) {
		t.Helper()
		got, err := foreign(cpuTicks{}, cpuTicks{user: 500, system: 300, idle: 1200}, own)
		require.NoError(t, err)
		assert.InDelta(t, want, got, 1e-12, why)
	}
	check(0, 0.4, "8 s of 20")
	check(6*time.Second, 0.1, "6 of the 8 s were this process")
	check(8500*time.Millisecond, 0, "ticks are coarser than getrusage: never negative")
}

func TestNanoseconds(t *testing.T) {
	assert.Equal(t, time.Duration(1500), nanoseconds(1500))
	assert.Equal(t, time.Duration(math.MaxInt64), nanoseconds(1<<63), "too long for a duration, never negative")
}

// FuzzProc feeds the same two texts as each of the files, before and after.
func FuzzProc(f *testing.F) {
	for name, text := range idle {
		f.Add(text, idle[name])
	}
	f.Add("cpu  1 1 1 1 1 1 1 1\n", "cpu  18446744073709551615 18446744073709551615 1 1 1 1 1 18446744073709551615\n")
	f.Add("nr_periods 0\nthrottled_time 0\n", "nr_periods 18446744073709551615\nnr_throttled 18446744073709551615\nthrottled_time 18446744073709551615\n")
	f.Add("0 0 0", "18446744073709551615 18446744073709551615")
	f.Add("4:cpu,cpuacct:/a", "30 25 0:26 /a\\040b /sys/fs/cgroup rw - cgroup cgroup rw,cpu")
	files := []string{
		"proc/stat", "proc/pressure/cpu", "proc/self/task/1/schedstat", "proc/self/cgroup",
		"proc/self/mountinfo", "sys/fs/cgroup/cpu.stat", "sys/fs/cgroup/cpu/cpu.stat",
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		x, y := tree{}, tree{}
		for _, name := range files {
			x[name], y[name] = before, after
		}
		// Where the cgroup is comes from either text.
		x["proc/self/mountinfo"] = after
		cg := findCgroup(x.fs())
		for _, file := range cg.files {
			require.True(t, fs.ValidPath(file), file)
		}
		a, b := read(x.fs(), cg, rusage{}), read(y.fs(), cg, rusage{})
		a.stamp(time.Now())
		b.stamp(time.Now())
		possible(t, between(&a, &b))
	})
}

// FuzzQuota tests that a quota is a number of processors, whatever the files hold.
func FuzzQuota(f *testing.F) {
	f.Add("150000 100000", "", "", "")
	f.Add("max 100000", "-1", "100000", "model name : Some CPU\nflags : hypervisor\n\n")
	f.Add("", "50000", "100000", "CPU part : 0xd0c\nCPU implementer : 0x41")
	f.Add("Inf 1", "NaN", "0", ":\n")
	f.Add("1e308 1e-308", "1", "1e-320", "")
	f.Fuzz(func(t *testing.T, most, quota, period, info string) {
		fsys := tree{
			"sys/fs/cgroup/cpu.stat": "usage_usec 1\n", "sys/fs/cgroup/cpu.max": most, "proc/cpuinfo": info,
			"sys/fs/cgroup/cpu.cfs_quota_us": quota, "sys/fs/cgroup/cpu.cfs_period_us": period,
		}.fs()
		q := Quota(fsys)
		require.True(t, q >= 0 && q <= math.MaxFloat64, q)
		name, _ := CPU(fsys)
		require.LessOrEqual(t, len(name), len(info))
	})
}
