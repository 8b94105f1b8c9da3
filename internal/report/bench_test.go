package report

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func bench(t *testing.T, r *Report) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, WriteBench(&b, r))
	return b.String()
}

func TestBench(t *testing.T) {
	const machine = "goos: linux\ngoarch: amd64\ncpu: AMD EPYC\n"
	r := success()
	r.Generator.GOOS, r.Generator.GOARCH, r.Generator.CPU = "linux", "amd64", "AMD EPYC"
	assert.Equal(t, machine+"BenchmarkLoad/GET/api/c=50-2\t    1000\t2340000 ns/op\t4200448 p50-ns\t45301760 p99-ns\t427.35 req/s\n", bench(t, r))

	r.Config.Workload, r.Config.RatePerSecond, r.Config.Arrivals = "open", 0.5, "poisson"
	r.Config.Target = "http://[::1]:8080/?q=a b"
	r.Generator.GOMAXPROCS = 1
	r.ResponseHist = times(time.Millisecond, 99)
	r.fill()
	assert.Contains(t, bench(t, r), "BenchmarkLoad/GET/?q=a_b/rate=0.5/poisson\t", "one word, the same for another host")
	assert.Contains(t, bench(t, r), " p50-ns\t427.35 req/s\n", "99 requests tell no p99")

	r = mixed()
	r.Config.Target, r.Config.Method = "Go function", ""
	r.Config.Stages = make([]Stage, 3)
	assert.Equal(t, "BenchmarkLoad/Go_function/stages=3-2\t     985\t2375634 ns/op\t4200448 p50-ns\t45301760 p99-ns\t420.94 req/s\t0.015 failed/op\n", bench(t, r),
		"what fails fast does not make it look faster")

	assert.Empty(t, bench(t, timeouts()), "nothing succeeded, there is nothing to compare")
	assert.Empty(t, bench(t, &Report{}))
	full := assert.AnError
	assert.ErrorIs(t, WriteBench(failing{full}, r), full)
}
