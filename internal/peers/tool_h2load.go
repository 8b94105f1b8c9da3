package main

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

var h2load = tool{
	name:    "h2load",
	get:     "apt install nghttp2-client",
	version: []string{"--version"},
	command: func(j job) (invocation, bool) {
		args := []string{"--h1", "-t1", fmt.Sprintf("-c%d", j.connections)}
		if j.rate > 0 { // its rate is of each connection
			args = append(args, fmt.Sprintf("--rps=%g", float64(j.rate)/float64(j.connections)))
		}
		if j.fresh {
			// 1.52 with -D does not always end when connections do.
			args = append(args, "-H", "Connection: close", fmt.Sprintf("-n%d", 10_000*seconds(j.duration)))
		} else {
			args = append(args, fmt.Sprintf("-D%d", seconds(j.duration)))
		}
		return invocation{args: append(args, j.url), counted: j.fresh}, true
	},
	parse: parseH2load,
}

var (
	h2loadCounts = regexp.MustCompile(`requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded`)
	h2loadTimes  = regexp.MustCompile(`time for request:\s+\S+\s+(\S+)`)
	h2loadOthers = regexp.MustCompile(`(\d+) failed, `)
)

// parseH2load reads counts and the longest time; newer versions print some
// quantiles, 1.52 does not.
func parseH2load(out []byte) (result, error) {
	counts, failed := h2loadCounts.FindSubmatch(out), h2loadOthers.FindSubmatch(out)
	if counts == nil || failed == nil {
		return result{}, errors.New(`no line "requests: N total"`)
	}
	r := result{done: integer(string(counts[1])), failed: integer(string(failed[1])), times: times{}}
	if m := h2loadTimes.FindSubmatch(out); m != nil {
		d, err := time.ParseDuration(string(m[1]))
		if err != nil {
			return r, err
		}
		r.times["max"] = d
	}
	return r, nil
}
