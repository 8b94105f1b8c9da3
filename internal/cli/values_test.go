package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/http1"
	"github.com/loadtestkit/load-tester/internal/load"
)

// values checks what parse makes of each text.
func values[T any](t *testing.T, parse func(string) (T, error), want map[string]T) {
	t.Helper()
	for s, v := range want {
		got, err := parse(s)
		require.NoError(t, err, s)
		assert.Equal(t, v, got, s)
	}
}

// refused checks that parse refuses each text.
func refused[T any](t *testing.T, parse func(string) (T, error), texts ...string) {
	t.Helper()
	for _, s := range texts {
		v, err := parse(s)
		assert.Error(t, err, "%q became %v", s, v)
	}
}

// The largest numbers that are accepted, in each form.
func TestLargestNumbers(t *testing.T) {
	for _, s := range []string{"9e15", "9000000000000000", "9000000000m", "9000000000000k"} {
		n, err := parseCount(s)
		assert.NoError(t, err, s)
		assert.Equal(t, int64(9e15), n, s)
	}
	for _, s := range []string{"1e9", "1000000000", "1000m", "1e6/ms", "6e10/m"} {
		r, err := parseRate(s)
		assert.NoError(t, err, s)
		assert.Equal(t, 1e9, r, s)
	}
}

func TestParseCount(t *testing.T) {
	values(t, parseCount, map[string]int64{
		"1": 1, "100": 100, "10k": 10_000, "10K": 10_000, "2m": 2_000_000, "1.5k": 1500, "1.1m": 1_100_000, "0.5k": 500,
		"1000000000000": 1e12, "1e6": 1_000_000, "2.5E3": 2500,
	})
	refused(t, parseCount, "", "0", "-1", "-5k", "abc", "1.5", "k", "e", "1e", "1e-3", "1e999", "0x10", "1_000", "10kk", "10 ", " 10", "Inf", "NaN", "99999999999999999999", "0.0001k", "1,000")
}

func TestParseRate(t *testing.T) {
	values(t, parseRate, map[string]float64{
		"1000": 1000, "1000/s": 1000, "30/m": 0.5, "10/ms": 10_000, "36/h": 0.01, "1.5k": 1500, "2k/s": 2000, "0.1": 0.1,
	})
	refused(t, parseRate, "", "0", "0/s", "-1", "abc", "1000/", "/s", "10/x", "10/5s", "Inf", "NaN", "1e12", "1000000m", "1/s/s")
}

func TestParseStage(t *testing.T) {
	values(t, parseStage, map[string]load.Stage{
		"10s:100":          {For: 10 * time.Second, From: 100, To: 100},
		"30s:100..1000":    {For: 30 * time.Second, From: 100, To: 1000},
		"5s:0":             {For: 5 * time.Second},
		"1m:60/m..1k/s":    {For: time.Minute, From: 1, To: 1000},
		"500ms:0.5..0":     {For: 500 * time.Millisecond, From: 0.5},
		"1m30s:1000..1000": {For: 90 * time.Second, From: 1000, To: 1000},
	})
	refused(t, parseStage, "", "bad", "10s", "10s:", ":100", "10:100", "0s:100", "-1s:100", "10s:-5", "10s:5..", "10s:..5", "10s:5..6..7", "10s:5-6", "10s:x")
}

func TestParseTimes(t *testing.T) {
	values(t, parseTime, map[string]time.Duration{"10s": 10 * time.Second, "1m30s": 90 * time.Second, "5ms": 5 * time.Millisecond})
	refused(t, parseTime, "", "0", "0s", "-1s", "5", "x", "1d")
	_, err := parseTime("5")
	assert.ErrorContains(t, err, "5s or 5ms", "a number alone is a missing unit")
	values(t, parseTimeOrZero, map[string]time.Duration{"0": 0, "0s": 0, "2s": 2 * time.Second})
	refused(t, parseTimeOrZero, "-1s", "2")
	values(t, parseGrace, map[string]time.Duration{"0": 1, "3s": 3 * time.Second}) // 0 would mean the timeout
	refused(t, parseGrace, "-1s", "x")
}

func TestParseOthers(t *testing.T) {
	header := func(s string) (r engine.RequestOptions, err error) { return r, addHeader(&r)(s) }
	values(t, header, map[string]engine.RequestOptions{
		"Accept: text/html": {Header: []http1.Field{{Name: "Accept", Value: "text/html"}}},
		"A:b:c ":            {Header: []http1.Field{{Name: "A", Value: "b:c"}}},
		"A: b;":             {Header: []http1.Field{{Name: "A", Value: "b;"}}},
		"X-Empty;":          {Header: []http1.Field{{Name: "X-Empty"}}},
		"X-Empty; ":         {Header: []http1.Field{{Name: "X-Empty"}}},
		"User-Agent:":       {Without: []string{"User-Agent"}},
		"User-Agent: \t":    {Without: []string{"User-Agent"}},
	})
	refused(t, header, "", "nocolon", ": value", " : value", ":", ";", "a;b")
	values(t, parseMethod, map[string]string{"GET": "GET", "x-1": "x-1"})
	refused(t, parseMethod, "", "10", "2.5")
	values(t, parseUser, map[string]string{"me:secret": "me:secret", "me:": "me:", "me:a:b": "me:a:b"})
	refused(t, parseUser, "", "me")
	values(t, parseOutput, map[string]string{"json.txt": "json.txt", "./json": "./json", "-": "-"})
	refused(t, parseOutput, "", "json", "csv")
	values(t, parseAhead, map[string]int{"0": -1, "5": 5, "1k": 1000})
	refused(t, parseAhead, "-1", "x", "")
	values(t, parseSeed, map[string]uint64{"1": 1, "18446744073709551615": 1<<64 - 1})
	refused(t, parseSeed, "0", "-1", "x", "1.5")
	values(t, parseConcurrency, map[string]int{"1": 1, "1k": 1000})
	refused(t, parseConcurrency, "0", "-1", "9999999999")
	values(t, parseSwitch, map[string]bool{"true": true, "false": false})
	refused(t, parseSwitch, "", "maybe")
	values(t, oneOf("a", "b"), map[string]string{"a": "a", "b": "b"})
	refused(t, oneOf("a", "b"), "", "c", "A")
}
