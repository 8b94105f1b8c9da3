package verdict

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
)

// lateness returns a histogram of 10,000 times with these quantiles.
func lateness(p50, p99, most time.Duration) *hist.Histogram {
	h := hist.New(10)
	h.RecordN(int64(p50), 9_890)
	h.RecordN(int64(p99), 109)
	h.Record(int64(most))
	return h
}

// sound is a run of 10 s at 1000/s and its limit, with nothing to warn of, one
// step away from the threshold of each warning.
func sound() (r *record.Record, limit string) {
	r = record.New(true, nil)
	r.Place, r.Processors, r.Concurrency, r.PeakInFlight = record.Elsewhere, 2, 64, 60
	r.Due, r.Sent, r.Elapsed, r.Exhausted = 10_000, 9_990, 10*time.Second, 10*time.Millisecond
	r.Lateness = lateness(20*time.Microsecond, 2500*time.Microsecond, 20*time.Millisecond)
	r.Response.RecordN(2e6, 10_000)
	r.Machine = host.Usage{
		Wall: 10 * time.Second, HaveCPU: true, CPUUser: 16 * time.Second,
		Readings:     host.Readings{Steal: new(0.01), ForeignCPU: new(0.1), Pressure: new(0.1), Throttled: new(0.01), RunQueue: new(0.05)},
		RunQueueWait: 5 * time.Second,
		GCPauses:     40, GCPauseTotal: 20 * time.Millisecond, GCPauseMax: 5 * time.Millisecond,
		Hiccup99: 5 * time.Millisecond, HiccupMax: 150 * time.Millisecond,
		ClockDrift: time.Second,
	}
	return r, "p99<=50ms"
}

// warned is what a warning says.
type warned struct{ code, text string }

func TestWarnings(t *testing.T) {
	const us, ms, s = time.Microsecond, time.Millisecond, time.Second
	took := func(d time.Duration) *hist.Histogram { h := hist.New(10); h.RecordN(int64(d), 100); return h }
	late := func(p99 time.Duration) *hist.Histogram { return lateness(20*us, p99, 20*ms) }
	tests := []struct {
		name   string
		change func(r *record.Record, limit *string)
		want   []warned
		why    string
	}{
		{"sound", func(r *record.Record, limit *string) {}, nil, "at a threshold is not above it"},
		{"late for the limit", func(r *record.Record, limit *string) { r.Lateness = late(3 * ms) }, []warned{{Lateness,
			"the generator was late by 3ms at p99 (p50 20µs, max 20ms), which response times include: lower --rate or --stage or give it more CPU"}},
			"3 ms is 6 % of 50 ms"},
		{"late beside the target", func(r *record.Record, limit *string) { r.Lateness = late(3 * ms); r.Place = record.InProcess }, []warned{{Lateness,
			"the generator was late by 3ms at p99 (p50 20µs, max 20ms), which response times include: lower --rate or --stage or give it more CPU, which it shares with the target here"}}, ""},
		{"late without a limit", func(r *record.Record, limit *string) { *limit = ""; r.Machine.HiccupMax = 0 }, []warned{{Lateness,
			"the generator was late by 2.5ms at p99 (p50 20µs, max 20ms), which response times include: lower --rate or --stage or give it more CPU"}},
			"above 1 ms and 5 % of 2 ms"},
		{"late, but the target is far slower", func(r *record.Record, limit *string) {
			*limit = ""
			r.Machine.HiccupMax = 0
			r.Response = took(50 * ms)
		}, nil,
			"2.5 ms is 5 % of 50 ms"},
		{"late, but under a millisecond", func(r *record.Record, limit *string) {
			*limit = ""
			r.Machine.HiccupMax = 0
			r.Response = took(50 * us)
			r.Lateness = lateness(20*us, ms, ms)
		}, nil, "what timers cost, and no limit says that it matters"},
		{"late and all failed", func(r *record.Record, limit *string) { *limit = ""; r.Machine.HiccupMax = 0; r.Response = hist.New(10) }, []warned{{Lateness,
			"the generator was late by 2.5ms at p99 (p50 20µs, max 20ms), which response times include: lower --rate or --stage or give it more CPU"}},
			"without a response time the floor alone decides"},
		{"closed and late", func(r *record.Record, limit *string) { r.Open = false; r.Lateness = late(s) }, nil, "a closed workload has no schedule to be late for"},

		{"unsent", func(r *record.Record, limit *string) { r.Due = 30000; r.Sent = 8410 }, []warned{{SentBelowDue,
			"21,590 of 30,000 due requests were never sent and count as missed: the generator did not keep up, with at most 60 in flight; lower --rate or --stage or give it more CPU"}}, ""},
		{"unsent for want of permits", func(r *record.Record, limit *string) { r.Sent = 9989; r.PeakInFlight = 64 }, []warned{{SentBelowDue,
			"11 of 10,000 due requests were never sent and count as missed: all 64 permits were taken; raise --concurrency or lower --rate or --stage"}},
			"one more than 0.1 %"},
		{"nothing due", func(r *record.Record, limit *string) { r.Due = 0; r.Sent = 0 }, nil, "0 of 0 is not too few"},

		{"permits exhausted", func(r *record.Record, limit *string) { r.Exhausted = 3210 * ms; r.Concurrency = 1000 }, []warned{{PermitsExhausted,
			"all 1,000 permits were taken for 3.21s (32.1% of the run), which response times include: raise --concurrency, or lower --rate or --stage"}}, ""},
		{"permits rested", func(r *record.Record, limit *string) { r.Exhausted, r.Rested, r.Concurrency = 7*s, 7*s-10*ms, 4 }, []warned{{PermitsRested,
			"permits rested for 6.99s (69.9% of the run), because connecting had failed: response times include this rest of the generator, which is not the target's slowness"}},
			"what is left is at the threshold"},
		{"rested and unsent", func(r *record.Record, limit *string) {
			r.Sent, r.Exhausted, r.Rested, r.PeakInFlight = 9_000, 10*ms, 10*ms, 64
		}, []warned{{SentBelowDue,
			"1,000 of 10,000 due requests were never sent and count as missed: permits rested, because connecting had failed"}}, ""},
		{"closed connections", func(r *record.Record, limit *string) {
			r.Stale = record.Stale{Failed: 3, Least: 18 * ms, Most: 26 * ms}
		}, []warned{{"stale_connections",
			"3 requests met a connection that the server had closed after 18ms to 26ms idle, and failed: make its keep-alive timeout longer, or use a new connection for each request (--no-keepalive)"}}, ""},
		{"closed connections, all sent again", func(r *record.Record, limit *string) {
			r.SentAgain, r.Stale = 3, record.Stale{Least: 18 * ms, Most: 26 * ms}
		}, nil, "no user would have seen it"},
		{"closed connections that were not idle", func(r *record.Record, limit *string) {
			r.Stale = record.Stale{Failed: 3, Least: 1, Most: 999 * us}
		}, nil, "the server ended or went down, which no timeout changes"},
		{"unanswered connections", func(r *record.Record, limit *string) { r.Unanswered = 1 }, []warned{{"unanswered_connections",
			"1 request waited on connections that the server never answered on while others were idle: it serves fewer connections than were opened; lower --concurrency"}}, ""},
		{"closed and permits exhausted", func(r *record.Record, limit *string) { r.Open = false; r.Exhausted = 10 * s }, nil,
			"all permits in use is what a closed workload is"},

		{"own CPU", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s }, []warned{{"own_cpu",
			"the generator used 95.0% of its 2 processors: it may be the bottleneck; lower --rate or --stage or give it more"}}, ""},
		{"own CPU, closed", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s; r.Open = false }, []warned{{"own_cpu",
			"the generator used 95.0% of its 2 processors: it may be the bottleneck; lower --concurrency or give it more"}},
			"a closed workload has no rate to lower"},
		{"own CPU, one loop", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s / 2; r.Processors = 1 }, []warned{{"own_cpu",
			"the generator used 95.0% of its only processor: it may be the bottleneck; lower --rate or --stage or give it more"}}, ""},
		{"own CPU with the target", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s; r.Place = record.InProcess }, nil, "it may be the target's"},
		{"own CPU unknown", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s; r.Machine.HaveCPU = false }, nil, ""},
		{"no processors said", func(r *record.Record, limit *string) { r.Processors = 0 }, nil, "never divides by 0"},

		{"throttled", func(r *record.Record, limit *string) {
			r.Machine.Throttled = new(10. / 11)
			r.Machine.ThrottledTime = 812345678
		}, []warned{{"throttled",
			"a CPU quota stopped this process in 90.9% of its periods, for 812.3ms in all: raise the quota of the container or cgroup, or lower --rate or --stage"}}, ""},
		{"steal", func(r *record.Record, limit *string) { r.Machine.Steal = new(0.1) }, []warned{{"steal",
			"the hypervisor gave 10.0% of this machine's CPU to others: repeat the run on a machine that has its processors to itself"}}, ""},
		{"foreign CPU", func(r *record.Record, limit *string) { r.Machine.ForeignCPU = new(0.5) }, []warned{{"foreign_cpu",
			"other processes used 50.0% of this machine's CPU: stop what need not run"}}, ""},
		{"foreign CPU beside a target on loopback", func(r *record.Record, limit *string) { r.Machine.ForeignCPU = new(0.5); r.Place = record.Loopback }, nil,
			"that is the target's work"},
		{"foreign CPU and what it does", func(r *record.Record, limit *string) {
			r.Machine.ForeignCPU, r.Machine.Pressure, r.Machine.RunQueue = new(0.5), new(0.9), new(0.9)
		}, []warned{{"foreign_cpu",
			"other processes used 50.0% of this machine's CPU: stop what need not run"}},
			"pressure and the run queue are its effects"},
		{"pressure and run queue", func(r *record.Record, limit *string) { r.Machine.Pressure, r.Machine.RunQueue = new(0.254), new(0.9) }, []warned{{"pressure",
			"something on this machine waited for a processor 25.4% of the time: stop what need not run or lower --rate or --stage"}},
			"both say the same"},
		{"pressure", func(r *record.Record, limit *string) { r.Machine.Pressure = new(0.254) }, []warned{{"pressure",
			"something on this machine waited for a processor 25.4% of the time: stop what need not run or lower --rate or --stage"}}, ""},
		{"run queue", func(r *record.Record, limit *string) { r.Machine.RunQueue = new(0.2) }, []warned{{"run_queue",
			"this process waited for a processor 20.0% of the time, 5s in all: stop what else runs here or lower --rate or --stage"}}, ""},
		{"run queue of an idle process", func(r *record.Record, limit *string) {
			r.Machine.RunQueue = new(0.6)
			r.Machine.RunQueueWait = 100 * ms
		}, nil,
			"much of nearly nothing: 1 % of the window"},

		{"hiccup for the limit", func(r *record.Record, limit *string) { r.Machine.Hiccup99 = 6 * ms }, []warned{{"hiccup",
			"this process stood still for up to 150ms (p99 6ms), which response times include: stop what else runs here or lower --rate or --stage"}}, ""},
		{"hiccup that timers make", func(r *record.Record, limit *string) {
			r.Machine.Hiccup99 = 2 * ms
			*limit = "p99<=5ms"
			r.Lateness = late(0)
			r.Machine.GCPauseMax = 0
		}, nil,
			"no timer is better, however tight the limit"},
		{"hiccup without a limit", func(r *record.Record, limit *string) { *limit = ""; r.Lateness = late(0); r.Machine.Hiccup99 = 0 }, []warned{{"hiccup",
			"this process stood still for up to 150ms (p99 0s), which response times include: stop what else runs here or lower --rate or --stage"}}, ""},

		{"collection for the limit", func(r *record.Record, limit *string) { r.Machine.GCPauseMax = 6 * ms }, []warned{{"gc_pause",
			"garbage collection stopped this process for up to 6ms (40 times, 20ms in all), which response times include: let it collect less often (GOGC, GOMEMLIMIT)"}}, ""},
		{"collection without a limit", func(r *record.Record, limit *string) {
			*limit, r.Lateness, r.Machine.HiccupMax = "", late(0), 0
			r.Machine.GCPauseMax, r.Place = 12*ms, record.InProcess
		}, []warned{{"gc_pause",
			"garbage collection stopped this process for up to 12ms (40 times, 20ms in all), which response times include: let it collect less often (GOGC, GOMEMLIMIT) or let the target allocate less"}}, ""},
		{"collection once", func(r *record.Record, limit *string) { r.Machine.GCPauseMax = 9 * ms; r.Machine.GCPauseTotal = 10 * ms }, nil, "0.1 % of the run moves no quantile"},

		{"fine clock", func(r *record.Record, limit *string) { r.Machine.ClockTick, r.Response = ms/5, took(2*ms) }, nil, "ten ticks"},
		{"coarse clock", func(r *record.Record, limit *string) { r.Machine.ClockTick, r.Response = 15625*us, took(0) }, []warned{{"clock",
			"the clock of this machine moves on in steps of 15.6ms only, and the median response time is 0s: no time that short can be measured here"}}, ""},
		{"coarse clock and no response", func(r *record.Record, limit *string) { r.Machine.ClockTick, r.Response = 15625*us, hist.New(10) }, nil, "no time is shown"},
		{"clock ahead", func(r *record.Record, limit *string) { r.Machine.ClockDrift = time.Hour }, []warned{{"clock_step",
			"the clock of this machine jumped 1h ahead: it was set, or the machine was suspended; repeat the run if it was suspended"}}, ""},
		{"clock set back", func(r *record.Record, limit *string) { r.Machine.ClockDrift = -90 * s }, []warned{{"clock_step",
			"the clock of this machine was set back by 1m30s: times are measured without it, but its timestamps do not fit those of other machines"}}, ""},

		{"short and idle", func(r *record.Record, limit *string) {
			r.Machine = host.Usage{
				Wall: 490 * ms, HaveCPU: true, CPUUser: s, Hiccup99: 40 * ms, HiccupMax: 40 * ms, RunQueueWait: s,
				Readings: host.Readings{Steal: new(1.), ForeignCPU: new(1.), Pressure: new(1.), RunQueue: new(1.)},
			}
		}, nil, "a few ticks are no share of anything"},
		{"short and throttled", func(r *record.Record, limit *string) {
			r.Machine = host.Usage{Wall: 200 * ms, Readings: host.Readings{Throttled: new(0.5)}, ThrottledTime: 80 * ms}
		}, []warned{{"throttled",
			"a CPU quota stopped this process in 50.0% of its periods, for 80ms in all: raise the quota of the container or cgroup, or lower --rate or --stage"}},
			"a period that was cut short is counted, not sampled"},
		{"all sensors off", func(r *record.Record, limit *string) {
			r.Machine = host.Usage{Wall: 10 * s, RunQueueWait: s}
		}, nil, "what is not known says nothing"},
		{"zero", func(r *record.Record, limit *string) { *r = *record.New(false, nil) }, nil, "a run that never was"},
		{"abandoned", func(r *record.Record, limit *string) { r.Abandoned = 2 }, []warned{{"abandoned",
			"2 calls of the function went on after the run: it ignores its context"}}, ""},
		{"order", func(r *record.Record, limit *string) {
			r.Lateness = late(3 * ms)
			r.Sent = 0
			r.Machine.ClockDrift = -90 * s
		}, []warned{
			{Lateness, "the generator was late by 3ms at p99 (p50 20µs, max 20ms), which response times include: lower --rate or --stage or give it more CPU"},
			{SentBelowDue, "10,000 of 10,000 due requests were never sent and count as missed: the generator did not keep up, with at most 60 in flight; lower --rate or --stage or give it more CPU"},
			{"clock_step", "the clock of this machine was set back by 1m30s: times are measured without it, but its timestamps do not fit those of other machines"}},
			"what bears most on the numbers comes first"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, l := sound()
			test.change(r, &l)
			var limits []Limit
			if l != "" {
				limits = []Limit{limit(t, "errors<=0"), limit(t, l), limit(t, "max<=10s")}
			}
			var got []warned
			for _, w := range Warnings(r, limits, Flags) {
				got = append(got, warned{w.Code, w.Text})
			}
			assert.Equal(t, test.want, got, test.why)
		})
	}
}

// A warning is minor unless a number that reports show is in doubt because of it.
func TestMinorWarnings(t *testing.T) {
	const ms = time.Millisecond
	control := func(p99 time.Duration) *record.Record {
		c := record.New(true, nil)
		c.Response.RecordN(int64(p99), 100)
		return c
	}
	for _, test := range []struct {
		code   string
		change func(r *record.Record)
		minor  bool
		why    string
	}{
		{"pressure", func(r *record.Record) { r.Machine.Pressure = new(0.15); r.Machine.Hiccup99 = 2 * ms }, true, "nothing was late beyond what timers are"},
		{"pressure", func(r *record.Record) { r.Machine.Pressure = new(0.15); r.Machine.Hiccup99 = 3 * ms }, false, "as late as a third of the p99"},
		{"pressure", func(r *record.Record) {
			r.Machine.Pressure, r.Machine.Hiccup99 = new(0.15), 3*ms
			r.Response.RecordN(int64(40*ms), 1000)
		}, true, "far less late than the p99 is long"},
		{"pressure", func(r *record.Record) {
			r.Machine.Pressure, r.Machine.Hiccup99, r.Control = new(0.15), 3*ms, control(50*time.Microsecond)
		}, true, "the control, under the same load, knows better"},
		{"pressure", func(r *record.Record) {
			r.Machine.Pressure, r.Machine.Hiccup99, r.Control = new(0.15), 0, control(ms)
		}, false, "and in the other direction"},
		{"foreign_cpu", func(r *record.Record) { r.Machine.ForeignCPU = new(0.2); r.Machine.Hiccup99 = 0 }, true, "as long as it delays nothing"},
		{"foreign_cpu", func(r *record.Record) { r.Machine.ForeignCPU = new(0.3); r.Machine.Hiccup99 = 0 }, false, "it takes throughput"},
		{"pressure", func(r *record.Record) {
			r.Machine.Pressure, r.Machine.Hiccup99, r.Lateness = new(0.15), 3*ms, lateness(0, 3*ms, 3*ms)
		}, true, "the generator was late, which is said"},
		{"hiccup", func(r *record.Record) { r.Machine.Hiccup99 = 6 * ms }, false, "150 ms are most of the longest time"},
		{"hiccup", func(r *record.Record) { r.Machine.Hiccup99 = 6 * ms; r.Response.Record(int64(2 * time.Second)) }, true, "the longest time is far longer"},
		{"hiccup", func(r *record.Record) { r.Machine.Hiccup99 = 6 * ms; r.Machine.ForeignCPU = new(0.5) }, true, "an effect of what was warned of"},
		{"clock_step", func(r *record.Record) { r.Machine.ClockDrift = -time.Hour }, true, "times are measured by another clock"},
		{"clock_step", func(r *record.Record) { r.Machine.ClockDrift = time.Hour }, false, "the machine may have been suspended"},
	} {
		r, l := sound()
		test.change(r)
		i := slices.IndexFunc(Warnings(r, []Limit{limit(t, l)}, Flags), func(w Warning) bool { return w.Code == test.code })
		require.GreaterOrEqual(t, i, 0, "%s: no warning", test.why)
		assert.Equal(t, test.minor, Warnings(r, []Limit{limit(t, l)}, Flags)[i].Minor, "%s: %s", test.code, test.why)
	}
}

// Pauses of the collector are wall time: on a machine that is pressed it may have
// waited for a processor like all else.
func TestCollectorIsNotBlamedOnAPressedMachine(t *testing.T) {
	check := func(blamed bool, change func(*host.Readings), why string) {
		t.Helper()
		r, l := sound()
		r.Machine.GCPauseMax = 50 * time.Millisecond
		change(&r.Machine.Readings)
		found := slices.ContainsFunc(Warnings(r, []Limit{limit(t, l)}, Fields), func(w Warning) bool { return w.Code == "gc_pause" })
		assert.Equal(t, blamed, found, why)
	}
	check(true, func(u *host.Readings) {}, "a machine at rest")
	check(true, func(u *host.Readings) { *u = host.Readings{} }, "sensors that are off say nothing")
	check(false, func(u *host.Readings) { u.Pressure = new(0.2) }, "something waited for a processor")
	check(false, func(u *host.Readings) { u.RunQueue = new(0.2) }, "this process did")
	check(false, func(u *host.Readings) { u.ForeignCPU = new(0.5) }, "others took the processors")
	check(false, func(u *host.Readings) { u.Steal = new(0.1) }, "or the hypervisor")
	check(false, func(u *host.Readings) { u.Throttled = new(0.1) }, "or a quota")
}

// Advice is in the words of its reader.
func TestAdviceNamesFlagsOrFields(t *testing.T) {
	for _, open := range []bool{true, false} {
		r, _ := sound()
		r.Open, r.Exhausted, r.Sent = open, time.Second, 5_000
		r.Machine.CPUUser = 20 * time.Second
		for _, w := range Warnings(r, nil, Flags) {
			assert.NotRegexp(t, "Open|Staged|Closed|Concurrency", w.Text)
		}
		for _, w := range Warnings(r, nil, Fields) {
			assert.NotContains(t, w.Text, "--")
		}
		require.NotEmpty(t, Warnings(r, nil, Fields))
	}
}

// The table has every reading that JSON has, by the same name.
func TestSensorsAreThoseOfTheMachine(t *testing.T) {
	b, err := json.Marshal(host.Readings{})
	require.NoError(t, err)
	var names map[string]*float64
	require.NoError(t, json.Unmarshal(b, &names))
	for _, s := range Sensors {
		assert.Contains(t, names, s.Name)
		var readings host.Readings
		require.NoError(t, json.Unmarshal([]byte(`{"`+s.Name+`": 0.5}`), &readings))
		assert.Equal(t, new(0.5), s.Read(&readings), s.Name)
		delete(names, s.Name)
	}
	assert.Empty(t, names, "are not in the table")
	assert.True(t, slices.Contains(Sensors, &Steal))
}

// Advice names flags that the reader's command has.
func TestAdviceIsOfTheCommand(t *testing.T) {
	open, closed := record.New(true, nil), record.New(false, nil)
	for w, want := range map[Words][2]string{
		Fields:       {"lower the rate of Open or Staged", "lower the concurrency of Closed"},
		Flags:        {"lower --rate or --stage", "lower --concurrency"},
		CompareFlags: {"lower --rate", "lower --concurrency"},
		SearchFlags:  {"lower --most", "lower --most"},
	} {
		assert.Equal(t, want, [2]string{w.less(open), w.less(closed)})
	}
	assert.Equal(t, "--no-keepalive", CompareFlags.noKeepAlive())
}
