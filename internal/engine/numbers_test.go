package engine

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The whole way of a request, over a real connection to a server in this very
// process, allocates nothing. What a run allocates is for its histograms, which
// grow with its length for a while and not with its requests.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const requests = 20_000
	s := raw(t, nil)
	engines(t, func(t *testing.T, portable bool) {
		p, err := NewPlan(Options{URL: s.URL, Portable: portable, Requests: requests, Concurrency: 8})
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := p.Run(t.Context(), t.Context(), nil)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Equal(t, int64(requests), r.Requests.Succeeded)
		each := float64(after.Mallocs-before.Mallocs) / requests
		t.Logf("%.3f allocations a request", each)
		assert.Less(t, each, 0.5)
	})
}

// BenchmarkRun is a request's whole cost, that of the server in this process
// included: one that does next to nothing, and net/http's with an empty handler.
func BenchmarkRun(b *testing.B) {
	s := raw(b, nil)
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"epoll-64", Options{Concurrency: 64}},
		{"goroutines-64", Options{Concurrency: 64, Portable: true}},
		{"epoll-1", Options{Concurrency: 1}},
		{"goroutines-1", Options{Concurrency: 1, Portable: true}},
		{"memory-64", Options{Concurrency: 64, Handler: healthy}},
		{"memory-1", Options{Concurrency: 1, Handler: healthy}},
		{"handler-over-TCP-64", Options{Concurrency: 64, Handler: healthy, overTCP: true}},
		{"handler-over-TCP-1", Options{Concurrency: 1, Handler: healthy, overTCP: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if c.o.Requests = int64(b.N); c.o.Handler == nil {
				c.o.URL = s.URL
			}
			r := run(b, c.o)
			b.ReportMetric(r.Rate.Throughput, "req/s")
			if cpu := r.Generator.CPUPerRequest; cpu != nil {
				b.ReportMetric(float64(*cpu)/float64(time.Microsecond), "cpu-µs/req")
			}
		})
	}
}
