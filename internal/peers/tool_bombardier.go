package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

var bombardier = tool{
	name: "bombardier",
	get:  "go install github.com/codesenberg/bombardier@latest",
	command: func(j job) (invocation, bool) {
		// A response that takes longer than the timeout (2 s) is an error.
		args := []string{"-c", fmt.Sprint(j.connections), "-d", j.duration.String(), "-t", "30s", "-l", "-o", "json", "-p", "r"}
		if j.rate > 0 {
			args = append(args, "-r", fmt.Sprint(j.rate))
		}
		if strings.HasPrefix(j.url, "https:") {
			args = append(args, "-k")
		}
		if j.fresh { // as its help says; -a is for its slower clients
			args = append(args, "-H", "Connection: close")
		}
		return invocation{args: append(args, j.url)}, true
	},
	parse: parseBombardier,
}

func parseBombardier(out []byte) (result, error) {
	var r struct {
		Result struct {
			Req1xx, Req2xx, Req3xx, Req4xx, Req5xx, Others int64
			Latency                                        struct {
				Max         float64 // microseconds, like the percentiles
				Percentiles map[string]float64
			}
		}
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	c := r.Result
	t := times{"max": microseconds(c.Latency.Max)}
	for p, v := range c.Latency.Percentiles {
		t["p"+p] = microseconds(v)
	}
	return result{
		done:   c.Req1xx + c.Req2xx + c.Req3xx + c.Req4xx + c.Req5xx,
		failed: c.Req4xx + c.Req5xx + c.Others,
		times:  t,
	}, nil
}

func microseconds(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }
