package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// wrk sends as fast as its connections allow, and only so.
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

// wrk2 is wrk with a rate, and without the way to leave it out. Its own build
// calls it wrk.
var wrk2 = tool{
	name:    "wrk2",
	get:     "https://github.com/giltene/wrk2: make, then put the binary wrk on PATH as wrk2",
	version: []string{"-v"},
	command: func(j job) (invocation, bool) {
		if j.rate == 0 {
			return invocation{}, false
		}
		// A response that takes longer than the timeout (2 s) counts as an error.
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

// parseWrk reads what wrk or wrk2 prints with --latency.
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
		r.times[percentile(m[1])] = d
	}
	if _, spectrum, ok := strings.Cut(text, "Detailed Percentile spectrum:"); ok {
		r.times.spectrum(spectrum)
	}
	return r, nil
}

// percentile is the name of a quantile in percent.
func percentile(digits string) string {
	if digits == "100" {
		return "max"
	}
	return "p" + digits
}

// integer is the value of digits that an expression matched.
func integer(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64) // out of range is the greatest
	return n
}
