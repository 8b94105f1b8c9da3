package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// ours is load-tester, built from this checkout.
var ours = tool{
	name: "load-tester",
	command: func(j job) (invocation, bool) {
		args := []string{"--no-progress", "--format", "json"}
		if j.rate > 0 { // it opens as many connections as it needs
			args = append(args, "--rate", fmt.Sprint(j.rate))
		} else {
			args = append(args, "-c", fmt.Sprint(j.connections))
		}
		if j.requests > 0 {
			args = append(args, "-n", fmt.Sprint(j.requests))
		} else {
			args = append(args, "-z", j.duration.String())
		}
		if strings.HasPrefix(j.url, "https:") {
			args = append(args, "--insecure")
		}
		if j.fresh {
			args = append(args, "--no-keepalive")
		}
		if j.tail { // a limit shows any percentile
			args = append(args, "--limit", "p99.5<=1h")
		}
		return invocation{args: append(args, j.url), counted: j.requests > 0}, true
	},
	parse: parseOurs,
}

func parseOurs(out []byte) (result, error) {
	var r struct {
		Requests struct {
			Succeeded, Failed, Unsent, Unfinished int64
		}
		Elapsed      time.Duration       `json:"elapsed_ns"`
		ResponseTime map[string]*float64 `json:"response_time_ns"`
		Lateness     map[string]*float64 `json:"lateness_ns"`
		Limits       []struct {
			Limit    string
			Observed *float64
		}
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	t := times{}
	for _, name := range []string{"p50", "p90", "p95", "p99", "max"} {
		if v := r.ResponseTime[name]; v != nil {
			t[name] = time.Duration(*v)
		}
	}
	for _, l := range r.Limits {
		if name, _, _ := strings.Cut(l.Limit, "<"); l.Observed != nil {
			t[name] = time.Duration(*l.Observed)
		}
	}
	if v := r.Lateness["p99"]; v != nil {
		t[latenessP99] = time.Duration(*v)
	}
	q := r.Requests
	return result{done: q.Succeeded, failed: q.Failed + q.Unsent + q.Unfinished, times: t, took: r.Elapsed}, nil
}

// latenessP99 is how late load-tester says that it was itself.
const latenessP99 = "lateness p99"
