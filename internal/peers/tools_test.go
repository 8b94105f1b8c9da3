package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The samples in testdata are what the tools printed on loopback, except oha's,
// which was made from the schema in its repository.
func TestParse(t *testing.T) {
	for _, c := range []struct {
		file         string
		parse        func([]byte) (result, error)
		done, failed int64
		times        times
		why          string
	}{
		{"load-tester.json", parseOurs, 2500, 0, times{"p50": 192960, "p90": 1047808, "p95": 1989120, "p99": 4945920, "p99.5": 6916096, "max": 16090545, latenessP99: 3707904}, "p99.5 comes from a limit"},
		{"wrk.txt", parseWrk, 45537, 0, times{"p50": 74_000, "p75": 95_000, "p90": 154_000, "p99": 1_510_000}, "it prints no p95 and no maximum"},
		{"wrk_404.txt", parseWrk, 956, 956, times{"p50": 3_970_000, "p75": 5_500_000, "p90": 7_770_000, "p99": 23_410_000}, "it reports errors only as a count of statuses"},
		{"wrk2.txt", parseWrk, 498, 0, times{"p50": 950_000, "p75": 1_260_000, "p90": 1_610_000, "p95": 2_093_000, "p99": 9_190_000, "p99.5": 11_839_000, "max": 14_210_000}, "the quantiles that its list lacks are in the spectrum"},
		{"ab.txt", parseAB, 1000, 0, nil, "only counts"},
		{"ab_404.txt", parseAB, 100, 100, nil, "it does not call them failed"},
		{"h2load.txt", parseH2load, 400, 0, times{"max": 5_030_000}, "this version prints no quantile"},
		{"hey.txt", parseHey, 396, 0, times{"p10": 200_000, "p25": 400_000, "p50": 600_000, "p75": 900_000, "p90": 1_500_000, "p95": 2_200_000, "p99": 4_500_000, "max": 6_000_000}, "the percent sign is doubled"},
		{"hey_404.txt", parseHey, 40, 40, nil, "it does not list statuses as errors"},
		{"hey_refused.txt", parseHey, 0, 4, times{"max": 0}, "its list of errors looks like its list of statuses"},
		{"bombardier.json", parseBombardier, 404, 0, times{"p50": 358_000, "p75": 502_000, "p90": 855_000, "p95": 1_391_000, "p99": 2_839_000, "max": 3_123_000}, "in microseconds"},
		{"vegeta.txt", parseVegeta, 400, 0, times{"p50": 476135, "p90": 1043886, "p95": 1376741, "p99": 3430784, "p99.5": 4054167, "max": 4903939}, "p99.5 comes from the spectrum"},
		{"fortio.json", parseFortio, 400, 0, times{"p50": 205607, "p90": 580_000, "p95": 1_100_000, "p99": 2_625_000, "p99.5": 2_875_000, "max": 3379863}, "in seconds"},
		{"k6.json", parseK6, 1001, 0, times{"p50": 379078, "p90": 1538847, "p95": 2794780, "p99": 6212220, "p99.5": 7324315, "max": 9047369}, "in milliseconds"},
		{"oha.json", parseOha, 400, 3, times{"p10": 100_000, "p25": 200_000, "p50": 300_000, "p75": 400_000, "p90": 600_000, "p95": 1_100_000, "p99": 4_200_000, "p99.9": 12_100_000, "max": 12_100_000}, "requests that it cuts off at the end did not fail"},
	} {
		require.NotEmpty(t, c.why)
		out, err := os.ReadFile(filepath.Join("testdata", c.file))
		require.NoError(t, err)
		r, err := c.parse(out)
		require.NoError(t, err, c.file)
		assert.Equal(t, c.done, r.done, "%s: done; %s", c.file, c.why)
		assert.Equal(t, c.failed, r.failed, "%s: failed; %s", c.file, c.why)
		if c.times == nil {
			continue
		}
		assert.Len(t, r.times, len(c.times), "%s: %v; %s", c.file, r.times, c.why)
		for name, want := range c.times {
			got, ok := r.times[name]
			assert.True(t, ok, "%s: %s; %s", c.file, name, c.why)
			assert.InDelta(t, want, got, float64(2*time.Microsecond), "%s: %s; %s", c.file, name, c.why)
		}
	}
}

// A run whose arrivals had to wait takes longer than asked, so its own elapsed
// time counts.
func TestElapsedTimeOfOurs(t *testing.T) {
	out, err := os.ReadFile(filepath.Join("testdata", "load-tester.json"))
	require.NoError(t, err)
	r, err := parseOurs(out)
	require.NoError(t, err)
	assert.Equal(t, 4998116009*time.Nanosecond, r.took)
}

// No parser may accept what a failing tool prints.
func TestParseRefuses(t *testing.T) {
	for _, tool := range append([]tool{ours}, peers...) {
		for _, text := range []string{"", "Killed\n", "connect: connection refused\n"} {
			_, err := tool.parse([]byte(text))
			assert.Error(t, err, "%s accepts %q", tool.name, text)
		}
	}
}

// A tool's command line must ask for the job, and for nothing that the tool
// cannot do.
func TestCommands(t *testing.T) {
	check := func(to tool, j job, want string) {
		t.Helper()
		j.url, j.connections, j.duration = "http://a/", 8, 5*time.Second
		inv, ok := to.command(j)
		if want == "" {
			assert.False(t, ok)
			return
		}
		s := &section{}
		s.addCommand(to.name, inv)
		assert.Equal(t, []string{want}, s.commands)
	}
	check(ours, job{}, "load-tester --no-progress --format json -c 8 -z 5s http://a/")
	check(ours, job{rate: 1000, tail: true}, "load-tester --no-progress --format json --rate 1000 -z 5s --limit 'p99.5<=1h' http://a/")
	check(ours, job{requests: 10}, "load-tester --no-progress --format json -c 8 -n 10 http://a/")
	check(wrk, job{fresh: true}, "wrk -t1 -c8 -d5s --latency -H 'Connection: close' http://a/")
	check(wrk, job{rate: 1000}, "") // closed workloads only
	check(ab, job{rate: 1000}, "")
	check(wrk2, job{}, "") // open workloads only
	check(wrk2, job{rate: 1000}, "wrk2 -R1000 --timeout 30s -t1 -c8 -d5s --latency http://a/")
	check(h2load, job{rate: 1000}, "h2load --h1 -t1 -c8 --rps=125 -D5 http://a/") // 1000 over 8 connections
	check(hey, job{rate: 100}, "hey -z 5s -c 8 -q 12.5 http://a/")
	check(vegeta, job{rate: 100}, "vegeta attack -duration 5s -rate 100 -max-body 0 <<'END'\nGET http://a/\nEND")
	check(fortio, job{body: 1 << 20}, "fortio load -c 8 -t 5s -qps 0 -timeout 30s -r 0.0001 -p 50,90,95,99,99.5 -json - -quiet -httpbufferkb 1088 http://a/")
}
