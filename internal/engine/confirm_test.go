package engine

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/hist"
	"github.com/loadtestkit/load-tester/internal/host"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/record"
	"github.com/loadtestkit/load-tester/internal/report"
	"github.com/loadtestkit/load-tester/internal/target"
	"github.com/loadtestkit/load-tester/internal/verdict"
	"github.com/loadtestkit/load-tester/internal/wire"
)

// Only a fail that a fresh run repeats is one, unless it is a fact.
func TestConfirm(t *testing.T) {
	for _, tc := range []struct {
		limit  string
		fails  int64 // of the first so many requests every other one
		want   verdict.Verdict
		repeat bool
		reason string
	}{
		{"errors<=10%", 1 << 40, verdict.Fail, true, "; a second run, after a pause: error ratio 0.5"},
		{"errors<=10%", 2000, verdict.Inconclusive, true, notRepeated + "error ratio 0.5"},
		{"errors<=10%", 0, verdict.Pass, false, "error ratio 0"},
		{"errors<=0", 2000, verdict.Fail, false, "error ratio 0.5"},
	} {
		var n atomic.Int64
		r := run(t, Options{
			Requests: 2000, Limits: limits(t, tc.limit), Confirm: true, Pause: time.Millisecond,
			Func: func(context.Context) error {
				if n := n.Add(1); n <= tc.fails && n%2 == 0 {
					return errors.New("every other")
				}
				return nil
			},
		})
		assert.Equal(t, tc.want, r.Verdict, tc.limit)
		assert.Equal(t, tc.want, r.Limits[0].Verdict, tc.limit)
		assert.Contains(t, r.Limits[0].Reason, tc.reason)
		assert.Equal(t, tc.repeat, r.Repeat != nil)
		if r.Repeat != nil {
			sound(t, r.Repeat)
			assert.NotEqual(t, r.RunID, r.Repeat.RunID)
			assert.Equal(t, int64(2000), r.Repeat.Requests.Sent)
			assert.NotNil(t, r.Repeat.Generator.Control, "a fail is repeated amid controls")
		}
	}
}

// A run without an end is repeated as one.
func TestConfirmWithinTheBudget(t *testing.T) {
	t.Parallel()
	r := run(t, Options{
		Handler: everyOther(), overTCP: true, Rate: 100, Limits: limits(t, "errors<=10%"), Budget: 4 * time.Second, Confirm: true, Pause: time.Millisecond,
	})
	require.NotNil(t, r.Repeat)
	assert.Equal(t, verdict.Fail, r.Verdict)
	for _, due := range []int64{r.Requests.Due, r.Repeat.Requests.Due} {
		assert.GreaterOrEqual(t, due, int64(100))
		assert.Less(t, due, int64(400), "a second is enough, and what it takes to see that")
	}
}

func TestConfirmLimits(t *testing.T) {
	const pass, fail, doubt = verdict.Pass, verdict.Fail, verdict.Inconclusive
	for _, tc := range []struct {
		first, again, want verdict.Verdict
		exact              bool
		why                string
	}{
		{fail, fail, fail, false, "twice"},
		{fail, pass, doubt, false, "not repeated"},
		{fail, doubt, doubt, false, "nor with doubt"},
		{fail, pass, fail, true, "a fact stays"},
		{pass, fail, pass, false, "passed first, and the other limit was why there is a second"},
		{pass, fail, fail, true, "a fact of the second"},
		{doubt, fail, doubt, false, "one fail is none"},
	} {
		r := &report.Report{Limits: []report.LimitResult{{Verdict: tc.first, Exact: tc.exact, Reason: "a"}}}
		r.Repeat = &report.Report{Limits: []report.LimitResult{{Verdict: tc.again, Exact: tc.exact, Reason: "b"}}}
		confirmLimits(r)
		assert.Equal(t, tc.want, r.Limits[0].Verdict, tc.why)
		assert.Equal(t, tc.want, r.Verdict, tc.why)
	}
}

// half fails every other request of a run that is then repeated.
func half(t *testing.T, o Options) Options {
	o.Requests, o.Limits, o.Confirm = 1000, limits(t, "errors<=10%"), true
	return o
}

// A pause that is interrupted leaves a run without its repeat.
func TestPauseInterrupted(t *testing.T) {
	t.Parallel()
	p, err := NewPlan(half(t, Options{Handler: everyOther(), Pause: time.Minute}))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := p.Run(ctx, t.Context(), func(p Progress) {
		if strings.HasPrefix(p.Doing, "pausing 1m") {
			cancel()
		}
	})
	require.NoError(t, err)
	assert.True(t, r.Interrupted)
	assert.Nil(t, r.Repeat)
	assert.Equal(t, int64(1000), r.Requests.Sent)
}

// A repeat that is interrupted confirms nothing and excuses nothing.
func TestRepeatInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var n atomic.Int64
	r := runUntil(t, ctx, t.Context(), half(t, Options{Pause: time.Millisecond, Func: func(context.Context) error {
		switch n := n.Add(1); {
		case n == 1100:
			cancel()
		case n > 1100:
			<-ctx.Done()
		case n <= 1000 && n%2 == 0:
			return errors.New("every other")
		}
		return nil
	}}))
	assert.True(t, r.Interrupted)
	require.NotNil(t, r.Repeat)
	assert.Less(t, r.Repeat.Requests.Sent, int64(1000))
	assert.Equal(t, verdict.Fail, r.Limits[0].Verdict)
	assert.NotContains(t, r.Limits[0].Reason, notRepeated)
}

// A target that has gone by the time of the repeat is an error that says when.
func TestRepeatOfATargetThatHasGone(t *testing.T) {
	t.Parallel()
	s := rawPassing(t, func(_ int64, c *target.RawConn) { c.Answer(503) })
	p, err := NewPlan(half(t, Options{URL: s.URL, Pause: 500 * time.Millisecond}))
	require.NoError(t, err)
	var once sync.Once
	_, err = p.Run(t.Context(), t.Context(), func(p Progress) {
		if strings.HasPrefix(p.Doing, "pausing") {
			once.Do(func() { s.Close() })
		}
	})
	assert.ErrorContains(t, err, "repeating the run: connecting to")
}

// A failed request is a fact, also in a repeat that something else asked for.
func TestRepeatCountsFacts(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	p, err := NewPlan(Options{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if served.Add(1) > 20 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}),
		Requests: 10, Limits: limits(t, "errors<=0"), Pause: time.Millisecond,
	})
	require.NoError(t, err)
	r, err := p.Run(t.Context(), t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, verdict.Pass, r.Verdict)
	served.Store(20)
	r.Limits = append(r.Limits, report.LimitResult{Limit: "the caller's", Verdict: verdict.Inconclusive})
	require.NoError(t, p.Repeat(t.Context(), t.Context(), r))
	assert.Equal(t, verdict.Fail, r.Verdict)
	assert.Contains(t, r.Limits[0].Reason, "in a second run: error ratio 1")
	assert.Equal(t, verdict.Inconclusive, r.Limits[1].Verdict, "is left alone")
}

// took returns so many of the same time.
func took(n int64, d time.Duration) *hist.Histogram {
	h := hist.New(10)
	for range n {
		h.Record(int64(d))
	}
	return h
}

// Whose fault a busy machine is depends on where the target runs.
func TestRecordsSayWhereTheTargetRuns(t *testing.T) {
	function := func(context.Context) error { return nil }
	for _, tc := range []struct {
		o    Options
		addr string
		want record.Place
	}{
		{Options{Handler: healthy}, "127.0.0.1:80", record.InProcess},
		{Options{Func: function}, "", record.InProcess},
		{Options{URL: "http://127.0.0.1/"}, "127.0.0.1:80", record.Loopback},
		{Options{URL: "http://192.0.2.1/"}, "192.0.2.1:80", record.Elsewhere},
	} {
		tc.o.Requests, tc.o.Concurrency = 1, 7
		p, err := NewPlan(tc.o)
		require.NoError(t, err)
		a := &arm{plan: p}
		if tc.addr != "" {
			a.pool = wire.New(wire.Config{Dialer: http1.Dialer{Addr: tc.addr}})
		}
		r := a.nothing()
		assert.Equal(t, tc.want, r.Place)
		assert.Equal(t, 7, r.Concurrency)
		assert.Equal(t, ownProcessors(), r.Processors)
	}
}

// The quota of a control counts in each of its blocks in which it is known.
func TestThrottledControl(t *testing.T) {
	c := &control{}
	for _, throttled := range []*float64{new(0.1), nil, new(0.3)} {
		c.add(record.New(false, nil), host.Usage{Readings: host.Readings{Throttled: throttled}})
	}
	assert.Equal(t, 3, c.blocks)
	require.NotNil(t, c.outcome.Machine.Throttled)
	assert.InDelta(t, 0.2, *c.outcome.Machine.Throttled, 1e-12)
}

// A handler that burns processor time for every request fails its limit: the
// control, which does not, shows no trouble.
func TestControlDoesNotSufferWithTheHandler(t *testing.T) {
	r, _ := makeRound(t, Options{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			for end := time.Now().Add(2 * time.Millisecond); time.Now().Before(end); {
			}
		}),
		Concurrency: 4, Requests: 500, Limits: limits(t, "p50<=1ms"), Control: true,
	})
	handler, _ := r.outcome.Response.Quantile(0.5)
	control, _ := r.control.outcome.Response.Quantile(0.5)
	assert.Greater(t, time.Duration(handler), 2*time.Millisecond)
	assert.Less(t, control, handler)
}

// A run goes on without a control that does not work, and says so.
func TestControlThatFails(t *testing.T) {
	p, err := NewPlan(Options{Handler: healthy, Requests: 100, Limits: limits(t, "errors<=0"), Control: true})
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	c := p.openControl(ended)
	defer c.close()
	c.run(t.Context(), t.Context(), time.Second)
	assert.Nil(t, c.outcome)
	require.Len(t, c.sensorsOff(), 1)
	assert.Regexp(t, "^control: .", c.sensorsOff()[0])

	var none *control
	none.run(t.Context(), t.Context(), time.Second)
	assert.Empty(t, none.sensorsOff())
	none.close()
}

// A control may need what its run does not: here descriptors.
func TestRunWithoutItsControl(t *testing.T) {
	if wire.CheckFiles(maxConcurrency, true) == nil {
		t.Skip("this process may open any number of files")
	}
	s := raw(t, nil)
	r := run(t, Options{
		URL: s.URL, Portable: true, Requests: 50, Concurrency: maxConcurrency, Limits: limits(t, "errors<=0"), Control: true,
	})
	assert.Equal(t, verdict.Pass, r.Verdict)
	assert.Equal(t, s.Seen(), reached(r))
	assert.Contains(t, strings.Join(r.Generator.SensorsOff, "\n"), "control: concurrency 1000000 needs")
}
