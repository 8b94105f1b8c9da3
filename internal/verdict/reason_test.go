package verdict

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReason(t *testing.T) {
	const ms = time.Millisecond
	faults := []KindCount{
		{"status 503", 37, ""},
		{"timeout", 601, "read tcp 127.0.0.1:51034: i/o \x1b[31mtimeout\n"},
	}
	seen := func(c Counts, d time.Duration) Counts {
		c.Observed, c.HaveObserved = d, true
		return c
	}
	with := func(c Counts, workload string, kinds ...KindCount) Counts {
		c.Workload, c.ErrorKinds = workload, kinds
		return c
	}
	for _, tc := range []struct {
		limit string
		c     Counts
		want  string
		why   string
	}{
		{"p99<=50ms", seen(even(10_000, 20, 0, enough), 4*ms),
			"p99 response time 4ms (4 to 4.01ms), want <= 50ms (n=10,000)", "kept: what and from how many"},
		{"p99<=50ms", seen(with(even(10_000, 300, 0, enough), "open, 1000/s for 10s"), 60*ms),
			"p99 response time 60ms (59.9 to 60ms), want <= 50ms (n=10,000; 9,700 within 50ms, 9,900 needed; open, 1000/s for 10s)", "missed: by how many too"},
		{"p99<=50ms", seen(even(10_000, 101, 0, enough), 60*ms),
			"p99 response time 60ms (4.01 to 60ms), want <= 50ms: too close to the limit to tell (n=10,000)", "no use in waiting"},
		{"p99<=50ms", seen(even(10_000, 90, 0, enough), 4*ms),
			"p99 response time 4ms (4 to 59.9ms), want <= 50ms: n_eff 8,803 of 27,213: about 21s more (n=10,000)", "what would settle it"},
		{"p99<=50ms", seen(even(10_000, 300, 0, time.Second), 60*ms),
			"p99 response time 60ms (59.9 to 60ms), want <= 50ms: missed, but 1s of load may all be a slow spell of the machine, a fail needs 10s: about 9s more (n=10,000)", "too short for a fail"},
		{"p99>50ms", seen(even(10_000, 20, 0, enough), 31*ms),
			"p99 response time 31ms (4.01 to 31ms), want > 50ms (n=10,000; 9,980 within 50ms, fewer than 9,900 needed)", "a limit from below"},
		{"p99<=50ms", seen(even(10_000, 200, 0, enough), 50*ms+100),
			"p99 response time 50.0001ms (50.0001 to 59.9ms), want <= 50ms (n=10,000; 9,800 within 50ms, 9,900 needed)", "three digits would show the limit itself"},
		{"p99<=50ms", even(100, 0, 0, time.Second),
			"p99 response time unknown, want <= 50ms: needs 3,000 requests to judge, has 100: about 29s more (n=100)", "too few"},
		{"p99<=50ms", seen(with(even(10_000, 0, 638, enough), "", faults...), 4200*time.Microsecond),
			`p99 response time without bound, want <= 50ms (n=10,000; 9,362 within 50ms, 9,900 needed; 638 counted as missed: status 503 37, timeout 601; first: read tcp 127.0.0.1:51034: i/o \x1b[31mtimeout\n)`,
			"more than 1 % missed: no p99 to show, and no escape from the server reaches the terminal"},
		{"p50<=50ms", seen(even(1_000, 0, 100, time.Second), 4*ms),
			"p50 response time 4ms among the succeeded, want <= 50ms (n=1,000; 100 counted as missed)", "kept, but not by all"},
		{"p50<=50ms", even(1_000, 0, 1_000, time.Second),
			"p50 response time unknown, as no request succeeded, want <= 50ms (n=1,000; 0 within 50ms, 500 needed; 1,000 counted as missed: failed 1,000)", "nothing looks fast"},
		{"max<=100ms", Counts{Due: 1000, Succeeded: 1000, Max: 102_704 * time.Microsecond, Measured: enough},
			"max response time 102.7ms, want <= 100ms (n=1,000)", "exact"},
		{"mean<=100ms", Counts{Due: 1000, Succeeded: 999, Failed: 1, Mean: ms, ErrorKinds: []KindCount{{"status 500", 1, ""}}},
			"mean response time without bound, want <= 100ms (n=1,000; 1 counted as missed: status 500 1)", "one missed request"},
		{"mean<=9.6ms", even(1_000, 100, 0, 2*time.Second),
			"mean response time 9.6ms (9.03 to 9.99ms), want <= 9.6ms: too close to the limit to tell (n=1,000)", "at the limit itself"},
		{"errors<=0", Counts{Due: 29_940, Succeeded: 29_302, Failed: 638, ErrorKinds: []KindCount{{"timeout", 601, "i/o timeout"}, {"reset", 37, ""}}},
			"error ratio 0.0213, want <= 0 (638 of 29,940: timeout 601, reset 37; first: i/o timeout)", "a fact"},
		{"errors<=1%", even(10_000, 0, 0, enough),
			"error ratio 0 (at most 0.0017), want <= 0.01 (0 of 10,000)", "kept"},
		{"errors<=0.1%", even(10_000, 0, 100, enough),
			"error ratio 0.01 (0.00759 to 0.0119), want <= 0.001 (100 of 10,000: failed 100)", "missed"},
		{"errors<=0.1%", even(10_000, 0, 10, enough),
			"error ratio 0.001 (0.0000451 to 0.00337), want <= 0.001: too close to the limit to tell (10 of 10,000)", "at the limit itself"},
		{"throughput>=5000", even(1_000, 0, 0, 2*time.Second),
			"throughput 500/s, want >= 5000/s (1,000 completed in 2s)", "a rate"},
		{"goodput>=0.5", Counts{Due: 9, Failed: 9, Completed: 9, Elapsed: 8 * time.Second},
			"goodput 0/s, want >= 0.5/s (0 succeeded in 8s)", "none at all"},
		{"goodput>=5", Counts{Due: 9, Succeeded: 9},
			"goodput unknown, want >= 5/s: no time passed (9 succeeded in 0s)", "cannot divide"},
		{"max<=1s", Counts{}, "max response time, want <= 1s: no request was due", "no data"},
		{"errors<=0", Counts{Due: 6, Failed: 6, ErrorKinds: []KindCount{{"a", 1, ""}, {"b", 1, ""}, {"c", 1, ""}, {"d", 1, ""}, {"e", 2, ""}}},
			"error ratio 1, want <= 0 (6 of 6: a 1, b 1, c 1, d 1, ...)", "a line stays a line"},
	} {
		assert.Equal(t, tc.want, Judge(limit(t, tc.limit), tc.c, DefaultStandard).String(), tc.why)
	}
}

func TestDetail(t *testing.T) {
	check := func(l string, c Counts, want string) {
		t.Helper()
		assert.Equal(t, want, Judge(limit(t, l), c, DefaultStandard.Among(2)).Detail)
	}
	check("p99<=50ms", even(10_000, 10, 0, enough), "n_eff 8,803 of 10,000, design effect 1; alpha 0.005 for a fail, 0.05 for a pass")
	check("errors<=1%", even(10_000, 0, 10, enough), "n_eff 1,760 of 10,000, design effect 5; alpha 0.005 for a fail, 0.05 for a pass")
	check("throughput>=1", even(1_000, 0, 0, time.Second), "alpha 0.005 for a fail, 0.05 for a pass")
	check("errors<=0", even(1_000, 0, 0, time.Second), "") // a fact
}

func TestSpan(t *testing.T) {
	check := func(l string, low, high float64, want string) {
		t.Helper()
		assert.Equal(t, want, span(&Result{Limit: limit(t, l), Low: low, High: high, HaveInterval: true}))
	}
	inf := math.Inf(1)
	check("p99<=50ms", 3.9e6, 4.6e6, " (3.9 to 4.6ms)")
	check("p99<=50ms", 0.9e6, 1.1e6, " (900µs to 1.1ms)")
	check("p99<=50ms", 59e9, 61e9, " (59s to 1m1s)")
	check("p99<=50ms", 61e9, 62e9, " (1m1s to 1m2s)")
	check("p99<=50ms", 3.9e6, inf, " (at least 3.9ms)")
	check("p99<=50ms", 0, 4.6e6, " (at most 4.6ms)")
	check("p99<=50ms", 0, inf, "")
	check("p99<=50ms", inf, inf, "") // it lies among those that did not succeed
	check("errors<=1%", 0, 0.01, " (at most 0.01)")
	check("errors<=1%", 0.001, 0.02, " (0.001 to 0.02)")
	check("throughput>=9", 8, 12.5, " (8 to 12.5/s)")
	assert.Empty(t, span(&Result{Limit: limit(t, "max<=1s"), High: 1}), "no interval")
}

func TestWaive(t *testing.T) {
	r := Judge(limit(t, "max<=1ms"), Counts{Due: 1, Succeeded: 1, Max: 2 * time.Millisecond, Measured: enough}, DefaultStandard)
	w := r.Waive("the race detector is on")
	assert.Equal(t, "not judged: the race detector is on; max response time 2ms, want <= 1ms (n=1)", w.String())
	assert.Equal(t, NotJudged, w.Verdict)
	assert.Equal(t, Fail, r.Verdict, "r itself stays")
	assert.Equal(t, NotJudged, Overall([]Result{w}))
	assert.True(t, w.HaveObserved)
}

func TestVerdictJSON(t *testing.T) {
	for _, tc := range []struct {
		v    Verdict
		json string
		why  string
	}{
		{NotJudged, "null", "nothing was said"},
		{Pass, `"pass"`, "its word"},
		{Fail, `"fail"`, "its word"},
		{Inconclusive, `"inconclusive"`, "its word"},
	} {
		b, err := json.Marshal(tc.v)
		require.NoError(t, err)
		assert.Equal(t, tc.json, string(b), tc.why)
		back := Fail
		require.NoError(t, json.Unmarshal(b, &back))
		assert.Equal(t, tc.v, back, tc.why)
	}
	var v Verdict
	assert.ErrorContains(t, json.Unmarshal([]byte(`"maybe"`), &v), `unknown word "maybe"`)
	assert.Error(t, json.Unmarshal([]byte(`3`), &v), "verdicts are words")
}

// A value that would look like the limit has the digits that tell the two apart.
func TestValueText(t *testing.T) {
	for _, tc := range []struct {
		limit string
		value float64
		want  string
	}{
		{"throughput>=198", 197.7864676040546, "197.8/s"},
		{"throughput>=198", 197.9999, "197.9999/s"},
		{"throughput>=198", 198, "198/s"},
		{"throughput>=198", 200.4, "200/s"},
		{"errors<=1%", 0.010000301, "0.0100003"},
		{"p99<=50ms", 50_000_001, "50.000001ms"},
	} {
		assert.Equal(t, tc.want, limit(t, tc.limit).valueText(tc.value), "%v of %s", tc.value, tc.limit)
	}
}
