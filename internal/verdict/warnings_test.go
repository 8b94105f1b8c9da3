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

func TestWarnings(t *testing.T) {
	const us, ms, s = time.Microsecond, time.Millisecond, time.Second
	took := func(d time.Duration) *hist.Histogram { h := hist.New(10); h.RecordN(int64(d), 100); return h }
	late := func(p99 time.Duration) *hist.Histogram { return lateness(20*us, p99, 20*ms) }
	tests := []struct {
		name   string
		change func(r *record.Record, limit *string)
		want   []Warning
		why    string
	}{
		{"sound", func(r *record.Record, limit *string) {}, nil, "at a threshold is not above it"},
		{"late for the limit", func(r *record.Record, limit *string) { r.Lateness = late(3 * ms) }, []Warning{{Lateness,
			"the generator was late by 3ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate or --stage, Open or Staged) or give it more CPU"}},
			"3 ms is 6 % of 50 ms"},
		{"late beside the target", func(r *record.Record, limit *string) { r.Lateness = late(3 * ms); r.Place = record.InProcess }, []Warning{{Lateness,
			"the generator was late by 3ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate or --stage, Open or Staged) or give it more CPU, which it shares with the target here"}}, ""},
		{"late without a limit", func(r *record.Record, limit *string) { *limit = ""; r.Machine.HiccupMax = 0 }, []Warning{{Lateness,
			"the generator was late by 2.5ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate or --stage, Open or Staged) or give it more CPU"}},
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
		{"late and all failed", func(r *record.Record, limit *string) { *limit = ""; r.Machine.HiccupMax = 0; r.Response = hist.New(10) }, []Warning{{Lateness,
			"the generator was late by 2.5ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate or --stage, Open or Staged) or give it more CPU"}},
			"without a response time the floor alone decides"},
		{"closed and late", func(r *record.Record, limit *string) { r.Open = false; r.Lateness = late(s) }, nil, "a closed workload has no schedule to be late for"},

		{"unsent", func(r *record.Record, limit *string) { r.Due = 30000; r.Sent = 8410 }, []Warning{{SentBelowDue,
			"21,590 of 30,000 due requests were never sent and count as missed: the generator did not keep up, with at most 60 in flight; lower the rate (--rate or --stage, Open or Staged) or give it more CPU"}}, ""},
		{"unsent for want of permits", func(r *record.Record, limit *string) { r.Sent = 9989; r.PeakInFlight = 64 }, []Warning{{SentBelowDue,
			"11 of 10,000 due requests were never sent and count as missed: all 64 permits were taken; raise the concurrency (--concurrency, Concurrency of Open or Staged) or lower the rate (--rate or --stage, Open or Staged)"}},
			"one more than 0.1 %"},
		{"nothing due", func(r *record.Record, limit *string) { r.Due = 0; r.Sent = 0 }, nil, "0 of 0 is not too few"},

		{"permits exhausted", func(r *record.Record, limit *string) { r.Exhausted = 3210 * ms; r.Concurrency = 1000 }, []Warning{{PermitsExhausted,
			"all 1,000 permits were taken for 3.21s (32.1% of the run): arrivals waited for one, and response times include that; the target is too slow for this rate, or raise the concurrency (--concurrency, Concurrency of Open or Staged)"}}, ""},
		{"permits rested", func(r *record.Record, limit *string) { r.Exhausted, r.Rested, r.Concurrency = 7*s, 7*s-10*ms, 4 }, []Warning{{PermitsRested,
			"permits rested for 6.99s (69.9% of the run), because connecting had failed, while arrivals waited for one: response times include this rest of the generator, which is not the target's slowness"}},
			"what is left is at the threshold"},
		{"rested and unsent", func(r *record.Record, limit *string) {
			r.Sent, r.Exhausted, r.Rested, r.PeakInFlight = 9_000, 10*ms, 10*ms, 64
		}, []Warning{{SentBelowDue,
			"1,000 of 10,000 due requests were never sent and count as missed: permits rested, because connecting had failed"}}, ""},
		{"closed connections", func(r *record.Record, limit *string) {
			r.Stale = record.Stale{Failed: 3, Least: 18 * ms, Most: 26 * ms}
		}, []Warning{{"stale_connections",
			"3 requests met a connection that the server had closed after 18ms to 26ms idle, and failed: make its keep-alive timeout longer, or use a new connection for each request (--no-keepalive, NoKeepAlive of a Server)"}}, ""},
		{"closed connections, all sent again", func(r *record.Record, limit *string) {
			r.SentAgain, r.Stale = 3, record.Stale{Least: 18 * ms, Most: 26 * ms}
		}, nil, "no user would have seen it"},
		{"closed connections that were not idle", func(r *record.Record, limit *string) {
			r.Stale = record.Stale{Failed: 3, Least: 1, Most: 999 * us}
		}, nil, "the server ended or went down, which no timeout changes"},
		{"unanswered connections", func(r *record.Record, limit *string) { r.Unanswered = 1 }, []Warning{{"unanswered_connections",
			"1 request waited on connections that the server never answered on while others were idle: it serves fewer connections than were opened; lower the concurrency (--concurrency, Concurrency of Open or Staged)"}}, ""},
		{"closed and permits exhausted", func(r *record.Record, limit *string) { r.Open = false; r.Exhausted = 10 * s }, nil,
			"all permits in use is what a closed workload is"},

		{"own CPU", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s }, []Warning{{"own_cpu",
			"the generator used 95.0% of its 2 processors: it may be the bottleneck; lower the rate (--rate or --stage, Open or Staged) or give it more"}}, ""},
		{"own CPU, closed", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s; r.Open = false }, []Warning{{"own_cpu",
			"the generator used 95.0% of its 2 processors: it may be the bottleneck; lower the concurrency (--concurrency, Closed) or give it more"}},
			"a closed workload has no rate to lower"},
		{"own CPU, one loop", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s / 2; r.Processors = 1 }, []Warning{{"own_cpu",
			"the generator used 95.0% of its only processor: it may be the bottleneck; lower the rate (--rate or --stage, Open or Staged) or give it more"}}, ""},
		{"own CPU with the target", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s; r.Place = record.InProcess }, nil, "it may be the target's"},
		{"own CPU unknown", func(r *record.Record, limit *string) { r.Machine.CPUUser = 19 * s; r.Machine.HaveCPU = false }, nil, ""},
		{"no processors said", func(r *record.Record, limit *string) { r.Processors = 0 }, nil, "never divides by 0"},

		{"throttled", func(r *record.Record, limit *string) {
			r.Machine.Throttled = new(10. / 11)
			r.Machine.ThrottledTime = 812345678
		}, []Warning{{"throttled",
			"a CPU quota stopped this process in 90.9% of its periods, for 812.3ms in all: raise the quota of the container or cgroup, or lower the rate (--rate or --stage, Open or Staged)"}}, ""},
		{"steal", func(r *record.Record, limit *string) { r.Machine.Steal = new(0.1) }, []Warning{{"steal",
			"the hypervisor gave 10.0% of this machine's CPU to others: times are too long by an unknown part; repeat the run on a machine that has its processors to itself"}}, ""},
		{"foreign CPU", func(r *record.Record, limit *string) { r.Machine.ForeignCPU = new(0.5) }, []Warning{{"foreign_cpu",
			"other processes used 50.0% of this machine's CPU: stop what need not run, or give the generator a machine of its own"}}, ""},
		{"foreign CPU beside a target on loopback", func(r *record.Record, limit *string) { r.Machine.ForeignCPU = new(0.5); r.Place = record.Loopback }, nil,
			"that is the target's work"},
		{"foreign CPU and what it does", func(r *record.Record, limit *string) {
			r.Machine.ForeignCPU, r.Machine.Pressure, r.Machine.RunQueue = new(0.5), new(0.9), new(0.9)
		}, []Warning{{"foreign_cpu",
			"other processes used 50.0% of this machine's CPU: stop what need not run, or give the generator a machine of its own"}},
			"pressure and the run queue are its effects"},
		{"pressure and run queue", func(r *record.Record, limit *string) { r.Machine.Pressure, r.Machine.RunQueue = new(0.254), new(0.9) }, []Warning{{"pressure",
			"something on this machine waited for a processor 25.4% of the time: it has too few for what runs on it; stop what need not run or lower the rate (--rate or --stage, Open or Staged)"}},
			"both say the same"},
		{"pressure", func(r *record.Record, limit *string) { r.Machine.Pressure = new(0.254) }, []Warning{{"pressure",
			"something on this machine waited for a processor 25.4% of the time: it has too few for what runs on it; stop what need not run or lower the rate (--rate or --stage, Open or Staged)"}}, ""},
		{"run queue", func(r *record.Record, limit *string) { r.Machine.RunQueue = new(0.2) }, []Warning{{"run_queue",
			"threads of this process waited for a processor 20.0% of the time they could have run (5s in all): stop what else runs here or lower the rate (--rate or --stage, Open or Staged)"}}, ""},
		{"run queue of an idle process", func(r *record.Record, limit *string) {
			r.Machine.RunQueue = new(0.6)
			r.Machine.RunQueueWait = 100 * ms
		}, nil,
			"much of nearly nothing: 1 % of the window"},

		{"hiccup for the limit", func(r *record.Record, limit *string) { r.Machine.Hiccup99 = 6 * ms }, []Warning{{"hiccup",
			"this process stood still for up to 150ms (p99 6ms): response times include that; stop what else runs here or lower the rate (--rate or --stage, Open or Staged)"}}, ""},
		{"hiccup that timers make", func(r *record.Record, limit *string) {
			r.Machine.Hiccup99 = 2 * ms
			*limit = "p99<=5ms"
			r.Lateness = late(0)
			r.Machine.GCPauseMax = 0
		}, nil,
			"no timer is better, however tight the limit"},
		{"hiccup without a limit", func(r *record.Record, limit *string) { *limit = ""; r.Lateness = late(0); r.Machine.Hiccup99 = 0 }, []Warning{{"hiccup",
			"this process stood still for up to 150ms (p99 0s): response times include that; stop what else runs here or lower the rate (--rate or --stage, Open or Staged)"}}, ""},

		{"collection for the limit", func(r *record.Record, limit *string) { r.Machine.GCPauseMax = 6 * ms }, []Warning{{"gc_pause",
			"garbage collection stopped this process for up to 6ms (40 times, 20ms in all): response times include that; let it collect less often (GOGC, GOMEMLIMIT)"}}, ""},
		{"collection without a limit", func(r *record.Record, limit *string) {
			*limit, r.Lateness, r.Machine.HiccupMax = "", late(0), 0
			r.Machine.GCPauseMax, r.Place = 12*ms, record.InProcess
		}, []Warning{{"gc_pause",
			"garbage collection stopped this process for up to 12ms (40 times, 20ms in all): response times include that; let it collect less often (GOGC, GOMEMLIMIT) or let the target allocate less"}}, ""},
		{"collection once", func(r *record.Record, limit *string) { r.Machine.GCPauseMax = 9 * ms; r.Machine.GCPauseTotal = 10 * ms }, nil, "0.1 % of the run moves no quantile"},

		{"clock ahead", func(r *record.Record, limit *string) { r.Machine.ClockDrift = time.Hour }, []Warning{{"clock_step",
			"the clock of this machine jumped 1h ahead: it was set, or the machine was suspended; repeat the run if it was suspended"}}, ""},
		{"clock set back", func(r *record.Record, limit *string) { r.Machine.ClockDrift = -90 * s }, []Warning{{"clock_step",
			"the clock of this machine was set back by 1m30s: times are measured without it, but its timestamps do not fit those of other machines"}}, ""},

		{"short and idle", func(r *record.Record, limit *string) {
			r.Machine = host.Usage{
				Wall: 490 * ms, HaveCPU: true, CPUUser: s, Hiccup99: 40 * ms, HiccupMax: 40 * ms, RunQueueWait: s,
				Readings: host.Readings{Steal: new(1.), ForeignCPU: new(1.), Pressure: new(1.), RunQueue: new(1.)},
			}
		}, nil, "a few ticks are no share of anything"},
		{"short and throttled", func(r *record.Record, limit *string) {
			r.Machine = host.Usage{Wall: 200 * ms, Readings: host.Readings{Throttled: new(0.5)}, ThrottledTime: 80 * ms}
		}, []Warning{{"throttled",
			"a CPU quota stopped this process in 50.0% of its periods, for 80ms in all: raise the quota of the container or cgroup, or lower the rate (--rate or --stage, Open or Staged)"}},
			"a period that was cut short is counted, not sampled"},
		{"all sensors off", func(r *record.Record, limit *string) {
			r.Machine = host.Usage{Wall: 10 * s, RunQueueWait: s}
		}, nil, "what is not known says nothing"},
		{"zero", func(r *record.Record, limit *string) { *r = *record.New(false, nil) }, nil, "a run that never was"},
		{"abandoned", func(r *record.Record, limit *string) { r.Abandoned = 2 }, []Warning{{"abandoned",
			"2 calls of the function went on after the run: it ignores its context"}}, ""},
		{"order", func(r *record.Record, limit *string) {
			r.Lateness = late(3 * ms)
			r.Sent = 0
			r.Machine.ClockDrift = -90 * s
		}, []Warning{
			{Lateness, "the generator was late by 3ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate or --stage, Open or Staged) or give it more CPU"},
			{SentBelowDue, "10,000 of 10,000 due requests were never sent and count as missed: the generator did not keep up, with at most 60 in flight; lower the rate (--rate or --stage, Open or Staged) or give it more CPU"},
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
			got := Warnings(r, limits)
			require.Len(t, got, len(test.want), "%s: %v", test.why, got)
			assert.Equal(t, test.want, got, test.why)
		})
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
