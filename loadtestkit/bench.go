package loadtestkit

import (
	"runtime"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// Bench makes b.N requests as opts describes, without an end of their own, and
// reports what benchstat compares: p50-ns and p99-ns, response times; req/s,
// completed responses; allocs/op and B/op, of the whole process, generator and
// in-process target together. ns/op is the elapsed time over the requests. A
// quantile of too few requests is not reported. It fails b if a request fails,
// unless Limits.ErrorRatio is above 0; other limits are for [Run].
//
//	func BenchmarkItems(b *testing.B) {
//		loadtestkit.Bench(b, loadtestkit.Options{Target: loadtestkit.Handler(api.Routes()), Path: "/items"})
//	}
func Bench(b *testing.B, opts Options) Report {
	b.Helper()
	if opts.Requests != 0 || opts.Duration != 0 || len(opts.Stages) > 0 {
		b.Fatal("loadtestkit: options: Requests, Duration or Stages are set, but a benchmark says itself how much to do (-benchtime); leave them out")
	}
	opts.Requests = b.N
	p, err := opts.plan(false)
	if err != nil {
		b.Fatalf("loadtestkit: %v", err)
	}
	s, done := begin(b)
	defer done()
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	d, err := p.Run(s.ctx, s.cut, nil)
	b.StopTimer()
	if err != nil {
		b.Fatalf("loadtestkit: %v", err)
	}
	for name, q := range map[string]*time.Duration{"p50-ns": d.ResponseTime.P50, "p99-ns": d.ResponseTime.P99} {
		if q != nil {
			b.ReportMetric(float64(*q), name)
		}
	}
	if d.Elapsed > 0 && d.Requests.Completed > 0 {
		b.ReportMetric(d.Rate.Throughput, "req/s")
		b.ReportMetric(float64(d.Elapsed)/float64(d.Requests.Due), "ns/op")
	}
	if d.Interrupted {
		b.Errorf("loadtestkit: interrupted %s after %s requests", s.cause(), unit.Count(d.Requests.Sent))
	}
	for _, l := range d.Limits {
		if opts.Limits.ErrorRatio == 0 && l.Exact && l.Verdict == verdict.Fail {
			b.Errorf("loadtestkit: %s", l.Reason)
		}
	}
	return newReport(d)
}
