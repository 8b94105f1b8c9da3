package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/record"
)

// A fact is something that sensors saw of a run.
type fact func(*record.Record)

func steal(share float64) fact {
	return func(r *record.Record) { r.Machine.Steal = &share }
}

func foreign(share float64) fact {
	return func(r *record.Record) { r.Machine.ForeignCPU = &share }
}

func throttled(share float64) fact {
	return func(r *record.Record) { r.Machine.Throttled = &share }
}

// busy is a part of 4 processors.
func busy(share float64) fact {
	return func(r *record.Record) {
		r.Processors = 4
		r.Machine.Wall, r.Machine.HaveCPU, r.Machine.CPUUser = time.Second, true, time.Duration(share*4e9)
	}
}

// sent adds n requests that were all as late and all took as long.
func sent(n int64, late, took time.Duration) fact {
	return func(r *record.Record) {
		for k := range n {
			due := time.Duration(k) * time.Millisecond
			r.Add(&record.Sample{N: k, Due: due, Sent: due + late, Done: due + late + took, Result: record.Result{Status: 200}})
		}
	}
}

// neverSent adds n requests that were never sent.
func neverSent(n int64) fact {
	return func(r *record.Record) {
		for range n {
			r.AddUnsent(0, 1)
		}
	}
}

func waited(r *record.Record) { r.Exhausted = time.Second }

// with returns the record of which the facts hold.
func with(facts ...fact) *record.Record {
	r := record.New(true, nil)
	for _, f := range facts {
		f(r)
	}
	return r
}

// control is what a handler that does nothing suffered meanwhile.
func control(facts ...fact) fact {
	return func(r *record.Record) { r.Control = with(facts...) }
}

func TestExcuse(t *testing.T) {
	const ms = time.Millisecond
	const here, loopback, remote = record.InProcess, record.Loopback, record.Elsewhere
	for _, tc := range []struct {
		limit string
		place record.Place
		r     *record.Record
		want  string
		why   string
	}{
		{"p99<=50ms", remote, with(), "", "all sensors off"},
		{"p99<=50ms", here, with(), "", "likewise"},
		{"throughput>=1", here, with(), "", "likewise"},
		{"p99<=50ms", here, with(control()), "", "a control that never ran"},

		{"p99<=50ms", here, with(steal(0.1)), "the hypervisor took 10.0% of the processor time", "no target steals"},
		{"p99<=50ms", here, with(steal(0.05)), "", "not that much"},
		{"throughput>=9", here, with(steal(0.1)), "the hypervisor took 10.0% of the processor time", "a rate suffers too"},
		{"max<=50ms", here, with(steal(0.1)), "the hypervisor took 10.0% of the processor time", "and a maximum"},
		{"mean<=50ms", here, with(steal(0.1)), "the hypervisor took 10.0% of the processor time", "and a mean"},
		{"errors<=1%", here, with(steal(0.9)), "", "no noise makes errors"},
		{"p99>=50ms", here, with(steal(0.9)), "", "nor a target fast"},
		{"throughput<=9", here, with(steal(0.9)), "", "nor makes it do more"},

		{"p99<=50ms", here, with(foreign(0.5)), "other processes took 50.0% of the processor time", "a neighbour"},
		{"p99<=50ms", remote, with(foreign(0.5)), "other processes took 50.0% of the processor time", "a neighbour of the generator"},
		{"p99<=50ms", loopback, with(foreign(0.5)), "", "the neighbour is the target itself"},

		{"p99<=50ms", here, with(throttled(0.2)), "", "the target may have used the quota up"},
		{"p99<=50ms", here, with(throttled(0.2), control(throttled(0.01))), "", "it has: a handler that does nothing is not throttled"},
		{"p99<=50ms", here, with(throttled(0.2), control(throttled(0.1))), "the processor quota ran out in 20.0% of its periods", "it has not"},
		{"p99<=50ms", loopback, with(throttled(0.2)), "", "it may share the quota"},
		{"p99<=50ms", remote, with(throttled(0.2)), "the processor quota ran out in 20.0% of its periods", "the generator's own"},

		{"p99<=50ms", here, with(busy(0.95)), "", "a handler that got slow in this process"},
		{"p99<=50ms", loopback, with(busy(0.95)), "the load generator itself used 95.0% of its processors", "the generator is the bottleneck"},
		{"p99<=50ms", remote, with(busy(0.8)), "", "not quite"},

		{"p99<=50ms", here, with(sent(1000, 11*ms, 0)), "", "the handler may keep the pacer from running"},
		{"p99<=50ms", here, with(sent(1000, 11*ms, 0), control(sent(1000, 11*ms, 0))), "the generator was late by 11ms at p99", "it does not"},
		{"p99<=50ms", here, with(sent(1000, 11*ms, 0), control(sent(1000, 9*ms, 0))), "", "it does"},
		{"p99<=50ms", here, with(sent(1000, 11*ms, 0), control(sent(99, 11*ms, 0))), "", "too few to tell"},
		{"p99<=50ms", remote, with(sent(1000, 11*ms, 0)), "the generator was late by 11ms at p99", "a target elsewhere does not"},
		{"max<=50ms", remote, with(sent(1, 11*ms, 0)), "the generator was late by 11ms at max", "one is enough for a maximum"},
		{"mean<=50ms", remote, with(sent(1, 11*ms, 0)), "the generator was late by 11ms at mean", "and for a mean"},

		{"p99<=5ms", here, with(control(sent(200, 0, 3100*time.Microsecond))), "this machine cannot measure 5ms: a handler that does nothing took 3.1ms at p99", "more than half"},
		{"p99<=5ms", here, with(control(sent(200, 0, 2*ms))), "", "less than half"},
		{"p99<=5ms", here, with(control(sent(99, 0, 9*ms))), "", "too few to tell"},
		{"p50<=5ms", here, with(control(sent(99, 0, 9*ms))), "this machine cannot measure 5ms: a handler that does nothing took 9ms at p50", "but of the median"},

		{"throughput>=900", remote, with(sent(980, 0, 0), neverSent(20)), "the generator sent only 980 of 1,000 arrivals", "it could not"},
		{"throughput>=900", remote, with(sent(990, 0, 0), neverSent(10)), "", "nearly all"},
		{"throughput>=900", remote, with(sent(500, 0, 0), neverSent(500), waited), "", "it had to wait for the target"},
	} {
		tc.r.Place = tc.place
		assert.Equal(t, tc.want, Excuse(Finding{Limit: limit(t, tc.limit)}, tc.r), "%s: %s", tc.limit, tc.why)
	}
}

// Noise takes a fail back, and that is all.
func TestExcused(t *testing.T) {
	const why = "the hypervisor took 10.0% of the processor time"
	judge := func(l string, r *record.Record) Finding { return judge(t, l, r, DefaultStandard) }
	fail := judge("p99<=50ms", even(10_000, 200, 0, enough))
	excused := fail.Excuse(why)
	assert.Equal(t, Inconclusive, excused.Verdict)
	assert.Equal(t, fail.Reason+"; in doubt: "+why, excused.String())
	assert.Zero(t, excused.Confidence)
	assert.Equal(t, Fail, fail.Verdict, "the result itself stays")
	assert.Equal(t, fail, fail.Excuse(""), "no excuse")
	for _, r := range []Finding{
		judge("p99<=50ms", even(10_000, 10, 0, enough)),
		judge("p99<=50ms", even(10_000, 100, 0, enough)),
		judge("errors<=0", even(10_000, 0, 1, enough)),
		judge("max<=1h", even(10_000, 0, 1, enough)),
		fail.Waive("the race detector is on"),
	} {
		assert.Equal(t, r, r.Excuse(why), "%s", r)
	}
}
