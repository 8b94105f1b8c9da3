package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// vegeta writes every result to its output as it attacks; the reports are made
// afterwards, so that their cost is not in its CPU time.
var vegeta = tool{
	name: "vegeta",
	get:  "go install github.com/tsenart/vegeta/v12@latest",
	command: func(j job) (invocation, bool) {
		args := []string{"attack", "-duration", j.duration.String(), "-rate", fmt.Sprint(j.rate), "-max-body", "0"}
		if j.rate == 0 { // as fast as the workers can
			n := fmt.Sprint(j.connections)
			args = append(args, "-workers", n, "-max-workers", n)
		}
		if strings.HasPrefix(j.url, "https:") {
			args = append(args, "-insecure", "-http2=false")
		}
		if j.fresh {
			args = append(args, "-keepalive=false")
		}
		return invocation{args: args, stdin: "GET " + j.url + "\n"}, true
	},
	convert: [][]string{{"report", "-type", "json"}, {"report", "-type", "hdrplot"}},
	parse:   parseVegeta,
}

// parseVegeta reads a JSON report on one line, followed by a spectrum.
func parseVegeta(out []byte) (result, error) {
	var r struct {
		Requests  int64
		Success   float64
		Latencies struct {
			P50 time.Duration `json:"50th"`
			P90 time.Duration `json:"90th"`
			P95 time.Duration `json:"95th"`
			P99 time.Duration `json:"99th"`
			Max time.Duration
		}
		StatusCodes map[string]int64 `json:"status_codes"` // 0: no response
	}
	d := json.NewDecoder(bytes.NewReader(out))
	if err := d.Decode(&r); err != nil {
		return result{}, err
	}
	l := r.Latencies
	t := times{"p50": l.P50, "p90": l.P90, "p95": l.P95, "p99": l.P99, "max": l.Max}
	t.spectrum(string(out[d.InputOffset():]))
	res := result{done: r.Requests - r.StatusCodes["0"], times: t}
	for code, n := range r.StatusCodes {
		if code == "0" || code >= "400" {
			res.failed += n
		}
	}
	return res, nil
}
