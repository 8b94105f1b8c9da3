package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

var oha = tool{
	name:    "oha",
	get:     "cargo install oha",
	version: []string{"--version"},
	command: func(j job) (invocation, bool) {
		args := []string{"--no-tui", "--output-format", "json", "-z", j.duration.String(), "-c", fmt.Sprint(j.connections)}
		if j.rate > 0 {
			args = append(args, "-q", fmt.Sprint(j.rate), "--latency-correction")
		}
		if strings.HasPrefix(j.url, "https:") {
			args = append(args, "--insecure")
		}
		if j.fresh {
			args = append(args, "--disable-keepalive")
		}
		return invocation{args: append(args, j.url)}, true
	},
	parse: parseOha,
}

func parseOha(out []byte) (result, error) {
	var r struct {
		Summary struct {
			Slowest *float64 // seconds, like the percentiles
		}
		Percentiles map[string]*float64 `json:"latencyPercentiles"`
		StatusCodes map[string]int64    `json:"statusCodeDistribution"`
		Errors      map[string]int64    `json:"errorDistribution"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	res := result{times: times{}}
	if r.Summary.Slowest != nil {
		res.times["max"] = time.Duration(*r.Summary.Slowest * 1e9)
	}
	for name, v := range r.Percentiles {
		if v != nil {
			res.times[name] = time.Duration(*v * 1e9)
		}
	}
	for code, n := range r.StatusCodes {
		res.done += n
		if code >= "400" {
			res.failed += n
		}
	}
	for text, n := range r.Errors {
		// It cuts off what is in flight at the end, and says so as an error.
		if text != "aborted due to deadline" {
			res.failed += n
		}
	}
	return res, nil
}
