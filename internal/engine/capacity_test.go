package engine

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// oneByOne serves one request at a time and takes so long for each: its
// capacity is the inverse of that.
func oneByOne(d time.Duration) http.Handler {
	turn := make(chan struct{}, 1)
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case turn <- struct{}{}:
			target.Sleep(r.Context(), d)
			<-turn
		case <-r.Context().Done():
		}
	})
}

// search makes a search and checks what holds for every one.
func search(t testing.TB, ctx context.Context, o Options, watch Watch) *report.Capacity {
	t.Helper()
	c, err := NewCapacity(o)
	require.NoError(t, err)
	r, err := c.Run(ctx, t.Context(), watch)
	require.NoError(t, err)
	for _, trial := range r.Trials {
		assert.GreaterOrEqual(t, trial.Due, trial.Sent)
		assert.GreaterOrEqual(t, trial.Sent, trial.Succeeded)
		assert.Equal(t, trial.Held, trial.Reason == "")
		t.Logf("%6.1f/s %v held: %v %s", trial.Rate, trial.Duration, trial.Held, trial.Reason)
	}
	if r.Low != nil && r.High != nil {
		assert.Less(t, *r.Low, *r.High)
	}
	t.Logf("%s: %s", r.StoppedBy, r.Reason)
	return r
}

// A search has its budget and no more, and what it has seen by then is in its
// report: here that four times the capacity is too much.
func TestCapacityKeepsItsBudget(t *testing.T) {
	t.Parallel()
	r := search(t, t.Context(), Options{Handler: oneByOne(5 * time.Millisecond), overTCP: true, Rate: 800, Limits: limits(t, "p90<=50ms"), Budget: 2 * time.Second}, nil)
	assert.Equal(t, verdict.ByBudget, r.StoppedBy)
	assert.Equal(t, verdict.Inconclusive, r.Verdict)
	assert.False(t, r.Interrupted)
	assert.NotEmpty(t, r.Trials)
	for _, trial := range r.Trials {
		assert.False(t, trial.Held)
		assert.Contains(t, trial.Reason, "not within 50ms")
	}
	assert.Nil(t, r.Low)
}

// A search that is interrupted reports the trials that it has ended.
func TestCapacityInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := Options{Handler: healthy, Rate: 100, Poisson: true, Limits: limits(t, "p50<=1s", "errors<=0"), Budget: time.Minute}
	r := search(t, ctx, o, func(p Progress) {
		if strings.HasPrefix(p.Doing, "trial 2 ") {
			cancel()
		}
	})
	assert.True(t, r.Interrupted)
	assert.Equal(t, verdict.ByInterrupt, r.StoppedBy)
	require.Len(t, r.Trials, 1)
	assert.True(t, r.Trials[0].Held)
}

// The capacity of a handler that serves one by one is found. It takes about a
// minute.
func TestCapacityIsFound(t *testing.T) {
	if os.Getenv("LOADTESTKIT_SIMULATE") == "" {
		t.Skip("LOADTESTKIT_SIMULATE is not set")
	}
	const capacity = 200
	r := search(t, t.Context(), Options{Handler: oneByOne(5 * time.Millisecond), Rate: 50, Limits: limits(t, "p90<=50ms")}, nil)
	if r.Verdict == verdict.Pass {
		assert.Equal(t, verdict.ByTarget, r.StoppedBy)
		assert.Less(t, *r.Low, 1.02*capacity)
		assert.Greater(t, *r.High, 0.7*capacity)
	}
}

// What kept a trial from holding: the target, unless something else did.
func TestJudgeTrial(t *testing.T) {
	const n = 1000
	inProcess := Options{Handler: healthy}
	url := Options{URL: "http://192.0.2.1/"}
	quick, slow := took(n, time.Millisecond), took(n, 60*time.Millisecond)
	held := record.Record{
		Totals: record.Totals{Due: n, Sent: n, Succeeded: n}, Within: []int64{n}, PeakInFlight: 5, Processors: 2,
		Response: quick, Service: quick, Lateness: took(n, time.Microsecond), Waited: took(n, 0),
	}
	busy := host.Usage{Wall: time.Second, HaveCPU: true, CPUUser: 1800 * time.Millisecond}
	stolen := host.Usage{Wall: time.Second, Readings: host.Readings{Steal: new(0.2)}}
	for _, tc := range []struct {
		o      Options
		change func(*record.Record)
		usage  host.Usage
		want   string
		reason string
	}{
		{inProcess, func(*record.Record) {}, busy, "", ""},
		{url, func(*record.Record) {}, busy, "", ""},
		{url, func(*record.Record) {}, stolen, "", ""},
		{inProcess, func(o *record.Record) { o.Within[0] = n - 10 }, busy, "", ""}, // 1 % may
		{inProcess, func(o *record.Record) { o.Within[0] = n - 11 }, busy, verdict.ByTarget, "11 of 1000 not within 50ms"},
		{url, func(o *record.Record) { o.Within[0] = n - 11 }, busy, verdict.ByGenerator, "90.0% of its processors"},
		{url, func(o *record.Record) { o.Within[0] = n - 11 }, stolen, verdict.ByHost, "the hypervisor took 20.0%"},
		{url, func(o *record.Record) { o.Succeeded, o.Failed, o.Within[0] = n-50, 50, n-50 }, host.Usage{}, verdict.ByTarget, "not within"},
		{url, func(o *record.Record) { o.Response, o.Service, o.Within[0] = slow, slow, 0 }, host.Usage{}, verdict.ByTarget, "not within"},
		{url, func(o *record.Record) { o.Response, o.Lateness, o.Within[0] = slow, slow, 0 }, host.Usage{}, verdict.ByGenerator, "own lateness"},
		{url, func(o *record.Record) { o.Response, o.Waited, o.Within[0] = slow, slow, 0 }, host.Usage{}, verdict.ByTarget, "not within"},
		{url, func(o *record.Record) { o.Sent, o.Unsent, o.Within[0] = n-20, 20, n-20 }, host.Usage{}, verdict.ByGenerator, "98.0% of what was due was sent"},
		{url, func(o *record.Record) { o.Sent, o.Unsent, o.Within[0], o.PeakInFlight = n-20, 20, n-20, 1000 }, host.Usage{}, verdict.ByTarget, "not within"},
	} {
		tc.o.Limits = limits(t, "p99<=50ms", "errors<=4%")
		c, err := NewCapacity(tc.o)
		require.NoError(t, err)
		o := held
		o.Within, o.Machine = []int64{n}, tc.usage
		if tc.o.Handler != nil {
			o.Place = record.InProcess
		}
		tc.change(&o)
		by, why := (&exploration{Capacity: c}).judge(&o)
		assert.Equal(t, tc.want, by, why)
		assert.Contains(t, why, tc.reason)
		assert.Equal(t, by == "", why == "")
	}
}

// Every limit of a trial is counted by itself.
func TestMissed(t *testing.T) {
	c, err := NewCapacity(Options{Handler: healthy, Limits: limits(t, "p50<=1ms", "errors<=1%", "p99<=5ms", "max<10ms")})
	require.NoError(t, err)
	check := func(want []string, within []int64, succeeded int64, longest time.Duration) {
		t.Helper()
		o := &record.Record{Totals: record.Totals{Due: 100, Sent: 100, Succeeded: succeeded}, Within: within, Response: took(1, longest)}
		assert.Equal(t, want, c.plan.missed(o))
	}
	check(nil, []int64{50, 99}, 100, 9*time.Millisecond)
	check([]string{"p50<=1ms: 51 of 100 not within 1ms"}, []int64{49, 99}, 100, 9*time.Millisecond)
	check([]string{"p99<=5ms: 2 of 100 not within 5ms"}, []int64{50, 98}, 100, 9*time.Millisecond)
	check([]string{"errors<=1%: error ratio 0.02", "max<10ms: 2 of 100 did not succeed"}, []int64{50, 99}, 98, 9*time.Millisecond)
	check([]string{"max<10ms: max 10ms"}, []int64{50, 99}, 100, 10*time.Millisecond)
	check([]string{"max<10ms: 1 of 100 did not succeed"}, []int64{50, 99}, 99, 0) // and 1 % is at most 1 %
}
