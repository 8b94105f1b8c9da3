package loadtestkit

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/baseline"
	"github.com/loadtestkit/load-tester/internal/host"
)

// recorded is the file of a run that was made once and stands in it n times.
func recorded(t *testing.T, n int) string {
	path := filepath.Join(t.TempDir(), "api.baseline.jsonl")
	t.Setenv(updateEnv, "1")
	f, _ := runFake(&fakeTB{}, Options{Target: sleeping(time.Millisecond), Count: 200, Baseline: path})
	require.Empty(t, f.errors)
	require.Empty(t, f.skips, "a run that is recorded is not judged by others")
	require.Equal(t, []string{"loadtestkit: recorded in " + path}, f.logs)
	t.Setenv(updateEnv, "")
	line, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.Repeat(line, n), 0o644))
	return path
}

func TestBaselineIsRecordedAndJudgedBy(t *testing.T) {
	needTimes(t)
	atOnce(t)
	path := recorded(t, 10)
	records, err := baseline.Read(path)
	require.NoError(t, err)
	require.Len(t, records, 10)
	r := records[0]
	assert.Equal(t, "TestFake", r.Name)
	assert.EqualValues(t, 200, r.N)
	assert.Greater(t, r.Quantiles["p50"], 1e6)
	assert.Contains(t, r.Quantiles, "p99")
	assert.NotContains(t, r.Quantiles, "p99.9", "200 requests cannot tell it")
	assert.Positive(t, r.Calibrator.NullHandler)
	assert.Positive(t, r.Calibrator.Reference)
	assert.NotEmpty(t, r.Histogram)
	require.NotNil(t, r.Claims.Quick)
	assert.Greater(t, r.Claims.Quick.Time, 1e6)
	assert.Positive(t, r.Claims.Quick.NullHandler)
	assert.Positive(t, r.Claims.Quick.Reference)
	assert.Positive(t, r.Claims.Quick.Arithmetic)
	if _, ok := host.ProcessorTime(); ok {
		require.NotNil(t, r.Claims.Work)
		assert.Less(t, r.Claims.Work.Time, r.Claims.Quick.Time, "a sleep takes no processor time")
	}

	f, rep := runFake(&fakeTB{}, Options{
		Target: sleeping(100 * time.Millisecond), Count: 200, Load: Closed(50), Baseline: path,
		Tolerance: Tolerance{P50: 0.05},
	})
	failed := strings.Join(f.errors, "\n")
	assert.Contains(t, failed, "quick against the baseline: ", f.output.String())
	assert.Contains(t, failed, "; a second run, after a pause: ")
	assert.Contains(t, failed, "p50 against the baseline: ", "a guard may fail too")
	assert.Equal(t, Failed, rep.Verdict)
	last := rep.Limits[len(rep.Limits)-1]
	assert.Equal(t, "p50<=1.05x baseline", last.Limit)
	assert.Greater(t, last.Observed, 1.05)
	again, err := baseline.Read(path)
	require.NoError(t, err)
	assert.Len(t, again, 10, "only recording adds to the file")
}

// What a request allocates is a fact: one earlier run judges it, and a fail is not
// repeated.
func TestBaselineOfAllocations(t *testing.T) {
	needTimes(t)
	path := filepath.Join(t.TempDir(), "api.baseline.jsonl")
	var kept []byte
	allocating := func(n int) Target {
		return Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			for range n {
				kept = make([]byte, 100)
			}
		}))
	}
	t.Setenv(updateEnv, "1")
	f, _ := runFake(&fakeTB{}, Options{Target: allocating(1), Count: 100, Baseline: path})
	require.Empty(t, f.errors)
	records, err := baseline.Read(path)
	require.NoError(t, err)
	if records[0].Claims.Allocs == nil {
		t.Skip("something else in this process allocates all the time")
	}
	t.Setenv(updateEnv, "")
	f, r := runFake(&fakeTB{}, Options{Target: allocating(11), Count: 100, Baseline: path, Tolerance: Tolerance{CPU: 100, Allocs: 5}})
	if len(f.errors) == 0 && strings.Contains(strings.Join(f.skips, "\n"), "could not be counted") {
		t.Skip("likewise")
	}
	require.Len(t, f.errors, 1, "%s", f.output.String())
	assert.Regexp(t, `allocs against the baseline: \d+, want <= \d+ \(counted; at most \d+ in the latest 1 earlier run\)$`, f.errors[0])
	assert.Equal(t, Failed, r.Verdict)
	assert.Len(t, kept, 100)
}

// The value of the variable is how many runs are made and recorded.
func TestBaselineOfManyRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.baseline.jsonl")
	for value, want := range map[string]int{"": 0, "0": 0, "-3": 0, "1": 1, "true": 1, "10": 10} {
		t.Setenv(updateEnv, value)
		assert.Equal(t, want, updates(), value)
	}
	needTimes(t) // other builds judge and record nothing
	t.Setenv(updateEnv, "3")
	// 20 requests are too few for the limit, which must not end the test early.
	f, r := runFake(&fakeTB{}, Options{Target: sleeping(0), Count: 20, Baseline: path, Limits: Limits{P99: time.Minute}})
	assert.Empty(t, f.errors)
	assert.Len(t, f.skips, 1, "by the last one")
	assert.Zero(t, r.Due)
	records, err := baseline.Read(path)
	require.NoError(t, err)
	assert.Len(t, records, 3)

	f, _ = runFake(&fakeTB{}, Options{Target: Func(func(context.Context) error { return errors.New("no") }), Count: 20, Baseline: path})
	assert.Len(t, f.errors, 1, "a run that fails is not made again")

	var n atomic.Int64
	half := Func(func(context.Context) error {
		if n.Add(1)%2 == 0 {
			return errors.New("no")
		}
		return nil
	})
	f, _ = runFake(&fakeTB{}, Options{Target: half, Count: 20, Baseline: path, Limits: Limits{ErrorRatio: 0.9}, OnInconclusive: Passed})
	assert.Equal(t, []string{"loadtestkit: not recorded in " + path + ", as 10 of 20 requests failed a check"}, f.errors)
}

// Times of a build that is several times slower are neither kept nor judged.
func TestBaselineIsLeftAloneInSlowBuilds(t *testing.T) {
	why := waive()
	if why == "" {
		t.Skip("this build is none: try -race")
	}
	path := filepath.Join(t.TempDir(), "api.baseline.jsonl")
	for _, update := range []string{"1", ""} {
		t.Setenv(updateEnv, update)
		f, r := runFake(&fakeTB{}, Options{Target: sleeping(0), Count: 200, Baseline: path})
		assert.Empty(t, f.errors)
		assert.Empty(t, f.skips)
		assert.NoFileExists(t, path)
		if update != "" {
			assert.Contains(t, f.logs[0], "not recorded in "+path+", as "+why)
		} else {
			assert.Contains(t, r.Limits[1].Reason, "not judged: "+why)
		}
	}
}

func TestFewEarlierRunsAreInconclusive(t *testing.T) {
	needTimes(t)
	path := recorded(t, 1)
	f, _ := runFake(&fakeTB{}, Options{Target: sleeping(time.Millisecond), Count: 200, Baseline: path})
	require.Len(t, f.skips, 1)
	assert.Contains(t, f.skips[0], "1 of 10 runs")
	assert.Contains(t, f.skips[0], "compare two targets")
}

// Without a test the runs of a file have the name of what is sent, as those of the
// command have.
func TestMeasureHasABaselineToo(t *testing.T) {
	needTimes(t)
	path := filepath.Join(t.TempDir(), "api.baseline.jsonl")
	t.Setenv(updateEnv, "1")
	_, err := Measure(t.Context(), Options{Target: sleeping(time.Millisecond).Get("/items"), Count: 200, Baseline: path})
	require.NoError(t, err)
	records, err := baseline.Read(path)
	require.NoError(t, err)
	require.Len(t, records, 1)
	assert.Contains(t, records[0].Name, "/items/c=10")
}

func TestARunThatFailsIsNotRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	t.Setenv(updateEnv, "1")
	f, _ := runFake(&fakeTB{}, Options{
		Target: Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })),
		Count:  200, Baseline: path,
	})
	assert.Len(t, f.errors, 1)
	assert.Contains(t, f.logs[0], "not recorded in "+path+", as ")
	assert.NoFileExists(t, path)
}

// A run is not lost because its baseline cannot be written.
func TestABaselineThatCannotBeWritten(t *testing.T) {
	needTimes(t)
	dir := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.Mkdir(dir, 0o755))
	t.Setenv(updateEnv, "1")
	opts := Options{
		Target: Func(func(context.Context) error { return os.RemoveAll(dir) }), Count: 200,
		Baseline: filepath.Join(dir, "x.jsonl"),
	}
	want := "loadtestkit: writing baseline: there is no directory " + dir + ", create it first"
	f, r := runFake(&fakeTB{}, opts)
	assert.Equal(t, []string{want}, f.errors)
	assert.False(t, f.fatal)
	assert.Contains(t, f.output.String(), "200")
	assert.EqualValues(t, 200, r.Succeeded)

	f, _ = runFake(&fakeTB{}, opts)
	assert.True(t, f.fatal, "now it is known before the run")
	assert.Empty(t, f.output.String())

	require.NoError(t, os.Mkdir(dir, 0o755))
	r, err := Measure(t.Context(), opts)
	assert.EqualError(t, err, want)
	assert.EqualValues(t, 200, r.Succeeded)
}

func TestABaselineThatIsNoneIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.txt")
	require.NoError(t, os.WriteFile(path, []byte("buy milk\n"), 0o644))
	for _, update := range []string{"", "1"} {
		t.Setenv(updateEnv, update)
		f, _ := runFake(&fakeTB{}, Options{Target: sleeping(time.Millisecond), Count: 200, Baseline: path})
		require.True(t, f.fatal)
		assert.Contains(t, f.errors[0], "loadtestkit: options: Baseline: ")
		assert.Contains(t, f.errors[0], path)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "buy milk\n", string(content))
	}
}
