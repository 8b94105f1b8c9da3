package main

import (
	"errors"
	"fmt"
	"regexp"
)

// ab speaks HTTP/1.0, which Keep-Alive makes as good as 1.1 for this work.
var ab = tool{
	name:    "ab",
	get:     "apt install apache2-utils",
	version: []string{"-V"},
	command: func(j job) (invocation, bool) {
		if j.rate > 0 {
			return invocation{}, false
		}
		// -t alone would stop after 50,000 requests; -n says how many it has
		// room for, 32 bytes each.
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

// parseAB reads counts alone: ab has no rate, so that its times, in whole
// milliseconds, are nowhere compared.
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
