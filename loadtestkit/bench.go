package loadtestkit

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/loadtestkit/load-tester/internal/engine"
	"github.com/loadtestkit/load-tester/internal/unit"
	"github.com/loadtestkit/load-tester/internal/verdict"
)

// BenchOptions describe a benchmark. How long it is, -benchtime says.
type BenchOptions struct {
	Target     Target        // required
	Load       SteadyLoad    // nil means Closed(10)
	ErrorRatio float64       // highest allowed part of the requests that did not succeed, in [0, 1]; 0 means that none may fail
	Warmup     time.Duration // requests due before its end are not reported; 0 means none
	Timeout    time.Duration // as in Options
}

// Bench makes b.N requests and reports what benchstat compares: p50-ns and
// p99-ns, response times; req/s, completed responses; allocs/op and B/op, of the
// whole process, generator and in-process target together. ns/op is the elapsed
// time over the requests. A quantile of too few requests is not reported. Bench
// fails b if more requests fail than opts.ErrorRatio allows, or all; other limits
// are for [Run].
//
//	func BenchmarkItems(b *testing.B) {
//		loadtestkit.Bench(b, loadtestkit.BenchOptions{
//			Target: loadtestkit.Handler(api.Routes()).Get("/items"),
//		})
//	}
func Bench(b *testing.B, opts BenchOptions) Report {
	mustBe(b, "Bench")
	b.Helper()
	mustFit(b, "Bench")
	t := newTest(b)
	if b.N == 0 || !once(b) { // b.Loop sets it to 0
		t.Fatalf("loadtestkit: Bench makes b.N requests itself; call it once, without a loop")
	}
	p, err := opts.plan(b.N)
	if err != nil {
		t.Fatalf("loadtestkit: %v", err)
	}
	s, done := begin(t)
	defer done()
	b.StopTimer()
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	stopTimer := startTimerAfter(b, opts.Warmup)
	d, err := p.Run(s.ctx, s.cut, nil)
	stopTimer()
	if err != nil {
		t.Fatalf("loadtestkit: %v", advise(err))
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
		t.Errorf("loadtestkit: interrupted %s after %s requests", s.cause(), unit.Count(d.Requests.Sent))
	}
	if !d.Interrupted && d.Verdict != verdict.Fail {
		for _, line := range d.NothingSucceeded() {
			t.Errorf("loadtestkit: could not measure: %s", line)
		}
	}
	for _, l := range d.Limits {
		if l.Verdict == verdict.Fail {
			t.Errorf("loadtestkit: %s", l.Reason)
		}
	}
	return newReport(d)
}

// startTimerAfter starts b's timer when the warm-up is over: its time and what it
// allocates are not those of b.N requests.
func startTimerAfter(b *testing.B, warmup time.Duration) (stop func()) {
	if warmup == 0 {
		b.StartTimer()
		return b.StopTimer
	}
	started := make(chan struct{})
	t := time.AfterFunc(warmup, func() { b.StartTimer(); close(started) })
	return func() {
		if !t.Stop() {
			<-started
		}
		b.StopTimer()
	}
}

// lastBench is the benchmark that called Bench last, and with what N: the testing
// package gives it another one each time.
var lastBench struct {
	sync.Mutex
	b *testing.B
	n int
}

// once reports whether b calls Bench for the first time with this b.N.
func once(b *testing.B) bool {
	last := &lastBench
	last.Lock()
	defer last.Unlock()
	again := last.b == b && last.n == b.N
	last.b, last.n = b, b.N
	return !again
}

// plan checks o, for n requests.
func (o BenchOptions) plan(n int) (engine.Plan, error) {
	var f faults
	s, kind := settings(o.Load, NotJudged, &f)
	s.Warmup, s.Timeout = o.Warmup, o.Timeout
	limits, bad := Limits{ErrorRatio: o.ErrorRatio}.list("")
	f = append(f, bad...)
	p, err := engine.NewRun(engine.RunOptions{Target: engineTarget(o.Target), Settings: s, Requests: int64(n), Limits: limits})
	f.join(err)
	return p, f.err(kind)
}
