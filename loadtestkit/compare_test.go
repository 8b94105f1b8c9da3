package loadtestkit

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func compareFake(f *fakeTB, opts Options, base, head Target) (*fakeTB, Comparison) {
	var c Comparison
	f.run(func(t testing.TB) { c = Compare(t, opts, base, head) })
	return f, c
}

func TestCompareFindsAHeadThatIsMuchSlower(t *testing.T) {
	f, c := compareFake(&fakeTB{}, Options{Tolerance: Tolerance{P50: 0.2}, pause: time.Millisecond},
		sleeping(time.Millisecond), sleeping(8*time.Millisecond))
	if why := waive(); why != "" {
		assert.Empty(t, c.Ratios[0].Verdict)
		assert.Contains(t, c.Ratios[0].Reason, "not judged: "+why)
		return
	}
	require.Len(t, f.errors, 1)
	assert.Regexp(t, `^loadtestkit: head is \d.* times base at p50 \(99 % interval .*\), at most 1\.2 allowed; a second run, after a pause: head is `, f.errors[0])
	assert.Equal(t, "fail", c.Verdict)
	assert.Greater(t, c.Ratios[0].Low, 1.2)
	assert.Contains(t, f.output.String(), "Repeat, after a pause:")
}

// A request that fails is head's fault at once, and base's a reason to doubt
// the comparison.
func TestCompareJudgesErrors(t *testing.T) {
	failing := Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	opts := Options{Tolerance: Tolerance{P50: 100}, OnInconclusive: Warn, Budget: 2 * time.Second, pause: time.Millisecond}
	f, c := compareFake(&fakeTB{}, opts, sleeping(0), failing)
	assert.Equal(t, "fail", c.Verdict)
	require.NotEmpty(t, f.errors)
	assert.Contains(t, f.errors[len(f.errors)-1], "error ratio 1, want <= 0")

	f, c = compareFake(&fakeTB{}, opts, failing, sleeping(0))
	assert.Equal(t, "inconclusive", c.Verdict)
	assert.Empty(t, f.errors)
	assert.Contains(t, f.logs[len(f.logs)-1], "base: error ratio 1")
}

func TestCompareRefusesWhatItWouldIgnore(t *testing.T) {
	check := func(opts Options, want string) {
		t.Helper()
		f, _ := compareFake(&fakeTB{}, opts, sleeping(0), sleeping(0))
		require.True(t, f.fatal)
		require.Len(t, f.errors, 1)
		assert.Contains(t, f.errors[0], "loadtestkit: options: ")
		assert.Contains(t, f.errors[0], want)
	}
	check(Options{Target: sleeping(0)}, "Target: is set")
	check(Options{Requests: 10}, "Requests: 10")
	check(Options{Duration: time.Second}, "Duration: 1s")
	check(Options{Stages: []Stage{{For: time.Second, To: 1}}}, "Stages")
	check(Options{Limits: Limits{P99: time.Second}}, "Limits: p99<=1s")
	check(Options{Tolerance: Tolerance{P50: -0.1}}, "tolerance: P50: -0.1")
	check(Options{OnInconclusive: 7}, "OnInconclusive: 7")
	check(Options{Baseline: "x.jsonl"}, `baseline: "x.jsonl"`)
	check(Options{Limits: Limits{Relative: Relative{Times: 2}}}, "limits: Relative: is set")

	f, _ := compareFake(&fakeTB{}, Options{}, Target{}, URL("ftp://x"))
	require.True(t, f.fatal)
	assert.Contains(t, f.errors[0], "Base: want exactly one")
	assert.Contains(t, f.errors[0], "Head: ")
}

func TestCompareFunctions(t *testing.T) {
	work := func(context.Context) error { time.Sleep(200 * time.Microsecond); return nil }
	f, c := compareFake(&fakeTB{}, Options{Tolerance: Tolerance{P50: 20}, OnInconclusive: Warn}, Func(work), Func(work))
	assert.Empty(t, f.errors)
	if waive() == "" {
		assert.Equal(t, "pass", c.Verdict)
	}
	assert.Contains(t, f.output.String(), "Go function")
}

func TestRelativeIsRefusedWhereItMeansNothing(t *testing.T) {
	for _, r := range []Relative{{Times: 3}, {To: sleeping(0)}, {To: sleeping(0), Times: 0.5}} {
		f, _ := runFake(&fakeTB{}, Options{Target: sleeping(0), Requests: 10, Limits: Limits{Relative: r}})
		require.True(t, f.fatal)
		assert.Contains(t, f.errors[0], "limits: Relative: ")
	}
}

func TestRelativeLimitIsMissed(t *testing.T) {
	if why := waive(); why != "" {
		t.Skip("limits on time are not judged: " + why)
	}
	f, r := runFake(&fakeTB{}, Options{
		Target: sleeping(8 * time.Millisecond), Requests: 20, pause: time.Millisecond,
		Limits: Limits{Relative: Relative{To: sleeping(time.Millisecond), Times: 1.2}},
	})
	require.Len(t, f.errors, 1)
	assert.Contains(t, f.errors[0], "against the reference, which is base: head is ")
	assert.Equal(t, "p50<=1.2x reference", r.Limits[1].Limit)
	assert.Equal(t, "fail", r.Verdict)
}

// A reference gets the same load, of which blocks can be made.
func TestRelativeHasTheLoadOfItsRun(t *testing.T) {
	relative := Relative{To: sleeping(0), Times: 2}
	_, err := Options{Target: sleeping(0), Poisson: true, Limits: Limits{MinRate: 100, Relative: relative}}.relative()
	assert.NoError(t, err, "random arrivals need a rate")
	_, err = Options{Target: sleeping(0), Stages: []Stage{{For: time.Second, To: 5}}, Limits: Limits{Relative: relative}}.relative()
	assert.ErrorContains(t, err, "limits: Relative: Stages are set")
}

// An end of the test in the midst of the comparison is no mere doubt.
func TestRelativeIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	f, r := runFake(&fakeTB{ctx: ctx}, Options{
		Target: sleeping(0), Requests: 10, Concurrency: 1,
		Limits: Limits{Relative: Relative{Times: 2, To: Func(func(context.Context) error {
			if calls++; calls == 20 {
				cancel()
			}
			return nil
		})}},
	})
	assert.Empty(t, f.skips)
	require.NotEmpty(t, f.errors)
	assert.Contains(t, f.errors[0], "interrupted by the end of the test's context")
	assert.True(t, r.Interrupted)
	assert.EqualValues(t, 10, r.Sent)
}

// A pause for the control would let a target catch up that cannot keep up.
func TestMinRateIsOfferedInOnePiece(t *testing.T) {
	r, err := Measure(t.Context(), Options{Target: sleeping(0), Budget: 300 * time.Millisecond, Limits: Limits{MinRate: 100}})
	require.NoError(t, err)
	assert.EqualValues(t, 30, r.Due)
	assert.Equal(t, 300*time.Millisecond, r.data.Config.Duration)
}

// A benchmark is made once: nothing is repeated while its time is taken.
func TestBenchRepeatsNothing(t *testing.T) {
	var reports []Report
	result := testing.Benchmark(func(b *testing.B) {
		if b.N == 1 {
			reports = append(reports, Bench(b, Options{Target: sleeping(0), Limits: Limits{Max: 1}}))
		}
	})
	require.Len(t, reports, 1)
	assert.Nil(t, reports[0].data.Repeat)
	assert.EqualValues(t, 1, reports[0].Due)
	assert.Positive(t, result.N)
}

func TestMinRateIsMissed(t *testing.T) {
	check := func(opts Options, want string) {
		t.Helper()
		f, _ := runFake(&fakeTB{}, opts)
		require.True(t, f.fatal)
		assert.Contains(t, f.errors[0], want)
	}
	check(Options{Target: sleeping(0), Requests: 10, Rate: 5, Limits: Limits{MinRate: 5}}, "limits: MinRate: 5")
	check(Options{Target: sleeping(0), Requests: 10, Limits: Limits{MinRate: -5}}, "limits: MinRate: -5")
}

func TestMaxRateIsSkippedWhenUnknown(t *testing.T) {
	f := &fakeTB{}
	f.run(func(t testing.TB) {
		MaxRate(t, Options{Target: sleeping(0), Limits: Limits{P99: time.Minute}, Budget: time.Second})
	})
	require.Len(t, f.skips, 1)
	assert.Contains(t, f.skips[0], "loadtestkit: inconclusive: the capacity: ")
	f = &fakeTB{}
	f.run(func(t testing.TB) {
		MaxRate(t, Options{Target: sleeping(0), Requests: 5, Limits: Limits{Throughput: 5}})
	})
	require.True(t, f.fatal)
	assert.Contains(t, f.errors[0], "Requests: 5")
	assert.Contains(t, f.errors[0], "throughput>=5")
}
