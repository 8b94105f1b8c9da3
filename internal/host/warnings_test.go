package host

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
	s  = time.Second
)

// sound is a run of 10 s at 1000/s with nothing to warn of, one step away from
// the threshold of each warning.
func sound() (Usage, Load) {
	on := func(v float64) Reading { return Reading{v, true} }
	return Usage{
			Wall: 10 * s, HaveCPU: true, CPU: 16 * s,
			Steal: on(0.01), ForeignCPU: on(0.1), Pressure: on(0.1), Throttled: on(0.01),
			RunQueue: on(0.05), RunQueueWait: 5 * s,
			GCPauses: 40, GCPauseTotal: 20 * ms, GCPauseMax: 5 * ms,
			Hiccup99: 5 * ms, HiccupMax: 150 * ms,
			ClockDrift: s,
		}, Load{
			Open: true, Processors: 2, Threshold: 50 * ms, ResponseP50: 2 * ms,
			Lateness50: 20 * us, Lateness99: 2500 * us, LatenessMax: 20 * ms,
			Due: 10000, Sent: 9990, Concurrency: 64, PeakInFlight: 60,
			PermitsExhausted: 10 * ms, Elapsed: 10 * s,
		}
}

func TestWarnings(t *testing.T) {
	tests := []struct {
		name   string
		change func(u *Usage, l *Load)
		want   []Warning
		why    string
	}{
		{"sound", func(u *Usage, l *Load) {}, nil, "at a threshold is not above it"},
		{"late for the limit", func(u *Usage, l *Load) { l.Lateness99 = 3 * ms }, []Warning{{Lateness,
			"the generator was late by 3ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate, Options.Rate) or give it more CPU"}},
			"3 ms is 6 % of 50 ms"},
		{"late beside the target", func(u *Usage, l *Load) { l.Lateness99 = 3 * ms; l.InProcess = true }, []Warning{{Lateness,
			"the generator was late by 3ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate, Options.Rate) or give it more CPU, which it shares with the target here"}}, ""},
		{"late without a limit", func(u *Usage, l *Load) { l.Threshold = 0; u.HiccupMax = 0 }, []Warning{{Lateness,
			"the generator was late by 2.5ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate, Options.Rate) or give it more CPU"}},
			"above 1 ms and 5 % of 2 ms"},
		{"late, but the target is far slower", func(u *Usage, l *Load) { l.Threshold = 0; u.HiccupMax = 0; l.ResponseP50 = 50 * ms }, nil,
			"2.5 ms is 5 % of 50 ms"},
		{"late, but under a millisecond", func(u *Usage, l *Load) {
			l.Threshold = 0
			u.HiccupMax = 0
			l.ResponseP50 = 50 * us
			l.Lateness99 = ms
		}, nil, "what timers cost, and no limit says that it matters"},
		{"late and all failed", func(u *Usage, l *Load) { l.Threshold = 0; u.HiccupMax = 0; l.ResponseP50 = 0 }, []Warning{{Lateness,
			"the generator was late by 2.5ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate, Options.Rate) or give it more CPU"}},
			"without a response time the floor alone decides"},
		{"closed and late", func(u *Usage, l *Load) { l.Open = false; l.Lateness99 = s }, nil, "a closed workload has no schedule to be late for"},

		{"unsent", func(u *Usage, l *Load) { l.Due = 30000; l.Sent = 8410 }, []Warning{{SentBelowDue,
			"21,590 of 30,000 due requests were never sent and count as missed: the generator did not keep up, with at most 60 in flight; lower the rate (--rate, Options.Rate) or give it more CPU"}}, ""},
		{"unsent for want of permits", func(u *Usage, l *Load) { l.Sent = 9989; l.PeakInFlight = 64 }, []Warning{{SentBelowDue,
			"11 of 10,000 due requests were never sent and count as missed: all 64 permits were taken; raise the concurrency (--concurrency, Options.Concurrency) or lower the rate (--rate, Options.Rate)"}},
			"one more than 0.1 %"},
		{"nothing due", func(u *Usage, l *Load) { l.Due = 0; l.Sent = 0 }, nil, "0 of 0 is not too few"},

		{"permits exhausted", func(u *Usage, l *Load) { l.PermitsExhausted = 3210 * ms; l.Concurrency = 1000 }, []Warning{{PermitsExhausted,
			"all 1,000 permits were taken for 3.21s (32.1% of the run): arrivals waited for one, and response times include that; the target is too slow for this rate, or raise the concurrency (--concurrency, Options.Concurrency)"}}, ""},
		{"closed and permits exhausted", func(u *Usage, l *Load) { l.Open = false; l.PermitsExhausted = 10 * s }, nil,
			"all permits in use is what a closed workload is"},

		{"own CPU", func(u *Usage, l *Load) { u.CPU = 19 * s }, []Warning{{OwnCPU,
			"the generator used 95.0% of its 2 processors: it may be the bottleneck; lower the rate (--rate, Options.Rate) or give it more"}}, ""},
		{"own CPU, closed", func(u *Usage, l *Load) { u.CPU = 19 * s; l.Open = false }, []Warning{{OwnCPU,
			"the generator used 95.0% of its 2 processors: it may be the bottleneck; lower the concurrency (--concurrency, Options.Concurrency) or give it more"}},
			"a closed workload has no rate to lower"},
		{"own CPU, one loop", func(u *Usage, l *Load) { u.CPU = 19 * s / 2; l.Processors = 1 }, []Warning{{OwnCPU,
			"the generator used 95.0% of its only processor: it may be the bottleneck; lower the rate (--rate, Options.Rate) or give it more"}}, ""},
		{"own CPU with the target", func(u *Usage, l *Load) { u.CPU = 19 * s; l.InProcess = true }, nil, "it may be the target's"},
		{"own CPU unknown", func(u *Usage, l *Load) { u.CPU = 19 * s; u.HaveCPU = false }, nil, ""},
		{"no processors said", func(u *Usage, l *Load) { l.Processors = 0 }, nil, "never divides by 0"},

		{"throttled", func(u *Usage, l *Load) { u.Throttled.Value = 10. / 11; u.ThrottledTime = 812345678 }, []Warning{{Throttled,
			"a CPU quota stopped this process in 90.9% of its periods, for 812.3ms in all: raise the quota of the container or cgroup, or lower the rate (--rate, Options.Rate)"}}, ""},
		{"steal", func(u *Usage, l *Load) { u.Steal.Value = 0.1 }, []Warning{{Steal,
			"the hypervisor gave 10.0% of this machine's CPU to others: times are too long by an unknown part; repeat the run on a machine that has its processors to itself"}}, ""},
		{"foreign CPU", func(u *Usage, l *Load) { u.ForeignCPU.Value = 0.5 }, []Warning{{ForeignCPU,
			"other processes used 50.0% of this machine's CPU: stop what need not run, or give the generator a machine of its own"}}, ""},
		{"foreign CPU beside a target on loopback", func(u *Usage, l *Load) { u.ForeignCPU.Value = 0.5; l.Loopback = true }, nil,
			"that is the target's work"},
		{"foreign CPU and what it does", func(u *Usage, l *Load) { u.ForeignCPU.Value, u.Pressure.Value, u.RunQueue.Value = 0.5, 0.9, 0.9 }, []Warning{{ForeignCPU,
			"other processes used 50.0% of this machine's CPU: stop what need not run, or give the generator a machine of its own"}},
			"pressure and the run queue are its effects"},
		{"pressure and run queue", func(u *Usage, l *Load) { u.Pressure.Value, u.RunQueue.Value = 0.254, 0.9 }, []Warning{{Pressure,
			"something on this machine waited for a processor 25.4% of the time: it has too few for what runs on it; stop what need not run or lower the rate (--rate, Options.Rate)"}},
			"both say the same"},
		{"pressure", func(u *Usage, l *Load) { u.Pressure.Value = 0.254 }, []Warning{{Pressure,
			"something on this machine waited for a processor 25.4% of the time: it has too few for what runs on it; stop what need not run or lower the rate (--rate, Options.Rate)"}}, ""},
		{"run queue", func(u *Usage, l *Load) { u.RunQueue.Value = 0.2 }, []Warning{{RunQueue,
			"threads of this process waited for a processor 20.0% of the time they could have run (5s in all): stop what else runs here or lower the rate (--rate, Options.Rate)"}}, ""},
		{"run queue of an idle process", func(u *Usage, l *Load) { u.RunQueue.Value = 0.6; u.RunQueueWait = 100 * ms }, nil,
			"much of nearly nothing: 1 % of the window"},

		{"hiccup for the limit", func(u *Usage, l *Load) { u.Hiccup99 = 6 * ms }, []Warning{{Hiccup,
			"this process stood still for up to 150ms (p99 6ms): response times include that; stop what else runs here or lower the rate (--rate, Options.Rate)"}}, ""},
		{"hiccup that timers make", func(u *Usage, l *Load) { u.Hiccup99 = 2 * ms; l.Threshold = 5 * ms; l.Lateness99 = 0; u.GCPauseMax = 0 }, nil,
			"no timer is better, however tight the limit"},
		{"hiccup without a limit", func(u *Usage, l *Load) { l.Threshold = 0; l.Lateness99 = 0; u.Hiccup99 = 0 }, []Warning{{Hiccup,
			"this process stood still for up to 150ms (p99 0s): response times include that; stop what else runs here or lower the rate (--rate, Options.Rate)"}}, ""},

		{"collection for the limit", func(u *Usage, l *Load) { u.GCPauseMax = 6 * ms }, []Warning{{GCPause,
			"garbage collection stopped this process for up to 6ms (40 times, 20ms in all): response times include that; let it collect less often (GOGC, GOMEMLIMIT)"}}, ""},
		{"collection without a limit", func(u *Usage, l *Load) {
			l.Threshold, l.Lateness99, u.HiccupMax = 0, 0, 0
			u.GCPauseMax, l.InProcess = 12*ms, true
		}, []Warning{{GCPause,
			"garbage collection stopped this process for up to 12ms (40 times, 20ms in all): response times include that; let it collect less often (GOGC, GOMEMLIMIT) or let the target allocate less"}}, ""},
		{"collection once", func(u *Usage, l *Load) { u.GCPauseMax = 9 * ms; u.GCPauseTotal = 10 * ms }, nil, "0.1 % of the run moves no quantile"},

		{"clock ahead", func(u *Usage, l *Load) { u.ClockDrift = time.Hour }, []Warning{{ClockStep,
			"the clock of this machine jumped 1h ahead: it was set, or the machine was suspended; repeat the run if it was suspended"}}, ""},
		{"clock set back", func(u *Usage, l *Load) { u.ClockDrift = -90 * s }, []Warning{{ClockStep,
			"the clock of this machine was set back by 1m30s: times are measured without it, but its timestamps do not fit those of other machines"}}, ""},

		{"short and idle", func(u *Usage, l *Load) {
			*u = Usage{Wall: 490 * ms, HaveCPU: true, CPU: s, Hiccup99: 40 * ms, HiccupMax: 40 * ms}
			for _, r := range []*Reading{&u.Steal, &u.ForeignCPU, &u.Pressure, &u.RunQueue} {
				*r = Reading{1, true}
			}
			u.RunQueueWait = s
		}, nil, "a few ticks are no share of anything"},
		{"short and throttled", func(u *Usage, l *Load) {
			*u = Usage{Wall: 200 * ms, Throttled: Reading{0.5, true}, ThrottledTime: 80 * ms}
		}, []Warning{{Throttled,
			"a CPU quota stopped this process in 50.0% of its periods, for 80ms in all: raise the quota of the container or cgroup, or lower the rate (--rate, Options.Rate)"}},
			"a period that was cut short is counted, not sampled"},
		{"all sensors off", func(u *Usage, l *Load) {
			*u = Usage{Wall: 10 * s}
			for _, r := range []*Reading{&u.Steal, &u.ForeignCPU, &u.Pressure, &u.RunQueue, &u.Throttled} {
				r.Value = 1
			}
			u.RunQueueWait = s
		}, nil, "a value that is not OK says nothing"},
		{"zero", func(u *Usage, l *Load) { *u, *l = Usage{}, Load{} }, nil, "a run that never was"},
		{"order", func(u *Usage, l *Load) { l.Lateness99 = 3 * ms; l.Sent = 0; u.ClockDrift = -90 * s }, []Warning{
			{Lateness, "the generator was late by 3ms at p99 (p50 20µs, max 20ms): response times include that; lower the rate (--rate, Options.Rate) or give it more CPU"},
			{SentBelowDue, "10,000 of 10,000 due requests were never sent and count as missed: the generator did not keep up, with at most 60 in flight; lower the rate (--rate, Options.Rate) or give it more CPU"},
			{ClockStep, "the clock of this machine was set back by 1m30s: times are measured without it, but its timestamps do not fit those of other machines"}},
			"what bears most on the numbers comes first"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u, l := sound()
			test.change(&u, &l)
			got := Warnings(u, l)
			require.Len(t, got, len(test.want), "%s: %v", test.why, got)
			assert.Equal(t, test.want, got, test.why)
		})
	}
}
