package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/hist"
)

// constant returns a histogram of n equal times.
func constant(d time.Duration, n int64) *hist.Histogram {
	h := hist.New(10)
	h.RecordN(int64(d), n)
	return h
}

func TestExcuse(t *testing.T) {
	const ms = time.Millisecond
	here, loopback, remote := Noise{InProcess: true}, Noise{Loopback: true}, Noise{}
	with := func(n Noise, set func(*Noise)) Noise { set(&n); return n }
	for _, tc := range []struct {
		limit string
		n     Noise
		want  string
		why   string
	}{
		{"p99<=50ms", Noise{}, "", "all sensors off"},
		{"p99<=50ms", here, "", "likewise"},
		{"throughput>=1", here, "", "likewise"},

		{"p99<=50ms", with(here, func(n *Noise) { n.Steal = new(0.1) }), "the hypervisor took 10.0% of the processor time", "no target steals"},
		{"p99<=50ms", with(here, func(n *Noise) { n.Steal = new(0.05) }), "", "not that much"},
		{"throughput>=9", with(here, func(n *Noise) { n.Steal = new(0.1) }), "the hypervisor took 10.0% of the processor time", "a rate suffers too"},
		{"max<=50ms", with(here, func(n *Noise) { n.Steal = new(0.1) }), "the hypervisor took 10.0% of the processor time", "and a maximum"},
		{"mean<=50ms", with(here, func(n *Noise) { n.Steal = new(0.1) }), "the hypervisor took 10.0% of the processor time", "and a mean"},
		{"errors<=1%", with(here, func(n *Noise) { n.Steal = new(0.9) }), "", "no noise makes errors"},
		{"p99>=50ms", with(here, func(n *Noise) { n.Steal = new(0.9) }), "", "nor a target fast"},
		{"throughput<=9", with(here, func(n *Noise) { n.Steal = new(0.9) }), "", "nor makes it do more"},

		{"p99<=50ms", with(here, func(n *Noise) { n.ForeignCPU = new(0.5) }), "other processes took 50.0% of the processor time", "a neighbour"},
		{"p99<=50ms", with(remote, func(n *Noise) { n.ForeignCPU = new(0.5) }), "other processes took 50.0% of the processor time", "a neighbour of the generator"},
		{"p99<=50ms", with(loopback, func(n *Noise) { n.ForeignCPU = new(0.5) }), "", "the neighbour is the target itself"},

		{"p99<=50ms", with(here, func(n *Noise) { n.Throttled = new(0.2) }), "", "the target may have used the quota up"},
		{"p99<=50ms", with(here, func(n *Noise) { n.Throttled, n.ThrottledControl = new(0.2), new(0.01) }), "", "it has: a handler that does nothing is not throttled"},
		{"p99<=50ms", with(here, func(n *Noise) { n.Throttled, n.ThrottledControl = new(0.2), new(0.1) }), "the processor quota ran out in 20.0% of its periods", "it has not"},
		{"p99<=50ms", with(loopback, func(n *Noise) { n.Throttled = new(0.2) }), "", "it may share the quota"},
		{"p99<=50ms", with(remote, func(n *Noise) { n.Throttled = new(0.2) }), "the processor quota ran out in 20.0% of its periods", "the generator's own"},

		{"p99<=50ms", with(here, func(n *Noise) { n.CPUUse = new(0.95) }), "", "a handler that got slow in this process"},
		{"p99<=50ms", with(loopback, func(n *Noise) { n.CPUUse = new(0.95) }), "the load generator itself used 95.0% of its processors", "the generator is the bottleneck"},
		{"p99<=50ms", with(remote, func(n *Noise) { n.CPUUse = new(0.8) }), "", "not quite"},

		{"p99<=50ms", with(here, func(n *Noise) { n.Lateness = constant(11*ms, 1000) }), "", "the handler may keep the pacer from running"},
		{"p99<=50ms", with(here, func(n *Noise) { n.Lateness, n.LatenessControl = constant(11*ms, 1000), constant(11*ms, 1000) }), "the generator was late by 11ms at p99", "it does not"},
		{"p99<=50ms", with(here, func(n *Noise) { n.Lateness, n.LatenessControl = constant(11*ms, 1000), constant(9*ms, 1000) }), "", "it does"},
		{"p99<=50ms", with(here, func(n *Noise) { n.Lateness, n.LatenessControl = constant(11*ms, 1000), constant(11*ms, 99) }), "", "too few to tell"},
		{"p99<=50ms", with(remote, func(n *Noise) { n.Lateness = constant(11*ms, 1000) }), "the generator was late by 11ms at p99", "a target elsewhere does not"},
		{"max<=50ms", with(remote, func(n *Noise) { n.Lateness = constant(11*ms, 1) }), "the generator was late by 11ms at max", "one is enough for a maximum"},
		{"mean<=50ms", with(remote, func(n *Noise) { n.Lateness = constant(11*ms, 1) }), "the generator was late by 11ms at mean", "and for a mean"},

		{"p99<=5ms", with(here, func(n *Noise) { n.Control = constant(3100*time.Microsecond, 200) }), "this machine cannot measure 5ms: a handler that does nothing took 3.1ms at p99", "more than half"},
		{"p99<=5ms", with(here, func(n *Noise) { n.Control = constant(2*ms, 200) }), "", "less than half"},
		{"p99<=5ms", with(here, func(n *Noise) { n.Control = constant(9*ms, 99) }), "", "too few to tell"},
		{"p50<=5ms", with(here, func(n *Noise) { n.Control = constant(9*ms, 99) }), "this machine cannot measure 5ms: a handler that does nothing took 9ms at p50", "but of the median"},

		{"throughput>=900", with(remote, func(n *Noise) { n.Planned, n.Sent = 1000, 980 }), "the generator sent only 980 of 1,000 arrivals", "it could not"},
		{"throughput>=900", with(remote, func(n *Noise) { n.Planned, n.Sent = 1000, 990 }), "", "nearly all"},
		{"throughput>=900", with(remote, func(n *Noise) { n.Planned, n.Sent, n.Blocked = 1000, 500, true }), "", "it had to wait for the target"},
	} {
		assert.Equal(t, tc.want, Excuse(limit(t, tc.limit), tc.n), "%s: %s", tc.limit, tc.why)
	}
}

// Noise takes a fail back, and that is all.
func TestExcused(t *testing.T) {
	const why = "the hypervisor took 10.0% of the processor time"
	judge := func(l string, c Counts) Result { return Judge(limit(t, l), c, DefaultStandard) }
	fail := judge("p99<=50ms", even(10_000, 200, 0, enough))
	excused := fail.Excuse(why)
	assert.Equal(t, Inconclusive, excused.Verdict)
	assert.Equal(t, fail.Reason+"; in doubt: "+why, excused.String())
	assert.Zero(t, excused.Confidence)
	assert.Equal(t, Fail, fail.Verdict, "the result itself stays")
	assert.Equal(t, fail, fail.Excuse(""), "no excuse")
	for _, r := range []Result{
		judge("p99<=50ms", even(10_000, 10, 0, enough)),
		judge("p99<=50ms", even(10_000, 100, 0, enough)),
		judge("errors<=0", even(10_000, 0, 1, enough)),
		judge("max<=1h", even(10_000, 0, 1, enough)),
		fail.Waive("the race detector is on"),
	} {
		assert.Equal(t, r, r.Excuse(why), "%s", r)
	}
}
