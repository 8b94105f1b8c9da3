package engine

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The whole way of a request, over a real connection to a server in this very
// process, allocates nothing, closed or released by the pacer. What a run
// allocates is for its connections, and for its histograms and sensors, which
// take more the longer it is and not the more requests it has.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := raw(t, nil)
	mallocs := func(t *testing.T, o RunOptions) int64 {
		t.Helper()
		p, err := NewRun(o)
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := p.Run(t.Context(), t.Context(), nil)
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.Equal(t, o.Requests, r.Requests.Succeeded)
		return int64(after.Mallocs - before.Mallocs)
	}
	engines(t, func(t *testing.T, portable bool) {
		for name, o := range map[string]RunOptions{
			"closed": {},
			"open":   {Settings: Settings{Load: Load{Rate: 20_000, ConnectionsAhead: 8}}},
		} {
			o.Target.URL, o.Portable, o.Concurrency = s.URL, portable, 8
			o.Requests = 2_000
			few := mallocs(t, o)
			o.Requests += 12_000
			more := mallocs(t, o) - few
			t.Logf("%s: %d allocations, and %d for 12,000 more requests", name, few, more)
			assert.Less(t, more, int64(12_000/2), "%s: none for each request", name)
		}
	})
}

// BenchmarkRun is a request's whole cost, that of the server in this process
// included: one that does next to nothing, and net/http's with an empty handler.
func BenchmarkRun(b *testing.B) {
	s := raw(b, nil)
	for _, c := range []struct {
		name string
		o    RunOptions
		tcp  bool
	}{
		{"epoll-64", RunOptions{Settings: Settings{Load: Load{Concurrency: 64}}}, false},
		{"goroutines-64", RunOptions{Settings: Settings{Load: Load{Concurrency: 64}, Portable: true}}, false},
		{"epoll-1", RunOptions{Settings: Settings{Load: Load{Concurrency: 1}}}, false},
		{"goroutines-1", RunOptions{Settings: Settings{Load: Load{Concurrency: 1}, Portable: true}}, false},
		{"memory-64", RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Concurrency: 64}}}, false},
		{"memory-1", RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Concurrency: 1}}}, false},
		{"handler-over-TCP-64", RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Concurrency: 64}}}, true},
		{"handler-over-TCP-1", RunOptions{Target: Target{Handler: healthy}, Settings: Settings{Load: Load{Concurrency: 1}}}, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			if c.o.Requests = int64(b.N); c.o.Target.Handler == nil {
				c.o.Target.URL = s.URL
			}
			r := run(b, c.o, func(p *armPlan) { p.overTCP = c.tcp })
			b.ReportMetric(r.Rate.Throughput, "req/s")
			if cpu := r.Generator.CPUPerRequest; cpu != nil {
				b.ReportMetric(float64(*cpu)/float64(time.Microsecond), "cpu-µs/req")
			}
		})
	}
}

// BenchmarkPacer is an open workload of 1000 arrivals per second: how late it
// sends them is what counts, and what processor it takes meanwhile.
func BenchmarkPacer(b *testing.B) {
	s := raw(b, nil)
	for name, portable := range map[string]bool{"epoll": false, "goroutines": true} {
		b.Run(name, func(b *testing.B) {
			r := run(b, RunOptions{Target: Target{URL: s.URL}, Settings: Settings{Load: Load{Rate: 1000}, Portable: portable}, Requests: int64(b.N)})
			for unit, late := range map[string]*time.Duration{"p50-µs-late": r.Lateness.P50, "p99-µs-late": r.Lateness.P99} {
				if late != nil { // of few, not every quantile can be told
					b.ReportMetric(float64(*late)/float64(time.Microsecond), unit)
				}
			}
			if cpu := r.Generator.CPUPerRequest; cpu != nil {
				b.ReportMetric(float64(*cpu)/float64(time.Microsecond), "cpu-µs/req")
			}
		})
	}
}
