package export

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/loadtestkit/load-tester/internal/report"
)

// benched is a closed run without failures.
func benched() *report.Document {
	return &report.Document{
		Config: report.Config{Target: "https://example.com/api", Method: "GET", Path: "/api", Workload: "closed", Concurrency: 50},
		Arm: report.Arm{
			Elapsed:      2340 * time.Millisecond,
			Requests:     report.Requests{Due: 1000, Sent: 1000, Completed: 1000, Succeeded: 1000},
			Rate:         report.Rate{Achieved: 427.35, Throughput: 427.35, Goodput: 427.35},
			ResponseTime: report.Distribution{Count: 1000, P50: new(4200448 * time.Nanosecond), P99: new(45301760 * time.Nanosecond)},
		},
		Generator: report.Generator{GOMAXPROCS: 2},
	}
}

func TestBench(t *testing.T) {
	d := benched()
	d.Generator.GOOS, d.Generator.GOARCH, d.Generator.CPU = "linux", "amd64", "AMD EPYC"
	assert.Equal(t, "goos: linux\ngoarch: amd64\ncpu: AMD EPYC\n"+
		"BenchmarkLoad/GET/api/c=50-2\t    1000\t2340000 ns/op\t4200448 p50-ns\t45301760 p99-ns\t427.35 req/s\n", written(t, Bench, d))

	d.Config.Workload, d.Config.RatePerSecond, d.Config.Arrivals = "open", 0.5, "poisson"
	d.Config.Target, d.Config.Path = "http://[::1]:8080/?q=a b", "/?q=a b"
	d.Generator.GOMAXPROCS = 1
	d.ResponseTime.P99 = nil
	assert.Contains(t, written(t, Bench, d), "BenchmarkLoad/GET/?q=a_b/rate=0.5/poisson\t", "one word, the same for another host")
	assert.Contains(t, written(t, Bench, d), " p50-ns\t427.35 req/s\n", "too few requests for a p99")

	d = benched()
	d.Config.Target, d.Config.Method, d.Config.Path = "Go function", "", ""
	d.Config.Stages = make([]report.StageConfig, 3)
	d.Requests.Succeeded, d.Requests.Failed, d.Rate.Goodput = 985, 15, 420.94
	assert.Equal(t, "BenchmarkLoad/Go_function/stages=3-2\t     985\t2375634 ns/op\t4200448 p50-ns\t45301760 p99-ns\t420.94 req/s\t0.015 failed/op\n", written(t, Bench, d),
		"requests that fail fast do not make the run look faster")

	d.Requests = report.Requests{Due: 20, Sent: 20, Failed: 20}
	assert.Empty(t, written(t, Bench, d), "without a success there is nothing to compare")
}
