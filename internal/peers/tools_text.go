package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// wrk always sends as fast as its connections allow.
var wrk = tool{
	name:    "wrk",
	get:     "apt install wrk",
	version: []string{"-v"},
	command: func(j job) (invocation, bool) {
		if j.rate > 0 {
			return invocation{}, false
		}
		return invocation{args: wrkArgs(j)}, true
	},
	parse: parseWrk,
}

// wrk2 is wrk with a rate, which it cannot do without. Its own build names the
// binary wrk.
var wrk2 = tool{
	name:    "wrk2",
	get:     "https://github.com/giltene/wrk2: make, then put the binary wrk on PATH as wrk2",
	version: []string{"-v"},
	command: func(j job) (invocation, bool) {
		if j.rate == 0 {
			return invocation{}, false
		}
		// A response that takes longer than the timeout (default 2 s) counts as an error.
		args := append([]string{"-R" + strconv.Itoa(j.rate), "--timeout", "30s"}, wrkArgs(j)...)
		return invocation{args: args}, true
	},
	parse: parseWrk,
}

func wrkArgs(j job) []string {
	args := []string{"-t1", fmt.Sprintf("-c%d", j.connections), "-d" + j.duration.String(), "--latency"}
	if j.fresh {
		args = append(args, "-H", "Connection: close")
	}
	return append(args, j.url)
}

var (
	wrkDone   = regexp.MustCompile(`(\d+) requests in `)
	wrkErrors = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkStatus = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
	wrkShort  = regexp.MustCompile(`(?m)^\s*(\d+)(?:\.0+)?%\s+([\d.]+\w+)$`)
)

// parseWrk reads the output of wrk or wrk2 with --latency.
func parseWrk(out []byte) (result, error) {
	text := string(out)
	done := wrkDone.FindStringSubmatch(text)
	if done == nil {
		return result{}, errors.New(`no line "N requests in"`)
	}
	r := result{done: integer(done[1]), times: times{}}
	if m := wrkErrors.FindStringSubmatch(text); m != nil {
		for _, n := range m[1:] {
			r.failed += integer(n)
		}
	}
	if m := wrkStatus.FindStringSubmatch(text); m != nil {
		r.failed += integer(m[1])
	}
	for _, m := range wrkShort.FindAllStringSubmatch(text, -1) {
		d, err := time.ParseDuration(m[2])
		if err != nil {
			return r, err
		}
		name := "p" + m[1]
		if name == "p100" {
			name = "max"
		}
		r.times[name] = d
	}
	if _, spectrum, ok := strings.Cut(text, "Detailed Percentile spectrum:"); ok {
		r.times.addSpectrum(spectrum)
	}
	return r, nil
}

// ab speaks HTTP/1.0. With Keep-Alive that is as good as 1.1 for this work.
var ab = tool{
	name:    "ab",
	get:     "apt install apache2-utils",
	version: []string{"-V"},
	command: func(j job) (invocation, bool) {
		if j.rate > 0 {
			return invocation{}, false
		}
		// -t alone would stop after 50,000 requests. -n raises that, and makes
		// room for as many, 32 bytes each.
		args := []string{"-q", "-t", fmt.Sprint(seconds(j.duration)), "-n", "10000000", "-c", fmt.Sprint(j.connections)}
		if !j.fresh {
			args = append(args, "-k")
		}
		return invocation{args: append(args, j.url)}, true
	},
	parse: parseAB,
}

var (
	abDone   = regexp.MustCompile(`(?m)^Complete requests:\s+(\d+)$`)
	abFailed = regexp.MustCompile(`(?m)^Failed requests:\s+(\d+)$`)
	abStatus = regexp.MustCompile(`(?m)^Non-2xx responses:\s+(\d+)$`)
)

// parseAB reads only counts. ab has no rate, so no table compares its times,
// which are in whole milliseconds.
func parseAB(out []byte) (result, error) {
	done, failed := abDone.FindSubmatch(out), abFailed.FindSubmatch(out)
	if done == nil || failed == nil {
		return result{}, errors.New("no lines of complete and failed requests")
	}
	r := result{done: integer(string(done[1])), failed: integer(string(failed[1]))}
	if m := abStatus.FindSubmatch(out); m != nil {
		r.failed += integer(string(m[1]))
	}
	return r, nil
}

var h2load = tool{
	name:    "h2load",
	get:     "apt install nghttp2-client",
	version: []string{"--version"},
	command: func(j job) (invocation, bool) {
		args := []string{"--h1", "-t1", fmt.Sprintf("-c%d", j.connections)}
		if j.rate > 0 { // --rps is per connection
			args = append(args, fmt.Sprintf("--rps=%g", float64(j.rate)/float64(j.connections)))
		}
		if j.fresh {
			// 1.52 with -D sometimes hangs when connections end.
			args = append(args, "-H", "Connection: close", fmt.Sprintf("-n%d", 10_000*seconds(j.duration)))
		} else {
			args = append(args, fmt.Sprintf("-D%d", seconds(j.duration)))
		}
		return invocation{args: append(args, j.url), counted: j.fresh}, true
	},
	parse: parseH2load,
}

var (
	h2loadDone   = regexp.MustCompile(`requests: \d+ total, \d+ started, (\d+) done, `)
	h2loadFailed = regexp.MustCompile(`(\d+) failed, `)
	h2loadTimes  = regexp.MustCompile(`time for request:\s+\S+\s+(\S+)`)
)

// parseH2load reads counts and the longest time. Version 1.52 prints no
// quantiles; later ones print some.
func parseH2load(out []byte) (result, error) {
	done, failed := h2loadDone.FindSubmatch(out), h2loadFailed.FindSubmatch(out)
	if done == nil || failed == nil {
		return result{}, errors.New(`no line "requests: N total"`)
	}
	r := result{done: integer(string(done[1])), failed: integer(string(failed[1])), times: times{}}
	if m := h2loadTimes.FindSubmatch(out); m != nil {
		d, err := time.ParseDuration(string(m[1]))
		if err != nil {
			return r, err
		}
		r.times["max"] = d
	}
	return r, nil
}

var hey = tool{
	name: "hey",
	get:  "go install github.com/rakyll/hey@latest",
	command: func(j job) (invocation, bool) {
		args := []string{"-z", j.duration.String(), "-c", fmt.Sprint(j.connections)}
		if j.rate > 0 { // -q is per connection
			args = append(args, "-q", fmt.Sprintf("%g", float64(j.rate)/float64(j.connections)))
		}
		if j.fresh {
			args = append(args, "-disable-keepalive")
		}
		return invocation{args: append(args, j.url)}, true
	},
	parse: parseHey,
}

var (
	heySlowest  = regexp.MustCompile(`Slowest:\s+([\d.]+) secs`)
	heyQuantile = regexp.MustCompile(`(\d+)%+ in ([\d.]+) secs`)
	heyStatus   = regexp.MustCompile(`\[(\d{3})\]\s+(\d+) responses`)
	heyError    = regexp.MustCompile(`(?m)^\s+\[(\d+)\]\s+\D`)
)

func parseHey(out []byte) (result, error) {
	r := result{times: times{}}
	for _, m := range heyStatus.FindAllSubmatch(out, -1) {
		r.done += integer(string(m[2]))
		if m[1][0] >= '4' {
			r.failed += integer(string(m[2]))
		}
	}
	_, list, _ := bytes.Cut(out, []byte("Error distribution:"))
	for _, m := range heyError.FindAllSubmatch(list, -1) {
		r.failed += integer(string(m[1]))
	}
	slowest := heySlowest.FindSubmatch(out)
	if slowest == nil {
		return r, errors.New(`no line "Slowest:"`)
	}
	r.times["max"] = decimalSeconds(string(slowest[1]))
	for _, m := range heyQuantile.FindAllSubmatch(out, -1) {
		r.times["p"+string(m[1])] = decimalSeconds(string(m[2]))
	}
	return r, nil
}

// integer returns the value of digits that a regular expression matched.
func integer(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64) // the largest value if out of range
	return n
}

// decimalSeconds returns the duration of a decimal number of seconds that a
// regular expression matched.
func decimalSeconds(s string) time.Duration {
	v, _ := strconv.ParseFloat(s, 64)
	return scaled(v, time.Second)
}
