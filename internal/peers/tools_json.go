package main

import (
	"bytes"
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

// latenessP99 names load-tester's own lateness, as it reports it.
const latenessP99 = "lateness p99"

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

var bombardier = tool{
	name: "bombardier",
	get:  "go install github.com/codesenberg/bombardier@latest",
	command: func(j job) (invocation, bool) {
		// A response that takes longer than the timeout (default 2 s) is an error.
		args := []string{"-c", fmt.Sprint(j.connections), "-d", j.duration.String(), "-t", "30s", "-l", "-o", "json", "-p", "r"}
		if j.rate > 0 {
			args = append(args, "-r", fmt.Sprint(j.rate))
		}
		if strings.HasPrefix(j.url, "https:") {
			args = append(args, "-k")
		}
		if j.fresh { // as its help recommends; -a is for its slower clients
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
	t := times{"max": scaled(c.Latency.Max, time.Microsecond)}
	for p, v := range c.Latency.Percentiles {
		t["p"+p] = scaled(v, time.Microsecond)
	}
	return result{
		done:   c.Req1xx + c.Req2xx + c.Req3xx + c.Req4xx + c.Req5xx,
		failed: c.Req4xx + c.Req5xx + c.Others,
		times:  t,
	}, nil
}

// vegeta writes every result to its output during the attack. Its reports are
// made afterwards, so their cost is not in its CPU time.
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
	t.addSpectrum(string(out[d.InputOffset():]))
	res := result{done: r.Requests - r.StatusCodes["0"], times: t}
	for code, n := range r.StatusCodes {
		if code == "0" || code >= "400" {
			res.failed += n
		}
	}
	return res, nil
}

// fortio sends one more request per connection before it starts to count.
var fortio = tool{
	name: "fortio",
	get:  "go install fortio.org/fortio@latest",
	command: func(j job) (invocation, bool) {
		args := []string{
			"load", "-c", fmt.Sprint(j.connections), "-t", j.duration.String(), "-qps", fmt.Sprint(j.rate), "-timeout", "30s",
			// The lowest buckets of its histogram are 0.1 ms wide instead of 1 ms.
			"-r", "0.0001", "-p", "50,90,95,99,99.5", "-json", "-", "-quiet",
		}
		if j.rate > 0 { // otherwise all connections send at the same instants
			args = append(args, "-uniform")
		}
		if j.body > 100<<10 { // the default buffer is 128 KiB
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
	res := result{times: times{"max": scaled(h.Max, time.Second)}}
	for _, p := range h.Percentiles {
		res.times[fmt.Sprintf("p%g", p.Percentile)] = scaled(p.Value, time.Second)
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

// k6 runs a script, which it reads from its standard input.
var k6 = tool{
	name: "k6",
	get:  "go install go.k6.io/k6@latest",
	command: func(j job) (invocation, bool) {
		return invocation{args: []string{"run", "--quiet", "--no-usage-report", "-"}, stdin: k6Script(j)}, true
	},
	parse: parseK6,
}

// k6Script discards bodies, as k6's guide to large tests recommends. An open
// workload may use 6,000 virtual users, more than any table needs; 1,000 of
// them are created before it starts.
func k6Script(j job) string {
	load := fmt.Sprintf("executor: 'constant-vus', vus: %d", j.connections)
	if j.rate > 0 {
		load = fmt.Sprintf("executor: 'constant-arrival-rate', rate: %d, timeUnit: '1s', preAllocatedVUs: 1000, maxVUs: 6000", j.rate)
	}
	return fmt.Sprintf(`import http from 'k6/http';
export const options = {
  discardResponseBodies: true, insecureSkipTLSVerify: true, noConnectionReuse: %v,
  summaryTrendStats: ['p(50)', 'p(90)', 'p(95)', 'p(99)', 'p(99.5)', 'max'],
  scenarios: { load: { %s, duration: '%v' } },
};
export default function () { http.get('%s'); }
export function handleSummary(data) { return { stdout: JSON.stringify(data) }; }
`, j.fresh, load, j.duration, j.url)
}

func parseK6(out []byte) (result, error) {
	var r struct {
		Metrics struct {
			Duration struct{ Values map[string]float64 }    `json:"http_req_duration"` // milliseconds
			Requests struct{ Values struct{ Count int64 } } `json:"http_reqs"`
			// This metric is the rate of failure, so a pass is a failed request.
			Failed struct{ Values struct{ Passes int64 } } `json:"http_req_failed"`
			// Iterations for which no virtual user was free.
			Dropped struct{ Values struct{ Count int64 } } `json:"dropped_iterations"`
		}
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return result{}, err
	}
	m := r.Metrics
	res := result{
		done:   m.Requests.Values.Count - m.Failed.Values.Passes,
		failed: m.Failed.Values.Passes + m.Dropped.Values.Count,
		times:  times{},
	}
	for in, name := range map[string]string{"p(50)": "p50", "p(90)": "p90", "p(95)": "p95", "p(99)": "p99", "p(99.5)": "p99.5", "max": "max"} {
		if v, ok := m.Duration.Values[in]; ok {
			res.times[name] = scaled(v, time.Millisecond)
		}
	}
	return res, nil
}

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
		res.times["max"] = scaled(*r.Summary.Slowest, time.Second)
	}
	for name, v := range r.Percentiles {
		if v != nil {
			res.times[name] = scaled(*v, time.Second)
		}
	}
	for code, n := range r.StatusCodes {
		res.done += n
		if code >= "400" {
			res.failed += n
		}
	}
	for text, n := range r.Errors {
		// It lists the requests that it cuts off at the end as errors.
		if text != "aborted due to deadline" {
			res.failed += n
		}
	}
	return res, nil
}
