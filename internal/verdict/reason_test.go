package verdict

import (
	"encoding/json"
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
	for _, tc := range []struct {
		limit string
		c     Counts
		want  string
		why   string
	}{
		{"p99<=50ms", Counts{Due: 1000, Succeeded: 1000, Within: 995, Observed: 45321 * time.Microsecond, HaveObserved: true},
			"p99 response time 45.3ms, want <= 50ms (n=1,000)", "kept: what and from how many"},
		{"p99<=250ms", Counts{Due: 29_940, Succeeded: 29_940, Within: 28_100, Observed: 312 * ms, HaveObserved: true, Workload: "open, 1000/s for 30s"},
			"p99 response time 312ms, want <= 250ms (n=29,940; 28,100 within 250ms, 29,641 needed; open, 1000/s for 30s)", "missed: by how many too"},
		{"p99>250ms", Counts{Due: 1000, Succeeded: 1000, Within: 1000, Observed: 31 * ms, HaveObserved: true},
			"p99 response time 31ms, want > 250ms (n=1,000; 1,000 within 250ms, fewer than 990 needed)", "a limit from below"},
		{"p99<=50ms", Counts{Due: 1000, Succeeded: 1000, Within: 989, Observed: 50*ms + 100, HaveObserved: true},
			"p99 response time 50.0001ms, want <= 50ms (n=1,000; 989 within 50ms, 990 needed)", "three digits would show the limit itself"},
		{"p99<=50ms", Counts{Due: 100, Succeeded: 100, Within: 100},
			"p99 response time unknown, want <= 50ms: needs 1,000 requests to judge, has 100 (n=100)", "too few"},
		{"p99<=50ms", Counts{Due: 29_940, Succeeded: 29_302, Failed: 638, Within: 29_302, Observed: 4200 * time.Microsecond, HaveObserved: true, ErrorKinds: faults},
			`p99 response time without bound, want <= 50ms (n=29,940; 29,302 within 50ms, 29,641 needed; 638 counted as missed: status 503 37, timeout 601; first: read tcp 127.0.0.1:51034: i/o \x1b[31mtimeout\n)`,
			"more than 1 % missed: no p99 to show, and no escape from the server reaches the terminal"},
		{"p50<=50ms", Counts{Due: 1000, Succeeded: 900, Unsent: 60, Unfinished: 40, Within: 900, Observed: 4200 * time.Microsecond, HaveObserved: true},
			"p50 response time 4.2ms among the succeeded, want <= 50ms (n=1,000; 100 counted as missed)", "kept, but not by all"},
		{"p50<=50ms", Counts{Due: 1000, Failed: 1000},
			"p50 response time unknown, as no request succeeded, want <= 50ms (n=1,000; 0 within 50ms, 500 needed; 1,000 counted as missed: failed 1,000)", "nothing looks fast"},
		{"max<=100ms", Counts{Due: 1000, Succeeded: 1000, Max: 102_704 * time.Microsecond},
			"max response time 102.7ms, want <= 100ms (n=1,000)", "exact"},
		{"mean<=100ms", Counts{Due: 1000, Succeeded: 999, Failed: 1, Mean: ms, ErrorKinds: []KindCount{{"status 500", 1, ""}}},
			"mean response time without bound, want <= 100ms (n=1,000; 1 counted as missed: status 500 1)", "one missed request"},
		{"errors<=0", Counts{Due: 29_940, Succeeded: 29_302, Failed: 638, ErrorKinds: []KindCount{{"timeout", 601, "i/o timeout"}, {"reset", 37, ""}}},
			"error ratio 0.0213, want <= 0 (638 of 29,940: timeout 601, reset 37; first: i/o timeout)", "as the style guide has it"},
		{"errors<=0.1%", Counts{Due: 1000, Succeeded: 1000},
			"error ratio 0, want <= 0.001 (0 of 1,000)", "kept"},
		{"errors<=0.1%", Counts{Due: 99_990, Succeeded: 99_890, Failed: 100},
			"error ratio 0.001000100010001, want <= 0.001 (100 of 99,990: failed 100)", "a near miss"},
		{"throughput>=5000", Counts{Due: 1000, Succeeded: 1000, Completed: 1000, Elapsed: 2340 * ms},
			"throughput 427/s, want >= 5000/s (1,000 completed in 2.34s)", "a rate"},
		{"goodput>=0.5", Counts{Due: 9, Succeeded: 3, Failed: 6, Completed: 9, Elapsed: 8 * time.Second},
			"goodput 0.375/s, want >= 0.5/s (3 succeeded in 8s)", "a small rate"},
		{"goodput>=5", Counts{Due: 9, Succeeded: 9},
			"goodput unknown, want >= 5/s: no time passed (9 succeeded in 0s)", "cannot divide"},
		{"max<=1s", Counts{}, "max response time, want <= 1s: no request was due", "no data"},
		{"errors<=0", Counts{Due: 6, Failed: 6, ErrorKinds: []KindCount{{"a", 1, ""}, {"b", 1, ""}, {"c", 1, ""}, {"d", 1, ""}, {"e", 2, ""}}},
			"error ratio 1, want <= 0 (6 of 6: a 1, b 1, c 1, d 1, ...)", "a line stays a line"},
	} {
		assert.Equal(t, tc.want, Judge(limit(t, tc.limit), tc.c).String(), tc.why)
	}
}

func TestWaive(t *testing.T) {
	r := Judge(limit(t, "max<=1ms"), Counts{Due: 1, Succeeded: 1, Max: 2 * time.Millisecond})
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
