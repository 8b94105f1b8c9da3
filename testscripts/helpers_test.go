//go:build unix

package testscripts

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The helpers that scripts rely on must be able to fail.

func TestAccount(t *testing.T) {
	const a, b, c = "0000000a-000000000000", "0000000a-000000000001", "0000000a-000000000002"
	const report = `{"requests": {"due": 3, "sent": 3, "succeeded": 2, "failed": 1}}`
	const log = "time=T level=WARN msg=failed id=" + b + " kind=reset\n"
	for _, x := range []struct {
		why     string
		arrived []string
		report  string
		log     string
		lost    int64
		want    string // of the error; "" for none
	}{
		{"the failed one arrived", []string{a, b, c}, report, log, 0, ""},
		{"the failed one did not", []string{a, c}, report, log, 0, ""},
		{"a success that no target saw", []string{a, b}, report, log, 0, "1 requests arrived and did not fail, 2 succeeded"},
		{"the target may have lost it", []string{a, b}, report, log, 1, ""},
		{"sent twice", []string{a, b, c, a}, report, log, 0, "request " + a + " arrived twice"},
		{"without an id", []string{a, "", c}, report, log, 0, "without an id"},
		{"one that was never counted", []string{a, b, c, "0000000a-000000000003"}, report, log, 0, "3 requests arrived and did not fail"},
		{"a failure that is not logged", []string{a, c}, report, "", 0, "0 failed requests are logged, 1 counted"},
		{"a failure logged twice", []string{a, c}, report, log + log, 0, "request " + b + " failed twice"},
		{"counts that do not add up", []string{a, b, c}, `{"requests": {"due": 3, "sent": 3, "succeeded": 3, "failed": 1}}`, log, 0, "do not add up"},
	} {
		err := account(x.arrived, x.report, x.log, x.lost)
		if x.want == "" {
			assert.NoError(t, err, x.why)
		} else {
			assert.ErrorContains(t, err, x.want, x.why)
		}
	}
}

func TestSentOf(t *testing.T) {
	const report = "  Total:      20 requests\n  Succeeded:  10\n  Failed:     5\n  Unsent:     3\n  Unfinished: 2\n" +
		"  Warm-up:    4 requests not counted, 0 failed\n\nErrors:\n  connect_refused: 1 (first: x)\n  timeout: 2\n"
	n, err := sentIn(report)
	require.NoError(t, err)
	assert.EqualValues(t, 17+4-1, n)

	n, err = sentIn("Interrupted after 1s: 17 of 30 requests\n\n" + report)
	require.NoError(t, err)
	assert.EqualValues(t, 20, n)
	_, err = sentIn("Interrupted after 1s: 20 of 30 requests\n\n" + report)
	assert.ErrorContains(t, err, "the first line says 20 requests, 17 were sent")
	_, err = sentIn("  Total:      20 requests\n  Succeeded:  10\n")
	assert.ErrorContains(t, err, "do not add up")
}

func TestRender(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"lines are kept", "a\nb\n", "a\nb\n"},
		{"a line that is redrawn and erased", "[=  ] 1/2\x1b[K\r[== ] 2/2\x1b[K\r\x1b[Kdone\n", "done\n"},
		{"the end of a longer line remains", "[== ] 12/20\rdone\n", "done] 12/20\n"},
		{"the last line remains", "[== ] 2/2\r", "[== ] 2/2"},
		{"colours are removed", "\x1b[31m5\x1b[0m\n", "5\n"},
	} {
		got, err := render(c.in, 20)
		require.NoError(t, err, c.why)
		assert.Equal(t, c.want, got, c.why)
	}
	_, err := render("123456789\r", 8)
	assert.ErrorContains(t, err, "9 columns wide on a terminal of 8")
	_, err = render("\x1b[2A", 80)
	assert.ErrorContains(t, err, "is not one of a progress line")
}

func TestMask(t *testing.T) {
	for _, c := range []struct{ why, in, want string }{
		{"a table's columns end where they ended", "  p50:     4.2ms\n  max:   102.7ms\n", "  p50:         T\n  max:         T\n"},
		{"µ is one column wide", "  p50:      85µs\n", "  p50:         T\n"},
		{"a missing quantile is not a time", "  p99:         -\n", "  p99:         -\n"},
		{"other values begin where they began", "  Duration:   2.34s\n", "  Duration:   T\n"},
		{"counts are kept", "  Succeeded:  985\n", "  Succeeded:  985\n"},
		{"what a limit demands is kept", "p99 response time 312ms, want <= 250ms (n=29,940)\n", "p99 response time T, want <= 250ms (n=29,940)\n"},
		{"intervals are removed", "p99 response time 312ms (298 to 330ms), want <= 250ms (n=29,940)\n", "p99 response time T, want <= 250ms (n=29,940)\n"},
		{"intervals of any kind", "goodput 9/s (at least 8.5/s), want >= 5/s (9 succeeded)\n", "goodput R/s, want >= 5/s (9 succeeded)\n"},
		{"sentences are joined", "  ✗ p99 9ms, want <= 5ms\n    8 to 9.5ms; n=29,940; 28,100 within\n    5ms, 29,641 needed\n", "  ✗ p99 T, want <= 5ms\n    n=29,940; 28,100 within 5ms, 29,641 needed\n"},
		{"a histogram is of times", "Histogram:\n", "Histogram:\n"},
		{"its rows depend on the machine", "\nHistogram:\n  <=  1ms  5  ■■\n  <=  2ms  0\n\nS", "\nHistogram:\n  ROWS\n\nS"},
		{"ids and ports are masked", "http://127.0.0.1:4711/ id=00c0ffee-000000000007\n", "http://127.0.0.1:PORT/ id=ID-000000000007\n"},
		{"warnings depend on the machine", "a\n\nWarnings:\n  b\n", "a\n"},
		{"a time to keep", "Duration: 250ms\n", "Duration: 250ms\n"},
	} {
		assert.Equal(t, c.want, maskText(c.in, []string{"250ms"}), c.why)
	}
	got, err := maskJSON(`{"schema":1,"elapsed_ns":5,"requests":{"sent":2},"response_time_ns":{"count":2,"p50":7,"p99":null},"intervals":[1,2],"record":{"response":"H"}}`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"schema":1,"elapsed_ns":"*","requests":{"sent":2},"response_time_ns":{"count":2,"p50":"*","p99":null},"intervals":"*","record":"*"}`, got)
}

func TestField(t *testing.T) {
	const doc = `{"a": {"b": [1, {"c": "x"}]}, "n": null, "f": 0.25, "length": 9}`
	for path, want := range map[string]string{
		"a.b.0": "1", "a.b.1.c": "x", "a.b.length": "2", "a.length": "1", "length": "9", "n": "null", "f": "0.25", "a": `{"b":[1,{"c":"x"}]}`,
	} {
		v, err := field(doc, path)
		require.NoError(t, err, path)
		assert.Equal(t, want, text(v), path)
	}
	for path, want := range map[string]string{
		"b": `no member "b"`, "a.b.2": `no element "2" of 2`, "f.x": `"x" in 0.25`,
	} {
		_, err := field(doc, path)
		assert.ErrorContains(t, err, want, path)
	}
	_, err := field(doc+"{}", "a")
	assert.ErrorContains(t, err, "more than one JSON value", "a stray second report")
}

func TestConforms(t *testing.T) {
	const schema = `{"type": "object", "required": ["a", "b"], "properties": {
		"a": {"$ref": "#/$defs/a"}, "b": {"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "c": {"type": "object", "additionalProperties": {"type": "integer"}}},
		"allOf": [{"$ref": "#/$defs/more"}],
		"$defs": {"a": {"type": "array", "items": {"type": ["number", "null"], "minimum": 2}},
			"more": {"type": "object", "required": ["e"], "properties": {"e": {"type": "object"}}}}}`
	for doc, want := range map[string]string{
		`{"a": [2, null, 2.5], "b": {"a": [], "b": null, "e": {}}, "c": {"z": 1}, "e": {"any": 1}}`: "",
		`{"a": []}`:                                             "$.b is missing",
		`{"a": [], "b": null}`:                                  "$.e is missing",
		`{"a": [], "b": null, "e": 1}`:                          `$.e is of type integer, want "object"`,
		`{"a": [], "b": null, "e": {}, "d": 1}`:                 "$.d is not in the schema",
		`{"a": [3, 1], "b": null, "e": {}}`:                     "$.a[1] is 1, want at least 2",
		`{"a": ["3"], "b": null, "e": {}}`:                      `$.a[0] is of type string, want ["number", "null"]`,
		`{"a": [], "b": {"a": 1, "b": null, "e": {}}, "e": {}}`: `$.b.a is of type integer, want "array"`,
		`{"a": [], "b": null, "e": {}, "c": {"z": 1.5}}`:        `$.c.z is of type number, want "integer"`,
		`{"a": [], "b": null, "c": {"z": {"y": "no end"}}`:      "unexpected EOF",
	} {
		err := conforms([]byte(schema), []byte(doc))
		if want == "" {
			assert.NoError(t, err, doc)
		} else {
			assert.ErrorContains(t, err, want, doc)
		}
	}
	assert.ErrorContains(t, conforms([]byte(`{"type": "string", "enum": ["x"]}`), []byte(`"y"`)), "want one of [x]")
}
