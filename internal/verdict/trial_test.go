package verdict

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
)

func parseAll(t *testing.T, texts ...string) (limits []Limit) {
	t.Helper()
	for _, text := range texts {
		l, err := Parse(text)
		require.NoError(t, err)
		limits = append(limits, l)
	}
	return limits
}

// took returns a histogram of n times the same time.
func took(n int64, d time.Duration) *hist.Histogram {
	h := hist.New(10)
	for range n {
		h.Record(int64(d))
	}
	return h
}

// What kept a trial from holding: the target, unless something else did.
func TestBlame(t *testing.T) {
	const n = 1000
	const here, there = record.InProcess, record.Elsewhere
	quick, slow := took(n, time.Millisecond), took(n, 60*time.Millisecond)
	busy := host.Usage{Wall: time.Second, HaveCPU: true, CPUUser: 1800 * time.Millisecond} // of two processors
	stolen := host.Usage{Wall: time.Second, Readings: host.Readings{Steal: new(0.2)}}
	for _, tc := range []struct {
		place  record.Place
		change func(*record.Record)
		usage  host.Usage
		want   string
		reason string
	}{
		{here, func(*record.Record) {}, busy, "", ""},
		{there, func(*record.Record) {}, busy, "", ""},
		{there, func(*record.Record) {}, stolen, "", ""},
		{here, func(r *record.Record) { r.Within[0] = n - 10 }, busy, "", ""}, // 1 % may
		{here, func(r *record.Record) { r.Within[0] = n - 11 }, busy, ByTarget, "11 of 1000 not within 50ms"},
		{there, func(r *record.Record) { r.Within[0] = n - 11 }, busy, ByGenerator, "the load generator itself used 90.0%"},
		{there, func(r *record.Record) { r.Within[0] = n - 11 }, stolen, ByHost, "the hypervisor took 20.0%"},
		{there, func(r *record.Record) { r.Succeeded, r.Failed, r.Within[0] = n-50, 50, n-50 }, host.Usage{}, ByTarget, "not within"},
		{there, func(r *record.Record) { r.Response, r.Service, r.Within[0] = slow, slow, 0 }, host.Usage{}, ByTarget, "not within"},
		{there, func(r *record.Record) { r.Response, r.Lateness, r.Within[0] = slow, slow, 0 }, host.Usage{}, ByGenerator, "own lateness"},
		{there, func(r *record.Record) { r.Response, r.Waited, r.Within[0] = slow, slow, 0 }, host.Usage{}, ByTarget, "not within"},
		{there, func(r *record.Record) { r.Sent, r.Unsent, r.Within[0] = n-20, 20, n-20 }, host.Usage{}, ByGenerator, "98.0% of what was due was sent"},
		{there, func(r *record.Record) { r.Sent, r.Unsent, r.Within[0], r.PeakInFlight = n-20, 20, n-20, 10 }, host.Usage{}, ByTarget, "not within"},
	} {
		r := &record.Record{
			Totals: record.Totals{Due: n, Sent: n, Succeeded: n}, Within: []int64{n}, PeakInFlight: 5, Concurrency: 10,
			Response: quick, Service: quick, Lateness: took(n, time.Microsecond), Waited: took(n, 0),
			Place: tc.place, Processors: 2, Machine: tc.usage,
		}
		tc.change(r)
		by, why := Blame(parseAll(t, "p99<=50ms", "errors<=4%"), r)
		assert.Equal(t, tc.want, by, why)
		assert.Contains(t, why, tc.reason)
		assert.Equal(t, by == "", why == "")
	}
}

// Every limit of a trial is counted by itself.
func TestMissedLimits(t *testing.T) {
	check := func(want []string, within []int64, succeeded int64, longest time.Duration) {
		t.Helper()
		r := &record.Record{Totals: record.Totals{Due: 100, Sent: 100, Succeeded: succeeded, Failed: 100 - succeeded}, Within: within, Response: took(1, longest)}
		assert.Equal(t, want, missedLimits(parseAll(t, "p50<=1ms", "errors<=1%", "p99<=5ms", "max<10ms"), r))
	}
	check(nil, []int64{50, 99}, 100, 9*time.Millisecond)
	check([]string{"p50<=1ms: 51 of 100 not within 1ms"}, []int64{49, 99}, 100, 9*time.Millisecond)
	check([]string{"p99<=5ms: 2 of 100 not within 5ms"}, []int64{50, 98}, 100, 9*time.Millisecond)
	check([]string{"errors<=1%: error ratio 0.02", "max<10ms: 2 of 100 did not succeed"}, []int64{50, 99}, 98, 9*time.Millisecond)
	check([]string{"max<10ms: max 10ms"}, []int64{50, 99}, 100, 10*time.Millisecond)
	check([]string{"max<10ms: 1 of 100 did not succeed"}, []int64{50, 99}, 99, 0) // and 1 % is at most 1 %
}
