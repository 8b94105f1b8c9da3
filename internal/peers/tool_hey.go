package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var hey = tool{
	name: "hey",
	get:  "go install github.com/rakyll/hey@latest",
	command: func(j job) (invocation, bool) {
		args := []string{"-z", j.duration.String(), "-c", fmt.Sprint(j.connections)}
		if j.rate > 0 { // its rate is of each connection
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
	for _, m := range heyError.FindAllSubmatch(errorsOfHey(out), -1) {
		r.failed += integer(string(m[1]))
	}
	slowest := heySlowest.FindSubmatch(out)
	if slowest == nil {
		return r, errors.New(`no line "Slowest:"`)
	}
	r.times["max"] = secs(string(slowest[1]))
	for _, m := range heyQuantile.FindAllSubmatch(out, -1) {
		r.times["p"+string(m[1])] = secs(string(m[2]))
	}
	return r, nil
}

// errorsOfHey is the part of the output that lists errors.
func errorsOfHey(out []byte) []byte {
	at := regexp.MustCompile(`Error distribution:`).FindIndex(out)
	if at == nil {
		return nil
	}
	return out[at[1]:]
}

// secs is the value of a decimal number of seconds that an expression matched.
func secs(s string) time.Duration {
	v, _ := strconv.ParseFloat(s, 64)
	return time.Duration(v * float64(time.Second))
}
