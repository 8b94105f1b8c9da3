package verdict

import (
	"math"
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
		fell   string
		want   string
		reason string
	}{
		{here, func(*record.Record) {}, busy, "", "", ""},
		{there, func(*record.Record) {}, busy, "", "", ""},
		{there, func(*record.Record) {}, stolen, "", "", ""},
		{here, func(r *record.Record) { r.Within[0] = n - 10 }, busy, "", "", ""}, // 1 % may
		{here, func(r *record.Record) { r.Within[0] = n - 11 }, busy, "", ByTarget, "11 of 1000 not within 50ms"},
		{there, func(r *record.Record) { r.Within[0] = n - 11 }, busy, "", ByGenerator, "the load generator itself used 90.0%"},
		{there, func(r *record.Record) { r.Within[0] = n - 11 }, stolen, "", ByHost, "the hypervisor took 20.0%"},
		{there, func(r *record.Record) { r.Succeeded, r.Failed, r.Within[0] = n-50, 50, n-50 }, host.Usage{}, "", ByTarget, "not within"},
		{there, func(r *record.Record) { r.Response, r.Service, r.Within[0] = slow, slow, 0 }, host.Usage{}, "", ByTarget, "not within"},
		{there, func(r *record.Record) { r.Response, r.Lateness, r.Within[0] = slow, slow, 0 }, host.Usage{}, "", ByGenerator, "own lateness"},
		{there, func(r *record.Record) { r.Response, r.Waited, r.Within[0] = slow, slow, 0 }, host.Usage{}, "", ByTarget, "not within"},
		{there, func(r *record.Record) { r.Sent, r.Unsent, r.Within[0] = n-20, 20, n-20 }, host.Usage{}, "", ByGenerator, "98.0% of what was due was sent"},
		{there, func(r *record.Record) { r.Sent, r.Unsent, r.Within[0], r.PeakInFlight = n-20, 20, n-20, 10 }, host.Usage{}, "", ByTarget, "not within"},
		{there, func(*record.Record) {}, host.Usage{}, "fell behind", ByTarget, "fell behind"},
		{here, func(*record.Record) {}, busy, "fell behind", ByTarget, "fell behind"},
		{there, func(*record.Record) {}, busy, "fell behind", ByGenerator, "fell behind, while the load generator itself used 90.0%"},
		{there, func(*record.Record) {}, stolen, "fell behind", ByHost, "fell behind, while the hypervisor took 20.0%"},
		{there, func(r *record.Record) { r.Lateness = took(n, 2*time.Millisecond) }, host.Usage{}, "fell behind", ByGenerator, "own lateness"},
		{there, func(r *record.Record) {
			r.Lateness, r.Waited = took(n, 2*time.Millisecond), took(n, 2*time.Millisecond)
		}, host.Usage{}, "fell behind", ByTarget, "fell behind"},
		{there, func(r *record.Record) { r.Sent, r.Unsent, r.Within[0], r.PeakInFlight = n-15, 15, n, 10 }, host.Usage{}, "", ByTarget, "all permits were taken"},
		{there, func(r *record.Record) { r.Sent, r.Unsent, r.Within[0], r.PeakInFlight = n-15, 15, n, 10 }, stolen, "", ByHost, "all permits were taken, while"},
	} {
		r := &record.Record{
			Totals: record.Totals{Due: n, Sent: n, Succeeded: n}, Within: []int64{n}, PeakInFlight: 5, Concurrency: 10,
			Response: quick, Service: quick, Lateness: took(n, time.Microsecond), Waited: took(n, 0),
			Place: tc.place, Processors: 2, Machine: tc.usage,
		}
		tc.change(r)
		by, why := Blame(parseAll(t, "p99<=50ms", "errors<=4%"), r, tc.fell)
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

// A trial ends once it tells how it will end.
func TestTrialDecided(t *testing.T) {
	limits := parseAll(t, "p99<=50ms")
	const origin = 3 * time.Second
	// seen is a look at a trial of 1000 arrivals per second: the requests that ended,
	// those of them that were late, and how long the others took.
	seen := func(at time.Duration, ended, late int64, longest time.Duration) *record.Record {
		return &record.Record{
			Totals: record.Totals{Due: ended, Sent: ended, Succeeded: ended}, Within: []int64{ended - late},
			Until: origin + at, Response: took(max(ended, 1), longest),
		}
	}
	const ms = time.Millisecond
	for _, tc := range []struct {
		purpose string
		looks   []*record.Record
		want    bool
		why     string
	}{
		{"search", []*record.Record{seen(100*ms, 90, 10, 60*ms)}, false, "10 of 1000 may be late"},
		{"search", []*record.Record{seen(100*ms, 90, 11, 60*ms)}, true, "11 may not"},
		{"search", []*record.Record{seen(200*ms, 198, 0, 5*ms)}, false, "too early"},
		{"search", []*record.Record{seen(300*ms, 298, 0, 5*ms)}, true, "easy"},
		{"search", []*record.Record{seen(300*ms, 298, 0, 26*ms)}, false, "not so easy"},
		{"verify", []*record.Record{seen(300*ms, 298, 0, 5*ms)}, false, "to verify takes a whole trial"},
		{"verify", []*record.Record{seen(500*ms, 400, 0, 40*ms), seen(1000*ms, 820, 0, 45*ms)}, true, "420 ended while 500 became due"},
		{"verify", []*record.Record{seen(500*ms, 400, 0, 40*ms), seen(1000*ms, 840, 0, 45*ms)}, false, "440 may be chance"},
		{"verify", []*record.Record{seen(500*ms, 350, 0, 40*ms), seen(1000*ms, 850, 0, 45*ms)}, false, "no more than before"},
	} {
		trial := TrialWatch{TrialPlan: TrialPlan{Rate: 1000, For: time.Second, Purpose: tc.purpose}, Limits: limits, Origin: origin}
		decided := false
		for _, r := range tc.looks {
			decided = trial.Decided(r, int64(trial.Rate*(r.Until-origin).Seconds()))
		}
		assert.Equal(t, tc.want, decided, tc.why)
		assert.Equal(t, tc.why == "420 ended while 500 became due", trial.Behind != "", tc.why)
	}
}

// A target that is slow and keeps up does not fall behind, though nothing ends at
// first, and one that is slow and does not keep up does.
func TestSlowTargetFallsBehind(t *testing.T) {
	const ms = time.Millisecond
	const rate, warmup = 1000.0, 300 * ms
	// behind is when a target is found to fall behind, 0 if it is not. By a time after
	// the start of the load it has ended what was due the time that one takes
	// earlier, at most the given number a second.
	behind := func(takes time.Duration, most float64) time.Duration {
		trial := TrialWatch{TrialPlan: TrialPlan{Rate: rate, For: 3 * time.Second, Warmup: warmup, Purpose: "verify"}, Limits: parseAll(t, "p99<=10s"), Warm: 300}
		for at := LookEvery; at <= trial.For; at += LookEvery {
			n := int64(most * max(0, warmup+at-takes).Seconds())
			warm := min(n, trial.Warm)
			if trial.Decided(&record.Record{
				Warmup: record.Totals{Succeeded: warm},
				Totals: record.Totals{Due: n - warm, Sent: n - warm, Succeeded: n - warm}, Within: []int64{n - warm}, Until: at, Response: took(1, takes),
			}, int64(rate*(warmup+at).Seconds())) {
				assert.NotEmpty(t, trial.Behind)
				return at
			}
		}
		return 0
	}
	for _, takes := range []time.Duration{0, 150 * ms, 300 * ms, 450 * ms, time.Second, 3 * time.Second} {
		assert.Zero(t, behind(takes, rate), takes)
		assert.Zero(t, behind(takes, 0.95*rate), takes)
	}
	assert.Equal(t, 400*ms, behind(0, rate/2))
	assert.NotZero(t, behind(0, rate/5), "most of the warm-up's wait")
	for _, takes := range []time.Duration{150 * ms, 300 * ms, 450 * ms, time.Second} {
		assert.NotZero(t, behind(takes, rate/2), takes)
	}

	// Times that are exponential with a mean of 1 s, however many at a time.
	trial := TrialWatch{TrialPlan: TrialPlan{Rate: rate}}
	ending := func(from, to time.Duration) int64 { // of those due up to from, by to
		return int64(rate * (from.Seconds() + math.Exp(-to.Seconds()) - math.Exp((from - to).Seconds())))
	}
	for at := LookEvery; at <= 2*time.Second; at += LookEvery {
		now := warmup + at
		assert.Empty(t, trial.fellBehind(glance{at, int64(rate * now.Seconds()), ending(now, now), float64(ending(warmup, now)) / (rate * warmup.Seconds()), 0}))
	}
}

// What ends of a slow target was due in another time, which chance decides as well.
func TestChanceInWhatEnds(t *testing.T) {
	behind := func(ended int64, least time.Duration) bool {
		trial := TrialWatch{TrialPlan: TrialPlan{Rate: 1000}}
		trial.fellBehind(glance{500 * time.Millisecond, 800, 500, 1, least})
		return trial.fellBehind(glance{time.Second, 1300, 500 + ended, 1, least}) != ""
	}
	assert.True(t, behind(430, 0))
	assert.False(t, behind(431, 0))
	assert.True(t, behind(418, 300*time.Millisecond))
	assert.False(t, behind(419, 300*time.Millisecond))
	assert.True(t, behind(411, time.Second), "at most what becomes due in half a trial")
	assert.False(t, behind(412, time.Second))
}

// A rate is easy where half of each time would do, and all requests succeeded.
func TestEasy(t *testing.T) {
	easy := func(limit string, longest time.Duration, failed int64) bool {
		r := &record.Record{Totals: record.Totals{Due: 100, Sent: 100, Succeeded: 100 - failed, Failed: failed}, Within: []int64{100 - failed}, Response: took(100-failed, longest)}
		return Easy(parseAll(t, limit), r)
	}
	assert.True(t, easy("p99<=50ms", 24*time.Millisecond, 0))
	assert.False(t, easy("p99<=50ms", 26*time.Millisecond, 0))
	assert.False(t, easy("p50<=50ms", 24*time.Millisecond, 1))
	assert.True(t, easy("max<=50ms", 24*time.Millisecond, 0))
	assert.False(t, easy("max<=50ms", 26*time.Millisecond, 0))
	assert.True(t, easy("errors<=1%", time.Second, 1))
	assert.False(t, easy("errors<=1%", time.Second, 2))
}

// What stalls the machine is told from its sensors, but not where the target may be
// what keeps them from running.
func TestStalled(t *testing.T) {
	limits := parseAll(t, "p99<=50ms", "max<=1s")
	stalled := func(place record.Place, u host.Usage) bool {
		return Stalled(limits, &record.Record{Place: place, Machine: u})
	}
	assert.False(t, stalled(record.Loopback, host.Usage{HiccupMax: 10 * time.Millisecond}))
	assert.True(t, stalled(record.Loopback, host.Usage{HiccupMax: 11 * time.Millisecond}))
	assert.True(t, stalled(record.Elsewhere, host.Usage{Readings: host.Readings{Steal: new(0.2)}}))
	assert.False(t, stalled(record.InProcess, host.Usage{HiccupMax: time.Second}))
	limits = parseAll(t, "p99<=5ms")
	assert.False(t, stalled(record.Loopback, host.Usage{HiccupMax: 2 * time.Millisecond}), "timers are no better")
	limits = parseAll(t, "errors<=1%")
	assert.False(t, stalled(record.Loopback, host.Usage{HiccupMax: time.Second}), "no limit on time")
}
