package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// fortio sends one more request per connection before it starts to count.
var fortio = tool{
	name: "fortio",
	get:  "go install fortio.org/fortio@latest",
	command: func(j job) (invocation, bool) {
		args := []string{
			"load", "-c", fmt.Sprint(j.connections), "-t", j.duration.String(), "-qps", fmt.Sprint(j.rate), "-timeout", "30s",
			// 0.1 ms instead of 1 ms in its histogram's lowest buckets.
			"-r", "0.0001", "-p", "50,90,95,99,99.5", "-json", "-", "-quiet",
		}
		if j.rate > 0 { // else all connections send at the same instants
			args = append(args, "-uniform")
		}
		if j.body > 100<<10 { // its default is 128
			args = append(args, "-httpbufferkb", fmt.Sprint(j.body>>10+64))
		}
		if strings.HasPrefix(j.url, "https:") {
			args = append(args, "-k")
		}
		if j.fresh {
			args = append(args, "-keepalive=false")
		}
		return invocation{args: append(args, j.url)}, true
	},
	parse: parseFortio,
}

func parseFortio(out []byte) (result, error) {
	var r struct {
		DurationHistogram struct {
			Count       int64
			Max         float64 // seconds, like the percentiles
			Percentiles []struct{ Percentile, Value float64 }
		}
		RetCodes map[string]int64 // -1: no response
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	h := r.DurationHistogram
	res := result{times: times{"max": time.Duration(h.Max * 1e9)}}
	for _, p := range h.Percentiles {
		res.times[fmt.Sprintf("p%g", p.Percentile)] = time.Duration(p.Value * 1e9)
	}
	for code, n := range r.RetCodes {
		if code != "-1" {
			res.done += n
		}
		if code == "-1" || code >= "400" {
			res.failed += n
		}
	}
	return res, nil
}
