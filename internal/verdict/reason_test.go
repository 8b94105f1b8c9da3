package verdict

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/record"
)

// The short line has the metric, what was observed and what was wanted; the basis has
// the rest of the reason.
func TestSummaryAndBasis(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		limit          string
		r              *record.Record
		summary, basis string
	}{
		{"p99<=50ms", even(10_000, 20, 0, enough), "p99 4ms, want <= 50ms", "4 to 4.01ms; n=10,000"},
		{"p99<=50ms", even(10_000, 300, 0, enough), "p99 60ms, want <= 50ms", "59.9 to 60ms; n=10,000; 9,700 within 50ms, 9,900 needed"},
		{"p99<=50ms", even(50, 0, 0, time.Second), "p99 unknown, want <= 50ms", "needs 3,000 requests to judge, or 600 if none comes near the limit, has 50: about 11s more; n=50"},
		{"p99<=50ms", seen(enough, equal(10_000, 50*ms+100)...), "p99 50.0001ms, want <= 50ms", "n=10,000; 0 within 50ms, 9,900 needed"},
		{"p50<=50ms", seen(time.Second, equal(1_000, refused)...), "p50 unknown, want <= 50ms", "n=1,000; 0 within 50ms, 500 needed; 1,000 counted as missed: status 503 1,000"},
		{"errors<=0.1%", even(10_000, 0, 100, enough), "errors 1%, want <= 0.1%", "0.759 to 1.19%; 100 of 10,000: reset 100"},
		{"errors<=0", even(10_000, 0, 0, enough), "errors 0%, want <= 0%", "0 of 10,000"},
		{"goodput>=900", record.New(false, nil), "goodput unknown, want >= 900/s", "no request was due"},
	} {
		got := judge(t, tc.limit, tc.r, DefaultStandard)
		assert.Equal(t, tc.summary, got.Summary, tc.limit)
		assert.Equal(t, tc.basis, got.Basis, tc.limit)
	}
	got := Finding{Summary: "S", Basis: "B", Verdict: Fail}
	assert.Equal(t, "in doubt: W; B", got.Excuse("W").Basis)
	assert.Equal(t, "not judged: W", got.Waive("W").Basis)
	got.Verdict = Pass
	assert.Equal(t, "W; B", got.Doubt("W").Basis)
	assert.Equal(t, "W", Finding{Verdict: Pass}.Doubt("W").Basis)
}

func TestReason(t *testing.T) {
	const ms = time.Millisecond
	loaded := func(r *record.Record) *record.Record { r.Load = "open, 1000/s"; return r }
	for _, tc := range []struct {
		limit string
		r     *record.Record
		want  string
		why   string
	}{
		{"p99<=50ms", even(10_000, 20, 0, enough),
			"p99 response time 4ms (4 to 4.01ms), want <= 50ms (n=10,000)", "kept: what and from how many"},
		{"p99<=50ms", loaded(even(10_000, 300, 0, enough)),
			"p99 response time 60ms (59.9 to 60ms), want <= 50ms (n=10,000; 9,700 within 50ms, 9,900 needed; open, 1000/s for 10s)", "missed: by how many too"},
		{"p99<=50ms", even(10_000, 101, 0, enough),
			"p99 response time 60ms (4.01 to 60ms), want <= 50ms: too close to the limit to tell (n=10,000)", "no use in waiting"},
		{"p99<=50ms", even(10_000, 90, 0, enough),
			"p99 response time 4ms (4 to 59.9ms), want <= 50ms: n_eff 8,803 of 27,213: about 21s more (n=10,000)", "what would settle it"},
		{"p99<=50ms", even(10_000, 300, 0, time.Second),
			"p99 response time 60ms (59.9 to 60ms), want <= 50ms: missed, but 1s of load may all be a slow spell of the machine, a fail needs 10s: about 9s more (n=10,000)", "too short for a fail"},
		{"p99>50ms", even(10_000, 20, 0, enough),
			"p99 response time 4ms (4 to 4.01ms), want > 50ms (n=10,000; 9,980 within 50ms, fewer than 9,900 needed)", "a limit from below"},
		{"p99<=50ms", seen(enough, equal(10_000, 50*ms+100)...),
			"p99 response time 50.0001ms, want <= 50ms (n=10,000; 0 within 50ms, 9,900 needed)", "three digits would show the limit itself"},
		{"p99<=50ms", even(50, 0, 0, time.Second),
			"p99 response time unknown, want <= 50ms: needs 3,000 requests to judge, or 600 if none comes near the limit, has 50: about 11s more (n=50)", "too few"},
		{"p99<=50ms", together(seen(enough, mixed(9_963, 0, 601, timedOut)...), seen(enough, equal(37, refused)...)),
			`p99 response time without bound, want <= 50ms (n=10,000; 9,362 within 50ms, 9,900 needed; 638 counted as missed: timeout 601, status 503 37; first: read tcp 127.0.0.1:51034: i/o \x1b[31mtimeout\n)`,
			"more than 1 % missed: no p99 to show, and no escape from the server reaches the terminal"},
		{"p50<=50ms", even(1_000, 0, 100, time.Second),
			"p50 response time 4ms among the succeeded, want <= 50ms (n=1,000; 100 counted as missed)", "kept, but not by all"},
		{"p50<=50ms", seen(time.Second, equal(1_000, refused)...),
			"p50 response time unknown, as no request succeeded, want <= 50ms (n=1,000; 0 within 50ms, 500 needed; 1,000 counted as missed: status 503 1,000)", "nothing looks fast"},
		{"max<=100ms", seen(enough, equal(1_000, 102_704*time.Microsecond)...),
			"max response time 102.7ms, want <= 100ms (n=1,000)", "exact"},
		{"mean<=100ms", together(even(999, 0, 0, time.Second), seen(0, refused)),
			"mean response time without bound, want <= 100ms (n=1,000; 1 counted as missed: status 503 1)", "one missed request"},
		{"mean<=9.6ms", even(1_000, 100, 0, 2*time.Second),
			"mean response time 9.6ms (9.25 to 9.83ms), want <= 9.6ms: too close to the limit to tell (n=1,000)", "at the limit itself"},
		{"errors<=0", together(even(29_302, 0, 0, enough), seen(enough, equal(601, timedOut)...), seen(enough, equal(37, reset)...)),
			`error ratio 0.0213, want <= 0 (638 of 29,940: timeout 601, reset 37; first: read tcp 127.0.0.1:51034: i/o \x1b[31mtimeout\n)`, "a fact"},
		{"errors<=1%", even(10_000, 0, 0, enough),
			"error ratio 0 (at most 0.0017), want <= 0.01 (0 of 10,000)", "kept"},
		{"errors<=0.1%", even(10_000, 0, 100, enough),
			"error ratio 0.01 (0.00759 to 0.0119), want <= 0.001 (100 of 10,000: reset 100; first: reset)", "missed"},
		{"errors<=0.1%", even(10_000, 0, 10, enough),
			"error ratio 0.001 (0.0000451 to 0.00337), want <= 0.001: too close to the limit to tell (10 of 10,000)", "at the limit itself"},
		{"errors<=0", seen(enough, 0, unsent, unsent, unfinished),
			"error ratio 0.75, want <= 0 (3 of 4: unsent 2, unfinished 1)", "what had no end has no message"},
		{"throughput>=5000", even(1_000, 0, 0, 2*time.Second),
			"throughput 500/s (497 to 502/s), want >= 5000/s (1,000 completed in 2s)", "a rate"},
		{"goodput>=0.5", seen(9*time.Second, equal(9, refused)...),
			"goodput 0/s, want >= 0.5/s (0 succeeded in 9s)", "none at all"},
		{"goodput>=5", seen(0, equal(9, 0)...),
			"goodput unknown, want >= 5/s: no time passed (9 succeeded in 0s)", "cannot divide"},
		{"max<=1s", seen(0), "max response time, want <= 1s: no request was due", "no data"},
		{"errors<=0", failed(record.NoPorts, record.Write, record.TLS, record.Write, record.Connect, record.NoFDs),
			"error ratio 1, want <= 0 (6 of 6: write 2, connect 1, no_fds 1, no_ports 1, ...; first: write)", "a line stays a line"},
	} {
		assert.Equal(t, tc.want, judge(t, tc.limit, tc.r, DefaultStandard).String(), tc.why)
	}
}

// failed returns the record of requests that failed in these ways.
func failed(kinds ...record.Kind) *record.Record {
	r := seen(0)
	for _, k := range kinds {
		r.Add(&record.Sample{Result: record.Result{Kind: k, Err: errors.New(k.String())}})
	}
	return r
}

func TestDetail(t *testing.T) {
	check := func(l string, r *record.Record, want string) {
		t.Helper()
		assert.Equal(t, want, judge(t, l, r, DefaultStandard.Among(2)).Detail)
	}
	check("p99<=50ms", even(10_000, 10, 0, enough), "n_eff 8,803 of 10,000, design effect 1; alpha 0.005 for a fail, 0.05 for a pass")
	check("errors<=1%", even(10_000, 0, 10, enough), "n_eff 1,760 of 10,000, design effect 5; alpha 0.005 for a fail, 0.05 for a pass")
	check("throughput>=1", even(1_000, 0, 0, time.Second), "alpha 0.005 for a fail, 0.05 for a pass")
	check("errors<=0", even(1_000, 0, 0, time.Second), "") // a fact
}

func TestSpan(t *testing.T) {
	check := func(l string, low, high float64, want string) {
		t.Helper()
		assert.Equal(t, want, (&Finding{Limit: limit(t, l), Low: low, High: high, HaveInterval: true}).span(limit(t, l).valueText))
	}
	inf := math.Inf(1)
	check("p99<=50ms", 3.9e6, 4.6e6, "3.9 to 4.6ms")
	check("p99<=50ms", 0.9e6, 1.1e6, "900µs to 1.1ms")
	check("p99<=50ms", 59e9, 61e9, "59s to 1m1s")
	check("p99<=50ms", 61e9, 62e9, "1m1s to 1m2s")
	check("p99<=50ms", 3.9e6, inf, "at least 3.9ms")
	check("p99<=50ms", 0, 4.6e6, "at most 4.6ms")
	check("p99<=50ms", 0, inf, "")
	check("p99<=50ms", inf, inf, "") // it lies among those that did not succeed
	check("errors<=1%", 0, 0.01, "at most 0.01")
	check("errors<=1%", 0.001, 0.02, "0.001 to 0.02")
	check("throughput>=9", 8, 12.5, "8 to 12.5/s")
	assert.Empty(t, (&Finding{Limit: limit(t, "max<=1s"), High: 1}).span(limit(t, "max<=1s").valueText), "no interval")
}

func TestWaive(t *testing.T) {
	r := judge(t, "max<=1ms", seen(enough, 2*time.Millisecond), DefaultStandard)
	w := r.Waive("the race detector is on")
	assert.Equal(t, "not judged: the race detector is on; max response time 2ms, want <= 1ms (n=1)", w.String())
	assert.Equal(t, NotJudged, w.Verdict)
	assert.Equal(t, Fail, r.Verdict, "r itself stays")
	assert.Equal(t, NotJudged, Overall([]Finding{w}))
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
