package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// k6 runs a script, which is given on its standard input.
var k6 = tool{
	name: "k6",
	get:  "go install go.k6.io/k6@latest",
	command: func(j job) (invocation, bool) {
		return invocation{args: []string{"run", "--quiet", "--no-usage-report", "-"}, stdin: k6Script(j)}, true
	},
	parse: parseK6,
}

// k6Script says what its guide to large tests says: bodies are dropped. An
// open workload may use 6,000 virtual users, more than any table needs at
// once; 1,000 are made before it starts.
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
			// Of a rate named "failed", those that pass did fail.
			Failed struct{ Values struct{ Passes int64 } } `json:"http_req_failed"`
			// Iterations that no virtual user was free for.
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
			res.times[name] = time.Duration(v * 1e6)
		}
	}
	return res, nil
}
